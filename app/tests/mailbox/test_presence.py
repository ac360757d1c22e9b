"""Who is there: by an open request, by one not long ago, and for a moment after a start."""

import pytest

from lighthouse.mailbox import Presence
from lighthouse.mailbox.presence import GRACE_SECONDS, HEARD_SECONDS, MAX_KNOWN


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def presence(clock: Clock) -> Presence:
    """A presence whose start was long ago."""
    presence = Presence(clock)
    clock.now += 10_000
    return presence


def test_a_request_counts_for_a_minute_and_then_there_is_a_grace(presence: Presence, clock: Clock) -> None:
    assert not presence.alive("ann")
    presence.heard("ann")
    clock.now += HEARD_SECONDS - 1
    assert presence.alive("ann")
    clock.now += 2
    assert not presence.alive("ann")
    assert not presence.gone("ann")
    clock.now += GRACE_SECONDS
    assert presence.gone("ann")
    presence.heard("ann")
    assert presence.alive("ann")


def test_an_open_request_counts_as_long_as_its_connection(presence: Presence, clock: Clock) -> None:
    up = True
    with presence.during("ann", lambda: up):
        clock.now += 5000
        assert presence.alive("ann")
        up = False
        assert presence.absent("ann") == 0
        clock.now += GRACE_SECONDS - 1
        assert not presence.alive("ann")
        assert not presence.gone("ann")
        clock.now += 1
        assert presence.gone("ann")
    assert presence.gone("ann")


def test_the_end_of_a_long_request_is_the_beginning_of_the_grace(presence: Presence, clock: Clock) -> None:
    with presence.during("ann", lambda: True), presence.during("ann", lambda: True):
        clock.now += 5000
    clock.now += GRACE_SECONDS - 1
    assert not presence.gone("ann")
    clock.now += 1
    assert presence.gone("ann")


def test_a_start_gives_everybody_time_to_come_back(clock: Clock) -> None:
    presence = Presence(clock)
    clock.now += HEARD_SECONDS + GRACE_SECONDS - 1
    assert not presence.gone("ann")
    clock.now += 1
    assert presence.gone("ann")


def test_it_keeps_no_one_for_ever(presence: Presence, clock: Clock) -> None:
    for number in range(MAX_KNOWN):
        presence.heard(f"agent-{number}")
    clock.now += HEARD_SECONDS + 1
    presence.heard("ann")
    assert len(presence._until) == 1
    assert presence.alive("ann")
