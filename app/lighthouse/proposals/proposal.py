"""One proposal: who made it, on which version, how it stands, and its tree."""

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from lighthouse.events import BRIDGE
from lighthouse.proposals.overlay import Overlay

State = Literal["open", "applied", "withdrawn"]


@dataclass(frozen=True, slots=True)
class Closing:
    """How a proposal ended. The patch and the list of files, in JSON, are contents by hash."""

    seq: int
    at: str
    agent_id: str
    reason: str
    patch: bytes
    files: bytes


@dataclass(slots=True, eq=False)
class Proposal:
    """`base` is the version's sequence number. `agent`: who made it over the API; None for a mere mkdir.

    `uid`: the user whose changes in the mount are the agent's. `overlay` is None once it is closed.
    `writers`: how many changes each user made. `turn` is held by whoever changes it. `unsure`: the log may
    hold a change that is not in the tree, for it was in doubt whether it was stored. `last_seq`: its last
    event.
    """

    name: str
    base: int
    title: str
    agent: str | None
    uid: int | None
    created_seq: int
    created_at: str
    overlay: Overlay | None
    state: State = "open"
    closing: Closing | None = None
    writers: Counter[int] = field(default_factory=Counter)
    turn: asyncio.Lock = field(default_factory=asyncio.Lock)
    unsure: bool = False
    last_seq: int = 0

    @property
    def tree(self) -> Overlay:
        """The tree of an open proposal."""
        if self.overlay is None:
            raise RuntimeError(f"the proposal {self.name} is {self.state}")
        return self.overlay

    def agent_of(self, uid: int) -> str | None:
        """The agent whose changes those of user `uid` are, where one is bound."""
        return self.agent if uid == self.uid else None

    def author(self, uid: int) -> str:
        """In whose name an event about a change by `uid` is stored."""
        return self.agent_of(uid) or BRIDGE
