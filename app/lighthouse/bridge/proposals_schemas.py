"""What goes over the wire about proposals."""

from typing import Annotated, Literal

import msgspec

from lighthouse.bridge.schemas import Request

Name = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=100, extra_json_schema={"pattern": "^[A-Za-z][A-Za-z0-9._-]{0,99}$"}
    ),
]
State = Literal["open", "applied", "withdrawn"]


class ProposalCreate(Request):
    """`base` is a moment; without it the present. What user `uid` does in the mount is the agent's own."""

    name: Name
    base: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    title: Annotated[str, msgspec.Meta(max_length=200)] = ""
    uid: Annotated[int, msgspec.Meta(ge=0, le=2**32 - 2)] | None = None


class ProposalEnd(Request):
    """`reason` says why it is withdrawn."""

    reason: Annotated[str, msgspec.Meta(max_length=500)] = ""


class ProposalAct(Request):
    """Nothing has to be said."""


class ProposalList(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which proposals are listed; without it all."""

    state: State | None = None


class ProposalSummary(msgspec.Struct, omit_defaults=True):
    """`base` is the version it is made on, `behind` how many came after; `agent_id` and `uid` who made it.

    `entries` and `bytes` count against the quota. `writers`: how many changes each user made. Of an ended one
    `ended_at`, `ended_by` and `reason` (`found`: the project was seen to match) say how.
    """

    name: str
    state: State
    title: str
    base: int
    behind: int
    created_at: str
    created_seq: int
    entries: int
    bytes: int
    writers: dict[str, int]
    agent_id: str | None = None
    uid: int | None = None
    path: str | None = None
    ended_at: str | None = None
    ended_by: str | None = None
    reason: str | None = None


class ProposalStanding(msgspec.Struct):
    """How it stands after what was done to it by event `seq`."""

    name: str
    state: State
    base: int
    seq: int


class ProposalFile(msgspec.Struct, omit_defaults=True):
    """A file or link that it changes. `old_path`: where it was before a rename. Modes are octal text.

    `uid`: the user who changed it last; absent of what is gone.
    """

    path: str
    op: Literal["created", "modified", "deleted", "renamed", "mode"]
    kind: Literal["file", "folder", "symlink"]
    size: int
    path_b64: str | None = None
    old_path: str | None = None
    old_path_b64: str | None = None
    old_mode: str | None = None
    mode: str | None = None
    hash: str | None = None
    uid: int | None = None


class Proposals(msgspec.Struct):
    """The oldest first."""

    proposals: list[ProposalSummary]


class ProposalShown(msgspec.Struct):
    """The first `files` of `total` that it changes."""

    proposal: ProposalSummary
    files: list[ProposalFile]
    total: int
