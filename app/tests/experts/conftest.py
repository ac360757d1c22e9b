"""A registry on a real store, with a clock that a test turns by hand."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import msgspec
import pytest

from lighthouse.events import EventStore
from lighthouse.experts import Experts
from lighthouse.keys import KeyRing
from lighthouse.mailbox import Mail

EXPERT_SECONDS = 30.0


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(tmp_path: Path, keyring: KeyRing) -> Iterator[EventStore]:
    store = EventStore.open(tmp_path / "events", keyring)
    yield store
    store.close_sync()


@pytest.fixture
def mail() -> Mail:
    return Mail()


Begin = Callable[[], Awaitable[Experts]]


@pytest.fixture
async def begin(store: EventStore, mail: Mail, clock: Clock) -> AsyncIterator[Begin]:
    """`await begin()`: the registry as after a start of the bridge; the one before counts no more."""
    async with AsyncExitStack() as stack:

        async def started() -> Experts:
            experts = Experts(store, mail, EXPERT_SECONDS, msgspec.to_builtins, clock)
            await experts.start()
            stack.push_async_callback(experts.close)
            return experts

        yield started


@pytest.fixture
async def experts(begin: Begin) -> Experts:
    return await begin()
