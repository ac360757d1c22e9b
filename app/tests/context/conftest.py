"""A log, a shadow over a small project, and the contexts of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lighthouse.annotations import Annotations
from lighthouse.config import Settings
from lighthouse.context import Contexts
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing
from lighthouse.shadow import Shadow


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three sources, a test, a link, an executable."""
    folder = tmp_path / "project"
    for name in ("src/main.py", "src/deep/lamp.py", "src/deep/notes.txt", "tests/test_main.py", "README.md"):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"this is {name}\n")
    (folder / "src" / "main.py").chmod(0o755)
    (folder / "src" / "link").symlink_to("main.py")
    return folder


@pytest.fixture
async def events(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    store = EventStore.open(tmp_path / "state", keyring)
    yield store
    await store.close()


@pytest.fixture
async def shadow(tmp_path: Path, project: Path, events: EventStore) -> AsyncIterator[Shadow]:
    made = Shadow(project, tmp_path / "state", events, Settings())
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def annotations(shadow: Shadow, events: EventStore) -> AsyncIterator[Annotations]:
    made = Annotations(shadow, events)
    await made.start()
    yield made
    await made.close()


@pytest.fixture
async def contexts(shadow: Shadow, events: EventStore, annotations: Annotations) -> Contexts:
    made = Contexts(shadow, events, annotations)
    await made.load()
    return made
