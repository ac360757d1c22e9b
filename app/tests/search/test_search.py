"""The limits of a search and going on behind them, the past, what is left out, and what is refused."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from lighthouse.paths import BadPath, to_bytes
from lighthouse.search import BadCursor, Found, Query, Search, SearchBusy
from lighthouse.search.search import MAX_WAITING, THREADS
from lighthouse.shadow import NoSuchVersion, NotCaptured, Shadow

ENDLESS = 10_000_000


@pytest.fixture
def project(project: Path) -> Path:
    for name in ("a", "b", "c"):
        (project / f"{name}.txt").write_text("".join(f"{name}{number} light\n" for number in range(10)))
    return project


async def all_pages(search: Search, **asked: Any) -> tuple[list[Found], list[tuple[bytes, int]]]:
    """Every page, and all matching lines in order."""
    pages: list[Found] = []
    cursor = None
    while True:
        pages.append(await search.find(Query(cursor=cursor, **asked)))
        cursor = pages[-1].cursor
        if cursor is None:
            break
        assert len(pages) < 500
    matches = [
        (to_bytes(file.path), line.number)
        for page in pages
        for file in page.files
        for line in file.lines
        if line.match
    ]
    return pages, matches


EVERY = [(b"%b.txt" % name, number) for name in (b"a", b"b", b"c") for number in range(1, 11)]


@pytest.mark.parametrize("most", [1, 3, 10, 29, 30, 31])
async def test_pages_of_lines_hold_each_match_once(search: Search, most: int) -> None:
    pages, matches = await all_pages(search, pattern="light", max_matches=most, before=1, after=1)
    assert matches == EVERY
    assert all(page.truncated and not page.timed_out for page in pages[:-1])
    assert not pages[-1].truncated
    assert sum(page.searched_bytes for page in pages) == 3 * 90


async def test_pages_of_files(search: Search) -> None:
    found = await search.find(Query(pattern="light", mode="files", max_matches=2))
    assert [file.path for file in found.files] == [(b"a.txt",), (b"b.txt",)]
    assert found.truncated
    rest = await search.find(Query(pattern="light", mode="files", max_matches=2, cursor=found.cursor))
    assert [file.path for file in rest.files] == [(b"c.txt",)]
    assert rest.cursor is None


async def test_the_size_of_an_answer_is_bounded(search: Search, project: Path) -> None:
    pages, matches = await all_pages(search, pattern="light", max_bytes=300)
    assert matches == EVERY
    assert len(pages) > 3


async def test_the_limit_of_a_file_holds_across_pages(search: Search) -> None:
    _, matches = await all_pages(search, pattern="light", max_per_file=4, max_matches=3)
    assert matches == [(path, number) for path, number in EVERY if number <= 4]


async def test_without_any_time_each_page_still_gets_on(search: Search) -> None:
    pages, matches = await all_pages(search, pattern="light", timeout_seconds=1e-9)
    assert matches == EVERY
    assert all(page.timed_out and not page.truncated for page in pages[:-1])
    assert len(pages) > 3


async def test_a_search_that_is_stopped_within_a_file_goes_on_there(make_shadow: Any, project: Path) -> None:
    (project / "a.txt").write_text("".join(f"{number} light\n" for number in range(100_000)))
    search = Search(await make_shadow())
    total, cursor, pages = 0, None, 0
    while True:
        found = await search.find(Query(pattern="light", mode="count", timeout_seconds=0.005, cursor=cursor))
        total += sum(file.count for file in found.files)
        pages += 1
        if (cursor := found.cursor) is None:
            break
        assert found.timed_out
    assert total == 100_020
    assert pages > 1
    await search.close()


async def test_the_past_is_searched_as_the_present(shadow: Shadow, search: Search, project: Path) -> None:
    old = shadow.current.seq
    page = await search.find(Query(pattern="light", max_matches=15))
    (project / "a.txt").write_text("dark\n")
    (project / "b.txt").unlink()
    await shadow.scan()
    now = await search.find(Query(pattern="light|dark"))
    assert [(file.path, file.count) for file in now.files] == [((b"a.txt",), 1), ((b"c.txt",), 10)]
    assert now.seq == shadow.current.seq
    await shadow.snapshots.create("before", str(old), agent_id="ann")
    for at in (str(old), "before"):
        then = await search.find(Query(pattern="light", at=at))
        assert (then.seq, sum(file.count for file in then.files)) == (old, 30)
    # A page goes on in the version that the first one searched.
    rest = await search.find(Query(pattern="light", cursor=page.cursor))
    assert (rest.seq, sum(file.count for file in rest.files)) == (old, 15)


async def test_binary_and_absent_contents_are_counted(make_shadow: Any, project: Path) -> None:
    (project / "b.txt").write_bytes(b"light\0")
    (project / "late.txt").write_bytes(b"light\n" * 100_000 + b"\0light\n")
    (project / "c.txt").write_bytes(b"light\n" * 200_000)
    search = Search(await make_shadow(max_file_bytes=1_000_000))
    found = await search.find(Query(pattern="light", mode="count"))
    # Of a binary file what comes before the slice with the first NUL byte counts, as with ripgrep.
    assert [file.path for file in found.files] == [(b"a.txt",), (b"late.txt",)]
    assert 90_000 < found.files[1].count < 100_000
    assert (found.searched, found.binary, found.not_captured) == (3, 2, 1)
    await search.close()


async def test_lines_are_shown_around_their_match(make_shadow: Any, project: Path) -> None:
    (project / "a.txt").write_text("ä" * 5000 + "light" + "ö" * 5000 + "\n" + "light" + "x" * 5000 + "\n")
    search = Search(await make_shadow())
    found = await search.find(Query(pattern="light", path="a.txt", max_columns=100, after=1))
    late, early = found.files[0].lines
    assert late.cut
    assert late.text.decode().count("light") == 1
    assert len(late.text) <= 100
    assert late.spans == ((10_000, 10_005),)
    assert (
        late.text == ("ä" * 5000 + "light" + "ö" * 5000).encode()[late.offset : late.offset + len(late.text)]
    )
    assert (early.offset, early.text[:5], early.cut) == (0, b"light", True)
    await search.close()


async def test_a_line_of_many_megabytes_is_searched_at_its_beginning(make_shadow: Any, project: Path) -> None:
    (project / "a.txt").write_bytes(b"light" + b"x" * 3_000_000 + b"light\nlight\n")
    search = Search(await make_shadow())
    _, matches = await all_pages(search, pattern="light", path="a.txt")
    assert matches == [(b"a.txt", 1), (b"a.txt", 2)]
    _, matches = await all_pages(search, pattern="xlight|^light$", path="a.txt", max_matches=1)
    assert matches == [(b"a.txt", 2)]
    await search.close()


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"path": "nowhere"}, NotCaptured),
        ({"path": "../a.txt"}, BadPath),
        ({"at": str(ENDLESS)}, NoSuchVersion),
        ({"at": "no-such-name"}, NoSuchVersion),
        ({"cursor": "nonsense"}, BadCursor),
        ({"cursor": "lgE="}, BadCursor),
    ],
)
async def test_refused(search: Search, asked: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        await search.find(Query(pattern="light", **asked))


async def test_a_cursor_is_good_for_its_own_search_only(search: Search) -> None:
    page = await search.find(Query(pattern="light", max_matches=3))
    with pytest.raises(BadCursor, match="another search"):
        await search.find(Query(pattern="dark", cursor=page.cursor))
    # How much is shown may change from page to page.
    assert (await search.find(Query(pattern="light", cursor=page.cursor, before=1))).files


async def test_too_many_at_once_are_turned_away_and_callers_that_leave_free_the_place(
    make_shadow: Any, project: Path, wait_for: Any
) -> None:
    (project / "a.txt").write_bytes(b"line\n" * 1_000_000)
    search = Search(await make_shadow())
    slow = Query(pattern="line", mode="count", timeout_seconds=30)
    waiting = [asyncio.create_task(search.find(slow)) for _ in range(THREADS + MAX_WAITING)]
    await asyncio.sleep(0)
    with pytest.raises(SearchBusy):
        await search.find(Query(pattern="light"))
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    found = await asyncio.wait_for(search.find(Query(pattern="light", path="b.txt")), 10)
    assert found.files[0].count == 10
    await search.close()
