"""Work ends before its room closes, whoever asked for it."""

import asyncio

import pytest

from lighthouse.casework import Work


async def test_it_goes_on_when_its_caller_goes_away() -> None:
    work, go, done = Work(), asyncio.Event(), []

    async def one() -> None:
        await go.wait()
        done.append(1)

    caller = asyncio.create_task(work.finished(one()))
    await asyncio.sleep(0)
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    go.set()
    await asyncio.wait_for(work.close(), 5)
    assert done == [1]


async def test_its_caller_is_told() -> None:
    work = Work()

    async def fails() -> None:
        raise ValueError("no")

    async def gives() -> int:
        return 3

    assert await work.finished(gives()) == 3
    with pytest.raises(ValueError, match="no"):
        await work.finished(fails())
    work.spawn(fails())
    await work.close()


async def test_what_work_begins_is_awaited_too() -> None:
    work, done = Work(), []

    async def last() -> None:
        await asyncio.sleep(0)
        done.append(1)

    async def first() -> None:
        await asyncio.sleep(0)
        work.spawn(last())

    work.spawn(first())
    await asyncio.wait_for(work.close(), 5)
    assert done == [1]
