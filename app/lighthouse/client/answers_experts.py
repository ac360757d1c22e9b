"""The answers about experts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Expert:
    """Somebody who is asked about calls in doubt; an empty list is no limit.

    `alive`: there now, which holds for `ttl_seconds` after each sign of life, and while one of its `sockets`
    is open. `load` requests and tasks wait for it; in the last days it `answered` so many requests and
    `missed` so many, `completed` so many tasks and `failed` with so many.
    """

    agent_id: str
    speciality: str
    languages: list[str]
    paths: list[str]
    risks: list[str]
    ttl_seconds: float
    registered_at: str
    seq: int
    alive: bool
    sockets: int
    load: int
    answered: int
    missed: int
    completed: int
    failed: int


@dataclass(frozen=True)
class ExpertList:
    """Everyone who ever registered, by id."""

    experts: list[Expert]
