"""How a moment of the project is written: a number, an RFC 3339 time, a snapshot's name, or `current`."""

import re
from dataclasses import dataclass
from datetime import datetime

from lighthouse.events.event import timestamp
from lighthouse.shadow.errors import BadMoment

CURRENT = "current"
MAX_NAME = 100
MAX_DIGITS = 18

_NAME = re.compile(rf"[A-Za-z][A-Za-z0-9._-]{{0,{MAX_NAME - 1}}}")
_TIME = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_LIKE_A_TIME = re.compile(r"\d{4}-\d", re.ASCII)


@dataclass(frozen=True, slots=True)
class Number:
    """The version that was current when event `seq` was the last one."""

    seq: int


@dataclass(frozen=True, slots=True)
class Time:
    """The version that was current at `ts`, which is in the form of the events' times."""

    ts: str


@dataclass(frozen=True, slots=True)
class Name:
    """A snapshot."""

    name: str


@dataclass(frozen=True, slots=True)
class Present:
    """Whatever is current."""


Moment = Number | Time | Name | Present


def parse(text: str | None) -> Moment:
    """What `text` asks for; None and `current` are the present. Raises BadMoment for what cannot be one."""
    if text is None or text == CURRENT:
        return Present()
    if text.isascii() and text.isdigit():
        if len(text) > MAX_DIGITS:
            raise BadMoment("the sequence number is too large", "no log is that long")
        return Number(int(text))
    if _TIME.fullmatch(text):
        try:
            return Time(timestamp(datetime.fromisoformat(text.upper())))
        except (ValueError, OverflowError):
            raise _bad_time(text) from None
    if _LIKE_A_TIME.match(text):
        raise _bad_time(text)
    if _NAME.fullmatch(text):
        return Name(text)
    raise BadMoment(
        "that is no sequence number, no RFC 3339 time and no snapshot's name",
        "send 1234, 2026-11-23T10:00:00Z, or a name that `lighthouse snapshots` lists",
    )


def check_name(name: str) -> None:
    """Raise BadMoment unless `name` can be a snapshot's: no other moment may be written so."""
    if not _NAME.fullmatch(name):
        raise BadMoment(
            "that cannot be a snapshot's name",
            f"begin with a letter, then at most {MAX_NAME - 1} letters, digits and . _ -",
        )
    if name == CURRENT:
        raise BadMoment(f"{CURRENT} means the present", "choose another name for the snapshot")


def _bad_time(text: str) -> BadMoment:
    return BadMoment(
        f"{text[:40]!r} is no RFC 3339 time", "send one with its zone, like 2026-11-23T10:00:00Z"
    )
