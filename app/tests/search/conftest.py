"""A shadow over a folder of this test's own, and the search of it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from lighthouse.config import Settings
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing
from lighthouse.search import Search
from lighthouse.shadow import Shadow

MakeShadow = Callable[..., Awaitable[Shadow]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """An empty folder, to be filled before the search is made."""
    folder = tmp_path / "project"
    folder.mkdir()
    return folder


@pytest.fixture
async def make_shadow(tmp_path: Path, project: Path, keyring: KeyRing) -> AsyncIterator[MakeShadow]:
    """`await make_shadow(**settings)`: the project as captured now; once in a test."""
    store = EventStore.open(tmp_path / "state", keyring)
    made: list[Shadow] = []

    async def make(**settings: object) -> Shadow:
        shadow = Shadow(project, tmp_path / "state", store, Settings(**settings))  # type: ignore[arg-type]
        await shadow.start()
        made.append(shadow)
        return shadow

    yield make
    for shadow in made:
        await shadow.close()
    await store.close()


@pytest.fixture
async def shadow(make_shadow: MakeShadow) -> Shadow:
    """The project as the test's own fixtures filled it."""
    return await make_shadow()


@pytest.fixture
async def search(shadow: Shadow) -> AsyncIterator[Search]:
    """The search of `shadow`."""
    made = Search(shadow)
    yield made
    await made.close()
