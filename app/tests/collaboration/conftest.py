"""The room on a real store, shadow, proposals and notes, with a clock that a test turns by hand."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lighthouse.annotations import Annotations
from lighthouse.collaboration import Collaboration, Collaborations, Entry
from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query
from lighthouse.keys import KeyRing
from lighthouse.mailbox import Letter, Mail, Reader
from lighthouse.proposals import Proposals
from lighthouse.proposals.node import Folder, Leaf
from lighthouse.sessions import Role
from lighthouse.sessions.tokens import Identity, new_token_id
from lighthouse.shadow import Shadow

ME = 1000
CODE = "def add(a, b):\n    return a - b\n\n\ndef half(a):\n    return a / 2\n"


class Clock:
    """The time of day, moved on when a test says so."""

    def __init__(self) -> None:
        self.ahead = 0.0

    def __call__(self) -> float:
        return time.time() + self.ahead


def identity(agent_id: str, role: Role = Role.AGENT) -> Identity:
    return Identity(agent_id, role, new_token_id(), "agent", time.time() + 3600)


ANN, BEN, CAT, DAN = (identity(name) for name in ("ann", "ben", "cat", "dan"))
OLGA = identity("olga", Role.OPERATOR)


class Room:
    """One run of the room over a folder; `again` is the next one, as after a restart of the bridge."""

    def __init__(self, folder: Path, keyring: KeyRing, clock: Clock) -> None:
        self.folder = folder
        self.project = folder / "project"
        self.project.mkdir(exist_ok=True)
        (self.project / "sums.py").write_text(CODE)
        self.keyring = keyring
        self.clock = clock
        self.settings = Settings(project_path=self.project)

    async def open(self) -> None:
        self.store = EventStore.open(self.folder / "events", self.keyring)
        self.shadow = Shadow(self.project, self.store.folder, self.store, self.settings)
        await self.shadow.start()
        self.annotations = Annotations(self.shadow, self.store)
        await self.annotations.start()
        self.proposals = Proposals(self.shadow, self.store, self.settings)
        await self.proposals.start()
        self.mail = Mail()
        self.collaborations = Collaborations(
            self.store, self.shadow, self.proposals, self.annotations, self.mail, clock=self.clock
        )
        await self.collaborations.start()

    async def close(self) -> None:
        await self.collaborations.close()
        await self.proposals.close()
        await self.annotations.close()
        await self.shadow.close()
        await self.store.close()

    async def again(self) -> None:
        """Stop all, and start it anew."""
        await self.close()
        await self.open()

    async def pair(self, by: Identity = ANN, to: Identity = BEN, *, idle_seconds: int = 3600) -> str:
        """The id of a pair session that was accepted."""
        asked = await self.collaborations.request(by, to.agent_id, "mend add", ["sums.py"], idle_seconds)
        return (await self.collaborations.accept(asked.id, to)).id

    async def team(self, *others: Identity, by: Identity = ANN) -> Collaboration:
        """A collaboration that the others joined."""
        names = [other.agent_id for other in others]
        session = await self.collaborations.begin(by, "how to add", names, [], 3600)
        for other in others:
            await self.collaborations.join(session.id, other)
        return session

    async def propose(self, name: str, content: bytes, *, path: bytes = b"sums.py") -> None:
        """Have a proposal that makes `path` this."""
        known = self.proposals.opened(name)
        proposal = known or await self.proposals.create(name, agent="ann", uid=ME)
        editor, root = self.proposals.editor, proposal.tree.root
        assert isinstance(root, Folder)
        leaf = proposal.tree.lookup(root, path)
        if leaf is None:
            leaf = await editor.create(proposal, root, path, 0o644, ME)
        else:
            assert isinstance(leaf, Leaf)
            await editor.open(leaf, proposal, write=True, empty=True)
        await editor.write(proposal, leaf, 0, content)
        await editor.save(proposal, leaf, ME)
        assert await editor.release(proposal, leaf, ME)

    async def change(self, content: str) -> None:
        """The project itself changes."""
        (self.project / "sums.py").write_text(content)
        await self.shadow.update()

    async def events(self) -> list[Event]:
        """All of the room's events that are part of a record."""
        page = await self.store.query(Query(stream="collaborations", limit=1000))
        assert page.next_cursor is None
        hidden = ("collaboration.delivered", "collaboration.reread")
        return [event for event in page.events if event.type not in hidden]

    async def replay(self, session_id: str, limit: int = 100) -> list[Entry]:
        """The whole record, page by page."""
        entries: list[Entry] = []
        while True:
            after = entries[-1].seq if entries else 0
            page = await self.collaborations.record(session_id, after, limit)
            entries += page.entries
            if page.next_cursor is None:
                return entries
            assert page.next_cursor == f"after-{entries[-1].seq}"


async def waiting(reader: Reader) -> list[tuple[int, Letter]]:
    """What a socket has to send now."""
    return [await reader.next() for _ in range(len(reader._notices) + len(reader._waiting))]


def kinds(letters: Sequence[tuple[int, Letter]]) -> list[tuple[str, str]]:
    return [(letter.kind, letter.id) for _, letter in letters]


Begin = Callable[[], Awaitable[Room]]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def room(tmp_path: Path, keyring: KeyRing, clock: Clock) -> AsyncIterator[Room]:
    """A room that runs."""
    async with AsyncExitStack() as stack:
        started = Room(tmp_path, keyring, clock)
        await started.open()
        stack.push_async_callback(started.close)
        yield started
