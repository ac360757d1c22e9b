"""The alarm rings at the next deadline, and again until nothing is past its time."""

import asyncio
from collections.abc import Callable

import pytest

from lighthouse.casework import Alarm, Work, alarm


class Deadlines:
    """A room of which only the deadlines are there; `stuck` ones cannot be ended."""

    def __init__(self, *deadlines: float) -> None:
        self.now = 1000.0
        self.left = list(deadlines)
        self.stuck = False
        self.failing = False
        self.looked = asyncio.Event()
        self.work = Work()
        self.alarm = Alarm(self.look, self.work, lambda: self.now)

    async def look(self) -> float | None:
        self.looked.set()
        if self.failing:
            self.failing = False
            raise OSError("the disk is gone")
        if not self.stuck:
            self.left = [one for one in self.left if one > self.now]
        return min(self.left, default=None)

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(10):
            while not reached():
                self.looked.clear()
                await self.looked.wait()
                await self.work.close()

    async def end(self) -> None:
        self.alarm.close()
        await self.work.close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "RETRY_SECONDS", 0.01)


async def test_it_rings_at_the_next_deadline_and_at_those_after_it() -> None:
    room = Deadlines(1000.02, 1000.04)
    await room.alarm.ring()
    room.now = 1000.03
    await room.until(lambda: room.left == [1000.04])
    room.now = 1000.05
    await room.until(lambda: not room.left)
    await room.end()


async def test_an_earlier_deadline_comes_first() -> None:
    room = Deadlines(2000.0)
    await room.alarm.ring()
    room.left.append(1000.01)
    room.alarm.by(1000.01)
    room.alarm.by(3000.0)
    room.now = 1001.0
    await room.until(lambda: room.left == [2000.0])
    await room.end()


async def test_what_cannot_be_ended_is_tried_again() -> None:
    room = Deadlines(999.0)
    room.stuck = room.failing = True
    await room.alarm.ring()
    await room.until(lambda: not room.failing)
    room.stuck = False
    await room.until(lambda: not room.left)
    await room.end()


async def test_a_clock_that_was_set_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(alarm, "WATCH_SECONDS", 0.01)
    room = Deadlines(1_000_000.0)
    await room.alarm.ring()
    room.now = 1_000_001.0
    await room.until(lambda: not room.left)
    await room.end()


async def test_closed_it_rings_no_more() -> None:
    room = Deadlines(1000.0)
    room.stuck = True
    await room.alarm.ring()
    await room.end()
    room.looked.clear()
    room.alarm.by(1000.0)
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(room.looked.wait(), 0.05)
