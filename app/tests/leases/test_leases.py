"""Leases one by one: taken all or none, first come first served, and each way to its end."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from lighthouse.events import Conflict
from lighthouse.leases import (
    BadLease,
    Lease,
    LeaseEnded,
    LeaseTaken,
    MayNotWait,
    NoSuchLease,
    TooManyLeases,
)
from lighthouse.sessions import NotAllowed
from tests.leases.conftest import OLGA, Room, identity

WaitFor = Callable[..., Awaitable[None]]


async def waits(room: Room, agent: str, *paths: str, wait: float = 60.0) -> asyncio.Task[Lease]:
    """Somebody who has come to wait."""
    task = asyncio.create_task(room.take(agent, *paths, wait=wait))
    async with asyncio.timeout(10):
        while not any(lease.agent_id == agent and lease.state == "waiting" for lease in room.leases.all()):
            assert not task.done(), task
            await asyncio.sleep(0.001)
    return task


async def test_what_is_free_is_granted_and_in_the_log(room: Room) -> None:
    lease = await room.take("ann", "src/", "./README.md")
    assert (lease.state, lease.paths) == ("held", ["README.md", "src"])
    (event,) = await room.events()
    assert (event.type, event.agent_id, f"l{event.seq}") == ("lease.granted", "ann", lease.id)
    assert [one.id for one in room.leases.all()] == [lease.id]
    assert room.leases.status()["held"] == 1


async def test_all_or_none(room: Room) -> None:
    held = await room.take("ann", "src/a.py")
    with pytest.raises(LeaseTaken, match=rf"src is leased by ann \({held.id}\) until \d{{4}}-"):
        await room.take("bob", "docs", "src")
    await room.take("kim", "docs")


@pytest.mark.parametrize(
    ("held", "wanted", "free"),
    [
        ("src", "src/deep/a.py", False),
        ("src/deep/a.py", "src", False),
        ("src/a.py", "src/b.py", True),
        ("*.py", "src/deep/a.py", False),
        ("*.py", "src/a.md", False),  # it may be a folder with Python in it
        ("src/*.py", "docs", True),
        ("src/*.py", "src/test_*", False),
        ("src/*.py", "src/*.md", True),
        (".", "anything", False),
        ("src/**", "src", False),
    ],
)
async def test_what_overlaps(room: Room, held: str, wanted: str, free: bool) -> None:
    await room.take("ann", held)
    if free:
        await room.take("bob", wanted)
    else:
        with pytest.raises(LeaseTaken):
            await room.take("bob", wanted)


async def test_ones_own_leases_are_in_nobodys_way_but_others(room: Room) -> None:
    await room.take("ann", "src")
    assert (await room.take("ann", "src/a.py")).state == "held"


async def test_links_lead_where_they_lead_for_judging(room: Room) -> None:
    (room.project / "link").symlink_to("src")
    (room.project / "away").symlink_to("/etc")
    assert (await room.take("ann", "link/a.py")).paths == ["src/a.py"]
    assert (await room.take("ann", f"{room.project}/link/*.md")).paths == ["src/*.md"]
    with pytest.raises(BadLease, match="out of the project"):
        await room.take("ann", "away/passwd")


@pytest.mark.parametrize(
    "path", ["", "../x", "/etc/passwd", "!src", "*.{c,h}", "a\\*", "x\n", "a" * 1001, "/"]
)
async def test_paths_that_make_no_sense_are_refused(room: Room, path: str) -> None:
    with pytest.raises(BadLease):
        await room.take("ann", path)
    assert await room.events() == []


async def test_what_lies_beneath_another_path_is_left_out(room: Room) -> None:
    assert (await room.take("ann", "src/a.py", "src", "src/*.md")).paths == ["src"]
    assert (await room.take("ann", "docs/*.md", "docs/a.md")).paths == ["docs/*.md", "docs/a.md"]


async def test_who_waits_is_served_in_the_order_of_asking(room: Room) -> None:
    first = await room.take("ann", "src")
    bob = await waits(room, "bob", "src/a.py")
    kim = await waits(room, "kim", "src")
    with pytest.raises(LeaseTaken, match="is waited for by kim"):
        await room.take("lee", "src/b.py")
    assert (await room.take("lee", "docs")).state == "held"
    await room.leases.release(first.id, identity("ann"))
    granted = await bob
    assert granted.state == "held"
    assert not kim.done()
    await room.leases.release(granted.id, identity("bob"))
    assert (await kim).state == "held"


async def test_who_waited_is_told_by_letter(room: Room) -> None:
    first = await room.take("ann", "src")
    bob = await waits(room, "bob", "src")
    assert room.told("bob") == []
    await room.leases.release(first.id, identity("ann"))
    lease = await bob
    assert room.told("bob") == [("lease.granted", lease.id)]
    assert room.told("ann") == []


async def test_a_wait_that_is_over(room: Room) -> None:
    await room.take("ann", "src", seconds=5000)
    bob = await waits(room, "bob", "src", wait=20)
    room.presence.heard("bob")
    await room.look(21)
    with pytest.raises(LeaseTaken, match="not free within 20 s: src is leased by ann"):
        await bob
    assert [event.type for event in await room.events()][-1] == "lease.given_up"


async def test_who_holds_does_not_wait_and_who_waits_takes_no_other(room: Room) -> None:
    """So nobody waits for somebody who waits for them."""
    await room.take("ann", "src")
    await room.take("bob", "docs")
    with pytest.raises(MayNotWait, match="src is leased by ann"):
        await room.take("bob", "src", wait=10)
    kim = await waits(room, "kim", "src")
    with pytest.raises(MayNotWait):
        await room.take("kim", "other")
    await room.leases.release(room.leases.all(agent_id="kim")[0].id, identity("kim"))
    with pytest.raises(LeaseEnded, match="given up by kim"):
        await kim


async def test_an_expired_lease_is_free_for_the_next(room: Room) -> None:
    lease = await room.take("ann", "src", seconds=60)
    bob = await waits(room, "bob", "src", wait=100)
    room.clock.ahead += 30
    for agent in ("ann", "bob"):
        room.presence.heard(agent)
    await room.look()
    assert ("lease.ending", lease.id) in room.told("ann")
    await room.look(29)
    assert not bob.done()
    await room.look(1.5)
    assert (await bob).state == "held"
    assert (await room.leases.get(lease.id)).state == "expired"
    assert room.told("ann") == [("lease.ended", lease.id)]


async def test_renewing_moves_the_end(room: Room) -> None:
    lease = await room.take("ann", "src", seconds=60)
    room.clock.ahead += 50
    renewed = await room.leases.renew(lease.id, identity("ann"), 100)
    assert renewed.deadline == pytest.approx(room.clock() + 100, abs=5)
    room.presence.heard("ann")
    await room.look(50)
    assert room.told("ann") == [("lease.ending", lease.id)]
    with pytest.raises(NotAllowed):
        await room.leases.renew(lease.id, identity("bob"), 100)
    room.presence.heard("ann")
    await room.look(60)
    with pytest.raises(LeaseEnded, match="expired"):
        await room.leases.renew(lease.id, identity("ann"), 100)


async def test_no_lease_is_renewed_for_ever(room: Room) -> None:
    lease = await room.take("ann", "src", seconds=86400)
    for _ in range(7):
        room.clock.ahead += 86000
        room.presence.heard("ann")
        await room.leases.renew(lease.id, identity("ann"), 86400)
    room.clock.ahead += 86000
    room.presence.heard("ann")
    with pytest.raises(LeaseEnded):
        await room.leases.renew(lease.id, identity("ann"), 86400)


async def test_it_ends_with_its_holder(room: Room) -> None:
    lease = await room.take("ann", "src", seconds=5000)
    await room.look(80)
    assert (await room.leases.get(lease.id)).state == "held"
    await room.look(11)
    assert (await room.leases.get(lease.id)).state == "left"
    assert room.told("ann") == [("lease.ended", lease.id)]
    (event,) = [one for one in await room.events() if one.type == "lease.left"]
    assert event.agent_id == "lighthouse"


async def test_one_that_stays_does_not(room: Room) -> None:
    lease = await room.leases.take("olga", ["src"], 5000, stays=True)
    await room.look(200)
    assert (await room.leases.get(lease.id)).state == "held"


async def test_an_operator_revokes_and_the_holder_is_told(room: Room) -> None:
    lease = await room.take("ann", "src")
    with pytest.raises(NotAllowed):
        await room.leases.revoke(lease.id, identity("bob"), "mine")
    ended = await room.leases.revoke(lease.id, OLGA, "release day")
    assert (ended.state, ended.ended_by, ended.ended_reason) == ("revoked", "olga", "release day")
    assert room.told("ann") == [("lease.ended", lease.id)]
    with pytest.raises(LeaseEnded):
        await room.leases.release(lease.id, identity("ann"))
    await room.again()
    assert room.told("ann") == [("lease.ended", lease.id)]
    await room.look(3700)
    assert room.told("ann") == []


async def test_a_waiter_whose_wait_is_revoked_hears_by_whom(room: Room) -> None:
    await room.take("ann", "src")
    bob = await waits(room, "bob", "src")
    await room.leases.revoke(room.leases.all(agent_id="bob")[0].id, OLGA, "not today")
    with pytest.raises(LeaseEnded, match="revoked by olga: not today"):
        await bob


async def test_a_restart_forgets_nothing(room: Room) -> None:
    held = await room.take("ann", "src")
    renewed = await room.leases.renew(held.id, identity("ann"), 5000)
    bob = await waits(room, "bob", "src")
    before = room.leases.all()
    await room.again()
    assert (await bob).state == "waiting"
    assert room.leases.all() == before
    assert before[0] == renewed
    await room.leases.release(held.id, identity("ann"))
    assert [(one.agent_id, one.state) for one in room.leases.all()] == [("bob", "held")]


async def test_the_same_key_is_the_same_lease(room: Room) -> None:
    first = await room.leases.take("ann", ["src"], 900, key="k")
    assert await room.leases.take("ann", ["src/"], 900, key="k") == first
    with pytest.raises(Conflict):
        await room.leases.take("ann", ["docs"], 900, key="k")
    assert (await room.leases.take("bob", ["docs"], 900, key="k")).id != first.id
    await room.again()
    assert (await room.leases.take("ann", ["src"], 900, key="k")).id == first.id
    await room.leases.release(first.id, identity("ann"))
    assert (await room.leases.take("ann", ["src"], 900, key="k")).state == "released"


async def test_bounds(room: Room) -> None:
    for number in range(50):
        await room.take("ann", f"a{number}")
    with pytest.raises(TooManyLeases):
        await room.take("ann", "more")
    for paths in (map(str, range(51)), (f"{number}/*.x" for number in range(11))):
        with pytest.raises(BadLease):
            await room.take("bob", *paths)
    for number in range(10):
        await room.take(f"bob{number}", *(f"b{number}{one}/*.x" for one in range(10)))
    with pytest.raises(TooManyLeases):
        await room.take("kim", "c/*.x")
    for number in range(17):
        await room.take(f"lee{number}", *(f"l{number}.{one}" for one in range(50)))
    with pytest.raises(TooManyLeases):
        await room.take("kim", "c")


async def test_what_ended_long_ago_is_read_from_the_log(room: Room) -> None:
    lease = await room.take("ann", "src")
    await room.leases.release(lease.id, identity("ann"), "done")
    room.leases._ended._kept.clear()
    found = await room.leases.get(lease.id)
    assert (found.state, found.ended_reason) == ("released", "done")
    for wrong in ("l999", "v1", "lx", ""):
        with pytest.raises(NoSuchLease):
            await room.leases.get(wrong)


async def test_who_holds_a_path(room: Room) -> None:
    lease = await room.take("ann", "src")
    await room.take("bob", "docs")
    assert room.leases.all(path="src/a.py") == [lease]
    assert room.leases.all(agent_id="kim") == []


async def test_who_waits_goes_on_at_a_stop(room: Room) -> None:
    await room.take("ann", "src")
    bob = await waits(room, "bob", "src")
    room.leases.release_waiters()
    assert (await bob).state == "waiting"


async def connect(room: Room, agent: str) -> list[str]:
    """What comes over a new socket, all of it acknowledged."""
    reader = room.mail.open(agent)
    kinds = []
    try:
        while True:
            number, letter = await asyncio.wait_for(reader.next(), 0.05)
            reader.acknowledge(number)
            kinds.append(letter.kind)
    except TimeoutError:
        return kinds
    finally:
        room.mail.close(agent, reader)


async def test_a_renewal_is_no_second_grant(room: Room) -> None:
    held = await room.take("ann", "src")
    waiting = await waits(room, "bob", "src")
    await room.leases.release(held.id, identity("ann"))
    lease = await waiting
    assert await connect(room, "bob") == ["lease.granted"]
    await room.leases.renew(lease.id, identity("bob"), 900)
    assert await connect(room, "bob") == []


async def test_mailboxes_do_not_remember_the_ends_that_were_acknowledged(room: Room) -> None:
    lease = await room.take("ann", "src")
    await room.leases.revoke(lease.id, OLGA, "it is needed")
    assert await connect(room, "ann") == ["lease.ended"]
    assert await connect(room, "ann") == []
    assert not room.mail._boxes
    await room.again()
    assert await connect(room, "ann") == ["lease.ended"], "it is kept in memory alone"
