"""What goes over the wire: one struct per request and answer, from which the checks and openapi.json come.

Requests refuse fields they do not know; `agent_id` in a body has to be the token's own agent.
"""

from typing import Annotated, Any, Literal

import msgspec

MAX_SESSION_SECONDS = 24 * 3600
MAX_BATCH = 1000

Seconds = Annotated[int, msgspec.Meta(ge=1, le=MAX_SESSION_SECONDS)]
Moment = Annotated[str, msgspec.Meta(max_length=64, extra_json_schema={"format": "date-time"})]
Sequence = Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
At = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
"""A moment of the project: a sequence number, an RFC 3339 time, a snapshot's name, or `current`."""
Token = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]
EventType = Annotated[
    str,
    msgspec.Meta(extra_json_schema={"pattern": r"^[a-z][a-z0-9_]*(\.[a-z0-9_]+)+$", "maxLength": 100}),
]
"""Told in the description only: the store judges it, and says more about what is wrong."""


class Request(msgspec.Struct, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Common to all requests."""

    agent_id: str | None = None


# -- sessions --


class SessionCreate(Request):
    ttl_seconds: Seconds = 3600


class SessionCreated(msgspec.Struct):
    """`expires_in` is in seconds, for callers whose clock is not the bridge's."""

    token: str
    token_id: str
    agent_id: str
    role: str
    expires_at: str
    expires_in: float


class SessionValidate(Request):
    """Without a token the one that the request itself carries is looked at."""

    token: Token | None = None


class SessionValidity(msgspec.Struct):
    """The other fields are null when `valid` is false."""

    valid: bool
    agent_id: str | None = None
    role: str | None = None
    kind: Literal["agent", "session", "console"] | None = None
    token_id: str | None = None
    expires_at: str | None = None
    expires_in: float | None = None


class SessionRevoke(Request):
    """Names a token by itself or by its id; with neither, the one that the request itself carries."""

    token: Token | None = None
    token_id: Word | None = None
    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class SessionRevoked(msgspec.Struct):
    """`seq` is the event that holds it; revoking what is revoked already answers the first event's."""

    token_id: str
    seq: int


# -- events --


class EventStore(Request):
    """One event to append. The store judges `type`, `stream`, depth and size."""

    type: EventType
    data: dict[str, Any]
    stream: str = "default"
    idempotency_key: Word | None = None
    expected_seq: Sequence | None = None


class EventBatch(Request):
    """Several events, all or none."""

    events: Annotated[list[EventStore], msgspec.Meta(min_length=1, max_length=MAX_BATCH)]


class EventStored(msgspec.Struct):
    """A receipt: who keeps `seq` and `mac` can later prove that the log still holds the event."""

    seq: int
    id: str
    ts: str
    mac: str


class EventRecord(msgspec.Struct):
    """An event as it is read back."""

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


class EventQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """The parameters of a query. `type` may end in `.*`; `to_seq` is included, `until` is not."""

    agent_id: Word | None = None
    type: Word | None = None
    stream: Word | None = None
    from_seq: Sequence | None = None
    to_seq: Sequence | None = None
    since: Moment | None = None
    until: Moment | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 100
    cursor: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None


class EventPage(msgspec.Struct):
    """Events in ascending order; `next_cursor` is null on the last page."""

    events: list[EventRecord]
    next_cursor: str | None


class EventStream(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Where a stream starts: the first event sent is the first with at least this number.

    Without it only what happens from now on is sent.
    """

    from_seq: Sequence | None = None


# -- the shadow --


class ShadowRead(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Without `at` the present is read."""

    at: At | None = None


class FolderEntry(msgspec.Struct, omit_defaults=True):
    """`mode` is octal text such as `0644`; `name_b64` is there when the name is not UTF-8; `mark` says why a
    file's content was not captured."""

    name: str
    kind: Literal["file", "folder", "symlink"]
    size: int
    mode: str
    mtime: str
    hash: str
    mark: str | None = None
    name_b64: str | None = None


class Folder(msgspec.Struct, omit_defaults=True):
    path: str
    kind: Literal["folder"]
    seq: int
    entries: list[FolderEntry]
    path_b64: str | None = None


class Symlink(msgspec.Struct, omit_defaults=True):
    """A link is told, never followed."""

    path: str
    kind: Literal["symlink"]
    seq: int
    target: str
    path_b64: str | None = None
    target_b64: str | None = None


# -- how it goes --

ComponentStatus = Literal["ok", "failed", "starting", "disabled", "absent"]


class Component(msgspec.Struct):
    status: ComponentStatus
    detail: str


class Components(msgspec.Struct):
    event_store: Component
    mount: Component
    policy: Component
    watcher: Component
    confinement: Component


class Health(msgspec.Struct):
    """`status` is `ok` exactly when the answer is 200: every promise can be kept now."""

    status: Literal["ok", "starting", "failed"]
    version: str
    components: Components


class SessionSummary(msgspec.Struct):
    token_id: str
    agent_id: str
    role: str
    expires_at: str


class HeadSummary(msgspec.Struct):
    seq: int
    mac: str


class Confinement(msgspec.Struct):
    """`label` is what the kernel's security module calls this process; `cap_eff` is hexadecimal."""

    label: str | None
    enforced: bool
    cap_eff: str
    no_new_privs: bool
    seccomp: bool
    user_namespace: bool
    read_only_root: bool
    interfaces: list[str]


class MountSummary(msgspec.Struct):
    enabled: bool
    alive: bool
    target: str | None
    # Where the proposals are, on a connection of their own.
    proposals: str | None
    detail: str


class Status(msgspec.Struct):
    """`shadow`, `store`, and from `validations` on, are those rooms' own figures; more of them may come."""

    status: Literal["ok", "starting", "failed"]
    summary: str
    version: str
    pid: int
    started_at: str
    uptime_seconds: float
    rss_bytes: int
    project: str
    head: HeadSummary | None
    store: dict[str, Any]
    sessions: list[SessionSummary]
    subscribers: int
    shadow: dict[str, Any]
    mount: MountSummary
    validations: dict[str, Any]
    collaborations: dict[str, Any]
    elicitations: dict[str, Any]
    leases: dict[str, Any]
    tasks: dict[str, Any]
    messages: dict[str, Any]
    confinement: Confinement
    components: Components
    versions: dict[str, str]


class Problem(msgspec.Struct):
    """RFC 9457. `instance` is the request's id, as in the log and in `X-Request-Id`."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
