"""An event as the console lists it: who, what, and as much of its data as a line and a box can hold."""

from dataclasses import dataclass

import msgspec

from lighthouse.events import Event

BRIEF = 240
WHOLE = 32 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One event; `data` is indented JSON, `cut` how many bytes of it there are where it is not all."""

    seq: int
    ts: str
    type: str
    stream: str
    agent_id: str
    brief: str
    data: str
    cut: int


def row(event: Event) -> Row:
    """The event in this form."""
    raw = bytes(event.data)
    brief = raw[: 4 * BRIEF].decode("utf-8", "ignore").removeprefix("{").removesuffix("}")
    data = msgspec.json.format(raw, indent=2) if len(raw) <= WHOLE else raw[:WHOLE]
    return Row(
        event.seq,
        event.ts,
        event.type,
        event.stream,
        event.agent_id,
        brief if len(brief) <= BRIEF else f"{brief[:BRIEF]}…",
        data.decode("utf-8", "ignore"),
        len(raw) if len(raw) > WHOLE else 0,
    )
