"""Token buckets: burst, then rate, one for each caller, in bounded memory."""

import pytest

from lighthouse.bridge import limits
from lighthouse.bridge.limits import RateLimit


class Clock:
    """Time that moves when told."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_a_burst_is_granted_and_then_the_rate(clock: Clock) -> None:
    limit = RateLimit(rate=2, burst=3, clock=clock)
    assert [limit.take("ann") for _ in range(4)] == [0, 0, 0, 0.5]
    clock.now += 0.5
    assert limit.take("ann") == 0
    assert limit.take("ann") == 0.5


def test_waiting_long_gives_no_more_than_the_burst(clock: Clock) -> None:
    limit = RateLimit(rate=10, burst=2, clock=clock)
    limit.take("ann")
    clock.now += 3600
    assert [bool(limit.take("ann")) for _ in range(3)] == [False, False, True]


def test_callers_do_not_spend_each_others(clock: Clock) -> None:
    limit = RateLimit(rate=1, burst=1, clock=clock)
    assert limit.take("ann") == 0
    assert limit.take("ann") > 0
    assert limit.take("bob") == 0


def test_the_caller_heard_of_least_lately_is_forgotten(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_CALLERS", 3)
    limit = RateLimit(rate=1, burst=1, clock=clock)
    for caller in ("a", "b", "a", "c", "d"):
        limit.take(caller)
    assert set(limit._buckets) == {"a", "c", "d"}
