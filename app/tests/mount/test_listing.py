"""Listings that go on while the folder changes: nothing twice, nothing that stayed left out."""

from hypothesis import given
from hypothesis import strategies as st

from lighthouse.mount.listing import DOTS, KEPT, Listings

names = st.sets(st.binary(min_size=1, max_size=3), max_size=12)


@given(st.lists(st.tuples(names, st.integers(1, 4)), min_size=1, max_size=12), names)
def test_a_listing_across_changes(steps: list[tuple[set[bytes], int]], always: set[bytes]) -> None:
    listings = Listings()
    told: list[bytes] = []
    position = DOTS
    for others, count in [*steps, (set(), 1000)]:
        folder = frozenset(others | always)
        for at, name in list(listings.after(1, folder, position))[:count]:
            position = at
            told.append(name)
    assert len(told) == len(set(told))
    assert always <= set(told)


@given(names)
def test_positions_grow_and_leave_room_for_the_dots(folder: set[bytes]) -> None:
    positions = [position for position, _ in Listings().after(1, folder, 0)]
    assert positions == sorted(set(positions))
    assert all(DOTS < position < 1 << 63 for position in positions)


@given(names.filter(bool), st.data())
def test_what_follows_a_name(folder: set[bytes], data: st.DataObject) -> None:
    listings = Listings()
    order = [name for _, name in listings.after(1, folder, 0)]
    name = data.draw(st.sampled_from(order))
    assert list(listings.following(1, folder, name)) == order[order.index(name) + 1 :]


def test_folders_that_were_listed_long_ago_are_forgotten() -> None:
    listings = Listings()
    for number in range(KEPT * 3):
        list(listings.after(number, {b"a"}, 0))
    assert len(listings._orders) == KEPT
