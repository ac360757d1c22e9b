"""An event as it stands in the log, a draft as a caller hands it in, and what makes a draft acceptable."""

import hashlib
import math
import re
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

import msgspec

from lighthouse.events.errors import InvalidEvent

MAX_TYPE = 100
MAX_STREAM = 200
MAX_KEY = 200
MAX_DATA = 256 * 1024
MAX_DEPTH = 32

RESERVED_PREFIXES = (
    "bridge.",
    "store.",
    "session.",
    "shadow.",
    "snapshot.",
    "policy.",
    "verdict.",
    "validation.",
    "tool.",
    "expert.",
    "task.",
    "lease.",
    "elicitation.",
    "message.",
    "collaboration.",
    "pair.",
    "annotation.",
    "proposal.",
    "context.",
)
"""Types that only the bridge writes; the bridge refuses them to callers, the store itself does not ask."""

_TYPE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
_AGENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_CANONICAL = msgspec.json.Encoder(order="sorted")


class Event(msgspec.Struct, frozen=True, gc=False):
    """One fact. `data` is canonical JSON of an object, `ts` RFC 3339 in UTC, `prev`, `kid`, `mac` are hex."""

    seq: int
    id: str
    ts: str
    type: str
    stream: str
    agent_id: str
    data: msgspec.Raw
    prev: str
    kid: str
    mac: str

    @property
    def value(self) -> dict[str, Any]:
        """`data`, decoded; a new object each time."""
        value: dict[str, Any] = msgspec.json.decode(self.data)
        return value


class Draft(msgspec.Struct, frozen=True):
    """An event to be stored.

    `idempotency_key` is the agent's own: the same draft under it again answers the earlier event.
    `expected_seq` is the sequence number of the stream's last event (0: none) before this append.
    """

    type: str
    data: dict[str, Any]
    stream: str = "default"
    idempotency_key: str | None = None
    expected_seq: int | None = None


class Checked(msgspec.Struct, frozen=True, gc=False):
    """A draft found acceptable, its data in canonical form."""

    type: str
    stream: str
    data: bytes
    idem_key: str | None
    idem_digest: str | None
    expected_seq: int | None


def canonical(value: object) -> bytes:
    """JSON in UTF-8, keys sorted, no spaces: the one form of a value that is signed and compared."""
    return _CANONICAL.encode(value)


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds and `Z`: of equal length, so that text order is time order."""
    return moment.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def check_agent(agent_id: str) -> None:
    """Raise InvalidEvent unless `agent_id` is the name of an agent."""
    if not _AGENT.fullmatch(agent_id):
        raise InvalidEvent("the agent's id is not a name", "1 to 64 letters, digits and . _ @ -")


def check_draft(draft: Draft) -> Checked:
    """The draft in canonical form; raises InvalidEvent."""
    _check_names(draft.type, draft.stream)
    if draft.expected_seq is not None and draft.expected_seq < 0:
        raise InvalidEvent("expected_seq is negative", "0 stands for a stream without events")
    data = _canonical_data(draft.data)
    digest = None
    if draft.idempotency_key is not None:
        _check_text("idempotency_key", draft.idempotency_key, MAX_KEY)
        digest = hashlib.sha256(b"\0".join((draft.type.encode(), draft.stream.encode(), data))).hexdigest()
    return Checked(draft.type, draft.stream, data, draft.idempotency_key, digest, draft.expected_seq)


@lru_cache(maxsize=1024)  # the same few names come again and again
def _check_names(type: str, stream: str) -> None:
    if len(type) > MAX_TYPE or not _TYPE.fullmatch(type):
        raise InvalidEvent(
            "the event's type is not a dotted lower-case name",
            f"like note.added, at most {MAX_TYPE} characters",
        )
    _check_text("stream", stream, MAX_STREAM)


def _check_text(name: str, text: str, longest: int) -> None:
    # isprintable is false for control characters and lone surrogates, which no JSON reader agrees on
    if not 1 <= len(text) <= longest or not text.isprintable():
        raise InvalidEvent(f"{name} is not 1 to {longest} printable characters", "send a shorter, plain name")


def _canonical_data(value: dict[str, Any]) -> bytes:
    if not isinstance(value, dict):
        raise InvalidEvent("the event's data is not an object", "send a JSON object")
    try:
        data = canonical(value)
    except RecursionError:
        raise InvalidEvent(f"the event's data is nested deeper than {MAX_DEPTH}", "flatten it") from None
    except (TypeError, ValueError, OverflowError) as error:
        raise InvalidEvent(f"the event's data is not JSON: {error}", "send what JSON can hold") from None
    if len(data) > MAX_DATA:
        raise InvalidEvent(f"the event's data has {len(data)} bytes", f"at most {MAX_DATA} are stored")
    # The walk is slow in Python; data with few brackets and no null cannot hold what it looks for.
    if data.count(b"{") + data.count(b"[") > MAX_DEPTH or b"null" in data:
        _walk(value)
    return data


def _walk(value: object) -> None:
    """Refuse nesting beyond MAX_DEPTH, and NaN and infinities, which JSON would silently turn into null."""
    level: list[object] = [value]
    for depth in range(MAX_DEPTH + 1):
        below: list[object] = []
        for item in level:
            if isinstance(item, dict | list | tuple):
                if depth == MAX_DEPTH:
                    raise InvalidEvent(f"the event's data is nested deeper than {MAX_DEPTH}", "flatten it")
                below.extend(item.values() if isinstance(item, dict) else item)
            elif isinstance(item, float) and not math.isfinite(item):
                raise InvalidEvent("the event's data holds NaN or infinity", "JSON has no such number")
        level = below
