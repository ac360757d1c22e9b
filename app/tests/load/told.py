"""What a crowd's process is told and what it tells, each a line of JSON on its standard input and output."""

import msgspec


class Plan(msgspec.Struct):
    """Agents to be, and how: each acts once in `pace` seconds, chosen at random by `seed`, for `seconds`.

    `everybody` are the ids of all agents, `tokens` those of this process.
    """

    url: str
    project: str
    tokens: dict[str, str]
    everybody: list[str]
    seconds: float
    pace: float
    seed: int


class Ledger(msgspec.Struct):
    """What the agents of one process did and were told, as far as the bridge acknowledged it.

    `followed`: of each agent that followed the log, where it did not go on with the next event. `sent`: for
    each recipient the messages; `received`: of each how often which came. `tasks` were given, and `done`.
    `took`: of each kind of act the seconds of every single one.
    """

    stored: list[int] = []
    followed: dict[str, list[tuple[int, int]]] = {}
    sent: dict[str, list[str]] = {}
    received: dict[str, dict[str, int]] = {}
    tasks: list[str] = []
    done: list[str] = []
    took: dict[str, list[float]] = {}
    refused: dict[str, int] = {}
    wrong: list[str] = []


class Expected(msgspec.Struct):
    """What the agents of a process have to have seen before they leave: the log's head, and messages."""

    head: int
    messages: dict[str, list[str]]
