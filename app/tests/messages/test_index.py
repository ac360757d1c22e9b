"""The index: kept up with the log, never silently empty, and made anew when it is not what it should be."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from lighthouse.events import StoreUnavailable
from lighthouse.messages import BadWords, IndexBehind, SearchesBusy, Wanted, finding, index, tables
from lighthouse.messages.filling import fill
from tests.conftest import WaitFor
from tests.messages.conftest import Room


async def said(room: Room, count: int = 6) -> list[str]:
    """Some messages, the first acknowledged; their ids, the latest first."""
    made = [(await room.send(f"word number{n} of the day", subject=f"subject{n}")).id for n in range(count)]
    await room.messages.acknowledge(made[0], "bob")
    return made[::-1]


def writing(path: Path, sql: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(sql)
        connection.commit()


async def test_finding(room: Room) -> None:
    made = await said(room)
    other = await room.send("a WORD to cleo", agent="bob", to="cleo")
    assert await room.ids() == [other.id, *made]
    assert await room.ids("word") == [other.id, *made]
    assert await room.ids("number3") == [made[2]]
    assert await room.ids("subject:number3") == []
    assert await room.ids("word", agent_id="bob") == [other.id]
    assert await room.ids("word", to="bob") == made
    assert await room.ids(to="cleo", agent_id="bob") == [other.id]
    assert await room.ids(thread=other.seq, to="bob") == []
    assert await room.ids(thread=other.seq, to="cleo") == [other.id]
    assert await room.ids("nothing") == []


@pytest.mark.parametrize("wanted", [{}, {"to": "bob"}, {"q": "word"}, {"q": "word", "to": "bob"}])
async def test_pages_one_after_the_other(room: Room, wanted: dict[str, str]) -> None:
    made = await said(room, 7)
    found, before = [], None
    while True:
        page = await room.page(**wanted, limit=3, before=before)
        assert page.complete
        found += [one.id for one in page.messages]
        if page.next_cursor is None:
            break
        before = int(page.next_cursor.removeprefix("before-"))
    assert found == made


async def test_a_thread_in_pages(room: Room) -> None:
    first = await room.send()
    rest = [(await room.send(thread=first.id)).id for _ in range(4)]
    page = await room.page(thread=first.seq, limit=3)
    assert ([one.id for one in page.messages], page.next_cursor) == (
        [first.id, *rest[:2]],
        f"after-{rest[1][1:]}",
    )
    assert await room.ids(thread=first.seq, after=int(rest[1][1:])) == rest[2:]


async def test_large_messages_make_small_pages(room: Room) -> None:
    for _ in range(40):
        await room.send("x" * 16_384)
    page = await room.page(limit=100)
    assert 30 <= len(page.messages) < 40
    assert page.next_cursor is not None


async def test_it_goes_on_where_it_was(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await said(room)
    assert await room.ids() == made
    await room.close()
    filled: list[int] = []

    def fill(connection, events):
        filled.extend(event.seq for event in events)
        real(connection, events)

    real = index.fill
    monkeypatch.setattr(index, "fill", fill)
    await room.open()
    assert await room.ids() == made
    assert filled == []
    later = await room.send()
    assert await room.ids() == [later.id, *made]
    assert filled == [later.seq]
    assert room.messages.status()["index"]["rebuilt"] == 0


def garbage(path: Path) -> None:
    path.write_bytes(b"this is no database " * 1000)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:9000])


def scratched(path: Path) -> None:
    raw = bytearray(path.read_bytes())
    for place in range(4096, len(raw), 4096):
        raw[place : place + 64] = b"\xff" * 64
    path.write_bytes(raw)


def gone(path: Path) -> None:
    path.unlink()


def empty(path: Path) -> None:
    path.write_bytes(b"")


def statement(sql: str) -> Callable[[Path], None]:
    return lambda path: writing(path, sql)


DAMAGES = {
    "garbage": garbage,
    "cut": cut,
    "scratched": scratched,
    "gone": gone,
    "empty": empty,
    "a message is missing": statement("DELETE FROM messages WHERE seq = 3"),
    "the words are others": statement("UPDATE messages SET body = 'forged' WHERE seq = 3"),
    "the words are gone": statement("INSERT INTO words (words) VALUES ('delete-all')"),
    "a table is missing": statement("DROP TABLE recipients"),
    "a part of the words is missing": statement("DROP TABLE words_idx"),
    "an index is missing": statement("DROP INDEX messages_agent"),
    "the words are no more": statement("DROP TABLE words"),
    "no head": statement("DELETE FROM meta"),
    "another log": statement("UPDATE meta SET mac = 'another'"),
    "a longer log": statement("UPDATE meta SET covered_to = 999"),
    "another form": statement("PRAGMA user_version = 99"),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES.keys())
async def test_damaged_at_rest_it_is_made_anew(room: Room, damage: Callable[[Path], None]) -> None:
    made = await said(room)
    assert await room.ids() == made
    await room.close()
    damage(room.database)
    await room.open()
    assert await room.ids("word") == made
    assert await room.ids("forged") == []
    assert await room.ids() == made
    assert (await room.messages.get(made[-1], "cleo")).recipients["bob"] is not None
    assert len((await room.messages.threads("bob")).threads) == len(made)


@pytest.mark.parametrize(
    "damage", [garbage, gone, DAMAGES["a table is missing"], DAMAGES["the words are no more"]]
)
async def test_damaged_while_it_runs_it_says_so_and_is_made_anew(
    room: Room, wait_for: WaitFor, damage: Callable[[Path], None]
) -> None:
    made = await said(room)
    assert await room.ids() == made
    for suffix in ("-wal", "-shm") if damage is garbage else ():
        room.database.with_name(room.database.name + suffix).unlink()
    damage(room.database)

    async def whole() -> bool:
        page = await room.page("word", to="bob")
        if not page.complete:
            assert page.covered_to < room.messages.newest
            assert page.problem
        return page.complete and [one.id for one in page.messages] == made

    await wait_for(whole)
    assert room.messages.status()["index"]["rebuilt"] == 1
    later = await room.send("one more word")
    assert await room.ids("word") == [later.id, *made]


async def test_behind_it_says_how_far_it_is(
    room: Room, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    made = await said(room)
    assert await room.ids() == made
    monkeypatch.setattr(index, "CATCH_UP_SECONDS", 0.05)
    hold = threading.Event()
    real = index.fill

    def slow(connection, events):
        hold.wait(20)
        real(connection, events)

    monkeypatch.setattr(index, "fill", slow)
    try:
        covered = room.messages.newest
        later = await room.send("a later word")
        page = await room.page("word")
        assert (page.complete, page.covered_to) == (False, covered)
        assert [one.id for one in page.messages] == made
        assert room.messages.behind > 0
        with pytest.raises(IndexBehind, match=f"up to event {covered} only"):
            await room.messages.get(later.id, "cleo")
        with pytest.raises(IndexBehind):
            await room.messages.get("m1", "cleo")
        # What does not need the index goes on.
        assert room.unread("bob") == [*made[-2::-1], later.id]
        await room.messages.acknowledge(later.id, "bob")
        assert (await room.send(thread=later.id)).thread == later.id
        with pytest.raises(IndexBehind):
            await room.messages.acknowledge(later.id, "bob")
    finally:
        hold.set()
    await wait_for(lambda: not room.messages.behind)
    assert later.id in await room.ids("word")


async def test_a_disk_that_fails_is_told_and_tried_again(
    room: Room, monkeypatch: pytest.MonkeyPatch, wait_for: WaitFor
) -> None:
    made = await said(room)
    assert await room.ids() == made
    monkeypatch.setattr(index, "RETRY_SECONDS", 0.05)
    real = index.fill

    def failing(connection, events):
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr(index, "fill", failing)
    later = await room.send("a later word")
    await wait_for(lambda: room.messages.status()["index"]["problem"])
    page = await room.page("word")
    assert ([one.id for one in page.messages], page.complete) == (made, False)
    assert "disk is full" in str(page.problem)
    monkeypatch.setattr(index, "fill", real)
    await wait_for(lambda: not room.messages.behind)
    assert await room.ids("word") == [later.id, *made]
    assert room.messages.status()["index"]["rebuilt"] == 0


async def test_a_log_that_cannot_be_read_is_told(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await said(room)
    assert await room.ids() == made
    await room.close()
    await room.open()
    monkeypatch.setattr(index, "RETRY_SECONDS", 0.05)

    async def away(query):
        raise StoreUnavailable("the log", "is away")

    await room.ids()
    with monkeypatch.context() as patched:
        patched.setattr(room.store, "query", away)
        later = await room.send("a later word")
        page = await room.page("word")
        assert not page.complete
        assert "the log" in str(page.problem)
    while not (await room.page("word")).complete:
        await asyncio.sleep(0.01)
    assert (await room.ids("word"))[0] == later.id


async def test_a_search_that_takes_long_ends_with_what_it_found(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await said(room, 60)
    assert len(await room.ids()) == 20
    monkeypatch.setattr(index, "SEARCH_SECONDS", -1.0)
    monkeypatch.setattr(index, "GRACE_SECONDS", 20.0)
    monkeypatch.setattr(tables, "STEPS", 400)
    page = await room.page("word", limit=100)
    assert page.timed_out
    assert not page.complete
    found = [one.id for one in page.messages]
    assert 0 < len(found) < 60
    assert found == made[: len(found)]
    assert page.next_cursor == f"before-{page.messages[-1].seq}"
    threads = await room.messages.threads("bob", limit=100)
    assert threads.timed_out
    assert len(threads.threads) < 60


async def test_nobody_waits_for_a_search_that_does_not_look_at_the_clock(
    room: Room, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SEARCH_SECONDS", 0.05)
    monkeypatch.setattr(index, "GRACE_SECONDS", 0.05)
    monkeypatch.setattr(index, "SEARCHES_WAITING", 0)
    await said(room)
    await room.ids()
    go_on = threading.Event()

    def stubborn(connection, wanted):
        go_on.wait(20)
        return finding.Page([])

    with monkeypatch.context() as patched:
        patched.setattr(finding, "find", stubborn)
        try:
            pages = await asyncio.gather(*(room.page(caller=who) for who in ("ann", "ann", "bob")))
            assert [(page.timed_out, page.complete, page.messages) for page in pages] == [
                (True, False, [])
            ] * 3
            with pytest.raises(SearchesBusy):
                await room.page()
        finally:
            go_on.set()
    monkeypatch.setattr(index, "SEARCH_SECONDS", 5.0)
    while True:
        try:
            assert len((await room.page()).messages) == 6
            break
        except SearchesBusy:
            await asyncio.sleep(0.01)


async def test_who_awaited_a_turn_while_it_was_made_anew_is_told_so(
    room: Room, wait_for: WaitFor, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = await said(room)
    assert await room.ids("word") == made
    known, go = room.messages._index, threading.Event()

    def slow(*arguments: Any) -> None:
        go.wait(30)
        fill(*arguments)

    monkeypatch.setattr(index, "fill", slow)
    try:
        turn = known._turns.of("cleo")
        await turn.acquire()
        looking = asyncio.create_task(room.page("word"))
        await asyncio.sleep(0.05)
        known._found_damaged("for this test")

        async def being_made() -> bool:
            return known.rebuilt == 1 and known._connection is not None

        await wait_for(being_made)
        turn.release()
        page = await looking
        assert page.messages or not page.complete
    finally:
        go.set()


async def test_what_sqlite_does_not_take_is_no_damage(room: Room) -> None:
    """A search that came past the translation would be refused, and cost no index."""
    await said(room)
    for match in ('"', "NEAR(", "nobody : x", 'a "b'):
        with pytest.raises(BadWords, match="SQLite does not take"):
            await room.messages.find(Wanted(match=match), "cleo")
    assert len(await room.ids("word")) == 6
    assert room.messages.status()["index"]["rebuilt"] == 0


async def test_a_long_log_is_taken_in_parts(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(index, "PAGE", 3)
    made = await said(room, 20)
    await room.close()
    tables.remove(room.database)
    await room.open()
    assert await room.ids(limit=100) == made
    assert not {path.name for path in room.database.parent.glob("messages.db*")} - {
        "messages.db",
        "messages.db-wal",
        "messages.db-shm",
    }
