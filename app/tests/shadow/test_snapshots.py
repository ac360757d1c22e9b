"""Versions with names: made by events, idempotent, never renamed, and there again after a restart."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from lighthouse.events import EventStore, Query
from lighthouse.shadow import BadMoment, BadNote, NameTaken, NoSuchVersion, Shadow

MakeShadow = Callable[..., Awaitable[Shadow]]


async def test_a_name_for_the_present(project: Path, events: EventStore, make_shadow: MakeShadow) -> None:
    (project / "file").write_text("then")
    shadow = await make_shadow(reconcile_seconds=3600)
    told: list[str] = []
    shadow.snapshots.add_listener(told.append)
    named = await shadow.snapshots.create("start", None, "as it was", agent_id="ann")
    then = shadow.current
    (project / "file").write_text("now")
    await shadow.scan()
    (event,) = (await events.query(Query(stream="snapshots"))).events
    assert (event.type, event.agent_id) == ("snapshot.created", "ann")
    assert event.value == {"name": "start", "seq": then.seq, "root": then.root.hex(), "note": "as it was"}
    assert (named.seq, named.root, named.agent_id, named.note) == (then.seq, then.root, "ann", "as it was")
    assert named.created_at == event.ts
    assert told == ["start"]
    assert shadow.moment("start").seq == then.seq != shadow.current.seq
    entry = shadow.moment("start").lookup((b"file",))
    assert entry is not None
    assert shadow.read(entry.hash, 0, 10) == b"then"


async def test_the_same_again_is_the_same_and_another_is_refused(
    project: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    create = shadow.snapshots.create
    first = await create("start", agent_id="ann")
    assert await create("start", "current", "other words", agent_id="ben") == first
    # a later number that stands for the same version
    assert await create("start", str(events.head.seq), agent_id="ben") == first
    (project / "file").touch()
    await shadow.scan()
    with pytest.raises(NameTaken, match=f"version {first.seq}"):
        await create("start", agent_id="ann")
    assert len((await events.query(Query(stream="snapshots"))).events) == 1


async def test_many_at_once_make_one(events: EventStore, make_shadow: MakeShadow) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    made = await asyncio.gather(*(shadow.snapshots.create("one", agent_id="ann") for _ in range(20)))
    assert len(set(made)) == 1
    assert len((await events.query(Query(stream="snapshots"))).events) == 1


async def test_what_is_refused_leaves_nothing(events: EventStore, make_shadow: MakeShadow) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    head = events.head
    with pytest.raises(BadMoment):
        await shadow.snapshots.create("12", agent_id="ann")
    with pytest.raises(NoSuchVersion):
        await shadow.snapshots.create("x", "nobody", agent_id="ann")
    with pytest.raises(BadNote):
        await shadow.snapshots.create("x", None, "n" * 2001, agent_id="ann")
    assert (events.head, shadow.snapshots.all()) == (head, [])


async def test_they_are_there_again_after_a_restart(project: Path, make_shadow: MakeShadow) -> None:
    first = await make_shadow(reconcile_seconds=3600)
    for name in ("b", "a"):
        (project / name).touch()
        await first.scan()
        await first.snapshots.create(name, agent_id="ann")
    made = first.snapshots.all()
    assert [named.name for named in made] == ["b", "a"]
    await first.close()
    second = await make_shadow(reconcile_seconds=3600)
    assert second.snapshots.all() == made
    assert second.moment("b").root == made[0].root


async def test_a_snapshot_of_a_snapshot_is_the_same_version(make_shadow: MakeShadow, project: Path) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    first = await shadow.snapshots.create("first", agent_id="ann")
    (project / "file").touch()
    await shadow.scan()
    assert (await shadow.snapshots.create("again", "first", agent_id="ann")).seq == first.seq


async def test_a_failing_listener_stops_nothing(make_shadow: MakeShadow) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    told: list[str] = []

    def fail(_: str) -> None:
        raise RuntimeError("no")

    shadow.snapshots.add_listener(fail)
    shadow.snapshots.add_listener(told.append)
    await shadow.snapshots.create("one", agent_id="ann")
    assert told == ["one"]
