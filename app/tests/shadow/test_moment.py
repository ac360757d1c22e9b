"""A moment of the project, however it is written, is one version or a precise refusal."""

import sqlite3
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.events import BRIDGE, Draft, EventStore, Query
from lighthouse.events.event import timestamp
from lighthouse.shadow import BadMoment, NoSuchVersion, Shadow, moment
from lighthouse.shadow.contents import Version

MakeShadow = Callable[..., Awaitable[Shadow]]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (None, moment.Present()),
        ("current", moment.Present()),
        ("0", moment.Number(0)),
        ("0012", moment.Number(12)),
        ("2026-11-23T10:00:00Z", moment.Time("2026-11-23T10:00:00.000000Z")),
        ("2026-11-23t10:00:00.5z", moment.Time("2026-11-23T10:00:00.500000Z")),
        ("2026-11-23 12:00:00.123456789+02:00", moment.Time("2026-11-23T10:00:00.123456Z")),
        ("before-refactor_1.0", moment.Name("before-refactor_1.0")),
        ("v", moment.Name("v")),
    ],
)
def test_what_a_text_means(text: str | None, meant: moment.Moment) -> None:
    assert moment.parse(text) == meant


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-1",
        "1.5",
        "٣",
        "9" * 19,
        "2026-11-23",
        "2026-11-23T10:00:00",
        "2026-13-23T10:00:00Z",
        "2026-11-23T25:00:00Z",
        "0001-01-01T00:00:00+23:59",
        "a/b",
        "a b",
        ".a",
        "größe",
        "a" * 101,
        "a\n",
    ],
)
def test_what_no_moment_is(text: str) -> None:
    with pytest.raises(BadMoment):
        moment.parse(text)


@given(st.datetimes(timezones=st.just(UTC)), st.integers(-23, 23))
def test_a_time_in_any_zone_is_the_same_moment(when: datetime, hours: int) -> None:
    try:
        there = when.astimezone(timezone(timedelta(hours=hours)))
    except OverflowError:
        return
    assert moment.parse(there.isoformat()) == moment.Time(timestamp(when))


@pytest.mark.parametrize(
    "name", ["current", "12", "2026-11-23T10:00:00Z", "", "a/b", ".", "..", "-x", "a" * 101]
)
def test_what_cannot_be_a_snapshots_name(name: str) -> None:
    with pytest.raises(BadMoment):
        moment.check_name(name)


async def test_a_version_is_found_by_number_and_by_every_time_up_to_the_next(
    project: Path, events: EventStore, make_shadow: MakeShadow
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    for number in range(5):
        await events.append([Draft("note.added", {"n": number})], agent_id="ann")
        (project / "file").write_text(str(number))
        await shadow.scan()
    found = (await events.query(Query(stream="shadow"))).events
    for event, following in zip(found, [*found[1:], None], strict=True):
        wanted = (event.seq, bytes.fromhex(event.value["root"]))
        instants = [event.ts] if following is None else [event.ts, just_before(following.ts)]
        for text in (str(event.seq), *instants):
            version = shadow.moment(text)
            assert (version.seq, version.root) == wanted
    assert (
        shadow.moment(None)
        is shadow.moment("current")
        is shadow.moment(str(events.head.seq))
        is shadow.current
    )


def just_before(ts: str) -> str:
    return timestamp(datetime.fromisoformat(ts) - timedelta(microseconds=1))


async def test_what_is_no_version(events: EventStore, make_shadow: MakeShadow) -> None:
    await events.append([Draft("note.added", {})], agent_id="ann")
    shadow = await make_shadow(reconcile_seconds=3600)
    for text, reason in [
        ("0", "nothing was captured as early as event 0"),
        ("1", "nothing was captured as early as event 1"),
        ("99", "there is no event 99 yet"),
        ("2001-01-01T00:00:00Z", "nothing was captured as early as 2001"),
        ("0900-01-01T00:00:00Z", "nothing was captured as early as 0900"),
        ("2999-01-01T00:00:00Z", "in the future"),
        ("nobody", "there is no snapshot nobody"),
    ]:
        with pytest.raises(NoSuchVersion, match=reason):
            shadow.moment(text)


async def test_a_version_that_is_not_recorded_yet_is_found_all_the_same(
    project: Path, events: EventStore, make_shadow: MakeShadow, monkeypatch: pytest.MonkeyPatch
) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)

    def full(*_: object) -> None:
        raise sqlite3.OperationalError("disk full")

    with monkeypatch.context() as patched:
        patched.setattr(shadow._capture, "record", full)
        for text in ("one", "two", "three"):
            (project / "file").write_text(text)
            await shadow.scan()
        versions = (await events.query(Query(stream="shadow"))).events
        for event in versions:
            assert shadow.moment(str(event.seq)).seq == event.seq
            assert shadow.moment(event.ts).seq == event.seq


async def test_a_time_is_looked_up_and_not_searched_for(make_shadow: MakeShadow, state: Path) -> None:
    await make_shadow()
    with sqlite3.connect(state / "contents.db") as db:
        plan = db.execute(
            "EXPLAIN QUERY PLAN SELECT * FROM versions WHERE ts <= ? ORDER BY ts DESC, seq DESC LIMIT 1",
            ("x",),
        ).fetchall()
    assert "versions_by_time" in plan[0][3]
    assert len(plan) == 1  # no sorting beside it


async def test_a_content_store_of_the_first_schema_gets_the_index(
    project: Path, events: EventStore, state: Path, make_shadow: MakeShadow
) -> None:
    (project / "file").write_text("kept")
    first = await make_shadow(reconcile_seconds=3600)
    seq = first.current.seq
    await first.close()
    with sqlite3.connect(state / "contents.db") as db:
        db.execute("DROP INDEX versions_by_time")
        db.execute("DELETE FROM _sqlite_migrations WHERE name = 'm002_versions_by_time'")
        db.execute("PRAGMA user_version = 1")
    second = await make_shadow(reconcile_seconds=3600)
    assert second.current.seq == seq
    (event,) = (await events.query(Query(stream="shadow"))).events
    assert second.moment(event.ts).seq == seq
    with sqlite3.connect(state / "contents.db") as db:
        assert db.execute("PRAGMA user_version").fetchone() == (2,)


async def test_equal_times_mean_the_later_version(make_shadow: MakeShadow, events: EventStore) -> None:
    shadow = await make_shadow(reconcile_seconds=3600)
    ts = "2020-01-01T00:00:00.000000Z"
    (event,) = await events.append([Draft("shadow.noted", {})], agent_id=BRIDGE)
    root = shadow.current.root
    await shadow._run(shadow._capture.record, [Version(seq, root, ts, 0, 0) for seq in (1001, 1002)], {})
    assert shadow.moment(ts).seq == 1002
    assert event.seq < 1001
