"""The answers about proposals."""

from dataclasses import dataclass, field
from typing import Literal

from lighthouse.client.answers_versions import Kind

ProposalState = Literal["open", "applied", "withdrawn"]


@dataclass(frozen=True)
class Proposal:
    """`base` is the version it is made on, `behind` how many came after; `path` its folder in the mount.

    `agent_id` and `uid` made it, or a mere mkdir did (no agent). `reason` says how it ended; `found`: the
    project was seen to match.
    """

    name: str
    state: ProposalState
    title: str
    base: int
    behind: int
    created_at: str
    created_seq: int
    entries: int
    bytes: int
    writers: dict[str, int] = field(default_factory=dict)
    agent_id: str | None = None
    uid: int | None = None
    path: str | None = None
    ended_at: str | None = None
    ended_by: str | None = None
    reason: str | None = None


@dataclass(frozen=True)
class ProposalStanding:
    """How a proposal stands after event `seq`."""

    name: str
    state: ProposalState
    base: int
    seq: int


@dataclass(frozen=True)
class ProposalFile:
    """A file or link that a proposal changes, and the user who did it last; modes are octal text."""

    path: str
    op: Literal["created", "modified", "deleted", "renamed", "mode"]
    kind: Kind
    size: int
    path_b64: str | None = None
    old_path: str | None = None
    old_path_b64: str | None = None
    old_mode: str | None = None
    mode: str | None = None
    hash: str | None = None
    uid: int | None = None


@dataclass(frozen=True)
class ProposalPage:
    """Proposals, the oldest first."""

    proposals: list[Proposal]


@dataclass(frozen=True)
class ShownProposal:
    """A proposal and the first of its `total` changed files."""

    proposal: Proposal
    files: list[ProposalFile]
    total: int
