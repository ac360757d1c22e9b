"""A project folder, an event store, and two ways to capture: passes by hand, or a shadow that follows."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from lighthouse.config import Settings
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing
from lighthouse.paths import ProjectPath
from lighthouse.shadow import Shadow
from lighthouse.shadow.capture import Capture, Passed
from lighthouse.shadow.entry import Entry
from lighthouse.shadow.folder import Folder
from lighthouse.shadow.reader import ContentReader


class ByHand:
    """Passes over a project, one at a time, each followed by its recording as `Shadow.scan` does it."""

    def __init__(self, project: Path, state: Path, settings: Settings) -> None:
        self.project = project
        self.capture = Capture(project, state, settings)
        self.reader = ContentReader(state)
        self.tree: Folder | None = None
        self.files_read = 0

    def scan(self, *, everything: bool = False) -> Passed:
        passed = self.capture.scan(self.tree, everything)
        self.capture.record((), passed.stamps)
        self.tree = passed.tree
        self.files_read = passed.files_read
        return passed

    def entries(self) -> dict[bytes, Entry]:
        """Every entry by its path."""
        assert self.tree is not None
        return {b"/".join(path): entry for path, entry in flat(self.tree)}

    def content(self, path: bytes) -> bytes:
        entry = self.entries()[path]
        return self.reader.read(entry.hash, 0, entry.size)

    def close(self) -> None:
        self.reader.close()
        self.capture.close()


def flat(tree: Folder) -> Iterator[tuple[ProjectPath, Entry]]:
    for path, folder in tree.walk():
        for name, entry in folder.entries.items():
            yield (*path, name), entry


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder to be captured."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
def state(tmp_path: Path) -> Path:
    """The folder of the event store and the content store."""
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def make_capture(project: Path, state: Path) -> Iterator[Callable[..., ByHand]]:
    """`make_capture(**settings)`: the project, captured by hand."""
    made: list[ByHand] = []

    def make(**settings: object) -> ByHand:
        made.append(ByHand(project, state, Settings(**settings)))  # type: ignore[arg-type]
        return made[-1]

    yield make
    for capture in made:
        capture.close()


@pytest.fixture
def capture(make_capture: Callable[..., ByHand]) -> ByHand:
    """The project, captured by hand with the usual settings."""
    return make_capture()


@pytest.fixture
async def events(state: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    """The event store in `state`."""
    store = EventStore.open(state, keyring)
    yield store
    await store.close()


MakeShadow = Callable[..., Awaitable[Shadow]]


@pytest.fixture
async def make_shadow(project: Path, state: Path, events: EventStore) -> AsyncIterator[MakeShadow]:
    """`await make_shadow(**settings)`: a started shadow; it is closed at the end unless the test did."""
    async with AsyncExitStack() as stack:

        async def make(**settings: object) -> Shadow:
            shadow = Shadow(project, state, events, Settings(**settings))  # type: ignore[arg-type]
            await shadow.start()
            closed: list[bool] = []
            close = shadow.close

            async def once() -> None:
                if not closed:
                    closed.append(True)
                    await close()

            shadow.close = once  # type: ignore[method-assign]
            stack.push_async_callback(once)
            return shadow

        yield make
