"""The shapes of the bridge's answers, as dataclasses: what the client returns and the MCP tools publish.

Fields that a newer bridge adds are ignored, so that an older client keeps working.
"""

from dataclasses import dataclass, field
from typing import Any, Literal


@dataclass(frozen=True)
class Component:
    """One part of the bridge: `status` is ok, failed, starting, disabled or absent; `detail` says why."""

    status: str
    detail: str = ""


@dataclass(frozen=True)
class Health:
    """Whether the bridge keeps its promises: `status` is ok, starting or failed."""

    status: str
    version: str
    components: dict[str, Component]


@dataclass(frozen=True)
class Head:
    """The last event of the log."""

    seq: int
    mac: str


@dataclass(frozen=True)
class MountState:
    """What the bridge knows of its mount; whether the host sees it is for `lighthouse doctor`."""

    enabled: bool
    alive: bool
    target: str | None
    proposals: str | None
    detail: str


@dataclass(frozen=True)
class Status:
    """How the bridge is: `shadow` has files, bytes, version, problems; `store` the log's own figures.

    `validations` are those of judging: policies, verdicts, what is pending; `leases` how many are held;
    `messages` what waits to be acknowledged, and how far the index is.
    """

    status: str
    summary: str
    version: str
    project: str
    started_at: str
    uptime_seconds: float
    rss_bytes: int
    head: Head | None
    subscribers: int
    shadow: dict[str, Any]
    store: dict[str, Any]
    mount: MountState
    components: dict[str, Component]
    validations: dict[str, Any] = field(default_factory=dict)
    leases: dict[str, Any] = field(default_factory=dict)
    messages: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Identity:
    """Whom a token speaks for, or `valid` false and nothing more.

    `kind` is agent (long-lived), session, or console for what a browser's cookie holds.
    """

    valid: bool
    agent_id: str | None = None
    role: str | None = None
    kind: str | None = None
    token_id: str | None = None
    expires_at: str | None = None
    expires_in: float | None = None


@dataclass(frozen=True)
class SessionToken:
    """A short session token and whom it speaks for; `expires_in` is in seconds."""

    token: str = field(repr=False)
    token_id: str
    agent_id: str
    role: str
    expires_at: str
    expires_in: float


@dataclass(frozen=True)
class Revoked:
    """The token that no longer counts, and the event that says so."""

    token_id: str
    seq: int


@dataclass(frozen=True)
class StoredEvent:
    """A receipt: with `seq` and `mac` one can later prove that the log still holds the event."""

    seq: int
    id: str
    ts: str
    mac: str


@dataclass(frozen=True)
class NewEvent:
    """An event to store; refused if the stream's last event (0: none) is not number `expected_seq`."""

    type: str
    data: dict[str, Any]
    stream: str = "default"
    idempotency_key: str | None = None
    expected_seq: int | None = None


@dataclass(frozen=True)
class Event:
    """An event of the log. `mac` authenticates it and `prev`, the mac before it; `kid` names the key."""

    seq: int
    id: str
    ts: str
    type: str
    stream: str
    agent_id: str
    data: dict[str, Any]
    prev: str
    kid: str
    mac: str


@dataclass(frozen=True)
class EventPage:
    """Events in ascending order; `next_cursor` fetches the next page and is null on the last."""

    events: list[Event]
    next_cursor: str | None = None


@dataclass(frozen=True)
class FolderEntry:
    """A name in a folder; `mark` says why a file's content is not captured, `mode` is octal text."""

    name: str
    kind: Literal["file", "folder", "symlink"]
    size: int
    mode: str
    mtime: str
    hash: str
    mark: str | None = None
    name_b64: str | None = None


@dataclass(frozen=True)
class Shadowed:
    """What the shadow holds at a path, in its version `seq`.

    A file has `size`, `sha256` and its bytes from `offset` in `content`; a folder has `entries`; a symlink,
    which is never followed, has `target`.
    """

    path: str
    kind: Literal["file", "folder", "symlink"]
    seq: int
    content: bytes = b""
    offset: int = 0
    size: int = 0
    sha256: str | None = None
    mark: str | None = None
    entries: list[FolderEntry] = field(default_factory=list)
    target: str | None = None
