"""Who waits goes on when it happens, when the time is over, or when all are let go."""

import asyncio

from lighthouse.casework import Waiters


async def test_all_go_on_when_it_happens() -> None:
    waiters = Waiters()
    waiting = [asyncio.create_task(waiters.wait(60)) for _ in range(3)]
    await asyncio.sleep(0)
    assert len(waiters) == 3
    waiters.wake()
    await asyncio.wait_for(asyncio.gather(*waiting), 5)
    assert len(waiters) == 0


async def test_each_has_a_bound_of_its_own() -> None:
    waiters = Waiters()
    patient = asyncio.create_task(waiters.wait(60))
    await waiters.wait(0.01)
    await waiters.wait(0)
    assert not patient.done()
    waiters.wake()
    await patient


async def test_who_goes_away_is_forgotten() -> None:
    waiters = Waiters()
    waiting = asyncio.create_task(waiters.wait(60))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.wait({waiting})
    assert len(waiters) == 0


async def test_after_a_release_nobody_waits() -> None:
    waiters = Waiters()
    waiting = asyncio.create_task(waiters.wait(60))
    await asyncio.sleep(0)
    waiters.release()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(waiters.wait(60), 5)
