"""What the tests of every room share: a key ring, and waiting with a bound instead of sleeping."""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

import pytest

from lighthouse.keys import KeyRing

TEST_SECRET = b"only-for-tests-0123456789-abcdef"

WaitFor = Callable[..., Awaitable[None]]


@pytest.fixture
def keyring() -> KeyRing:
    """Keys of a fixed secret of 32 bytes."""
    return KeyRing(TEST_SECRET)


@pytest.fixture
def wait_for() -> WaitFor:
    """`await wait_for(condition, timeout=10)`: until `condition()` (plain or async) is true; fails at the bound."""

    async def wait(condition: Callable[[], object], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        end = time.monotonic() + timeout
        while True:
            outcome = condition()
            if inspect.isawaitable(outcome):
                outcome = await outcome
            if outcome:
                return
            if time.monotonic() > end:
                pytest.fail(f"waited {timeout} s in vain")
            await asyncio.sleep(0.005)

    return wait
