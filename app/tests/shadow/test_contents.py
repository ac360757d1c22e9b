"""Contents are stored once, found again whole and in pieces, and damage is told."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighthouse.shadow import merkle, schema
from lighthouse.shadow.contents import CHUNK, ContentStore, Version
from lighthouse.shadow.entry import Entry
from lighthouse.shadow.errors import ContentMissing, ContentsRefused
from lighthouse.shadow.reader import Bounded, ContentReader

LARGE = bytes(range(256)) * (CHUNK // 256) + b"tail" * 1000


@pytest.fixture
def store(state: Path) -> Iterator[ContentStore]:
    store = ContentStore(state)
    yield store
    store.close()


@pytest.fixture
def reader(state: Path, store: ContentStore) -> Iterator[ContentReader]:
    reader = ContentReader(state)
    yield reader
    reader.close()


def added(store: ContentStore, content: bytes) -> bytes:
    with store.writing():
        return store.add(content)


def rows(state: Path, sql: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(state / schema.DATABASE) as db:
        return db.execute(sql).fetchall()


@pytest.mark.parametrize(
    "content", [b"", b"x", b"a" * 5000, LARGE], ids=["empty", "tiny", "small", "two chunks"]
)
def test_a_content_comes_back(store: ContentStore, reader: ContentReader, content: bytes) -> None:
    digest = added(store, content)
    assert reader.size(digest) == len(content)
    assert reader.read(digest, 0, len(content) + 10) == content


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(offset=st.integers(0, len(LARGE) + 10), size=st.integers(0, CHUNK + 5000))
def test_pieces(store: ContentStore, reader: ContentReader, offset: int, size: int) -> None:
    digest = added(store, LARGE)
    assert reader.read(digest, offset, size) == LARGE[offset : offset + size]
    assert reader.read_cached(digest, offset, size) in (None, LARGE[offset : offset + size])


def test_the_cache_answers_without_the_disk(store: ContentStore, reader: ContentReader) -> None:
    digest = added(store, b"hello")
    assert reader.read_cached(digest, 0, 5) is None
    reader.read(digest, 0, 5)
    assert reader.read_cached(digest, 1, 3) == b"ell"


def test_the_same_content_is_stored_once(state: Path, store: ContentStore) -> None:
    assert added(store, LARGE) == added(store, LARGE)
    assert rows(state, "SELECT count(*) FROM contents") == [(1,)]
    assert rows(state, "SELECT count(*) FROM chunks") == [(2,)]


def test_what_does_not_shrink_is_stored_as_it_is(state: Path, store: ContentStore) -> None:
    added(store, b"xy")
    added(store, b"a" * 1000)
    assert sorted(rows(state, "SELECT codec FROM chunks")) == [(0,), (1,)]


def test_an_error_takes_the_batch_back(state: Path, store: ContentStore) -> None:
    def fail() -> None:
        with store.writing():
            store.add(b"one")
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert rows(state, "SELECT count(*) FROM contents") == [(0,)]


def test_a_dropped_content_is_gone(store: ContentStore, reader: ContentReader) -> None:
    with store.writing():
        digest = store.add(b"not what it was")
        store.drop(digest)
    with pytest.raises(ContentMissing, match="is not stored"):
        reader.size(digest)


def test_a_missing_content_is_told(reader: ContentReader) -> None:
    with pytest.raises(ContentMissing, match="is not stored"):
        reader.read(b"\1" * 32, 0, 1)


@pytest.mark.parametrize("content", [b"xy", b"a" * 1000], ids=["plain", "compressed"])
def test_a_damaged_content_is_told(
    state: Path, store: ContentStore, reader: ContentReader, content: bytes
) -> None:
    digest = added(store, content)
    with sqlite3.connect(state / schema.DATABASE) as db:
        db.execute("UPDATE chunks SET data = CAST(substr(data, 1, length(data) - 1) || X'00' AS BLOB)")
    with pytest.raises(ContentMissing, match="damaged"):
        reader.read(digest, 0, 10)


def test_trees(store: ContentStore, reader: ContentReader) -> None:
    entries = [Entry(b"\xff", "f", 0o644, 3, 1, b"h" * 32), Entry(b"a", "l", 0o777, 3, 2, b"i" * 32)]
    tree_hash, packed = merkle.encode(entries)
    with store.writing():
        store.add_tree(tree_hash, packed)
        store.add_tree(tree_hash, packed)
    assert reader.tree(tree_hash) == {entry.name: entry for entry in entries}
    with pytest.raises(ContentMissing):
        reader.tree(b"\1" * 32)


def test_versions_by_sequence_number(store: ContentStore, reader: ContentReader) -> None:
    early, late = Version(3, b"r" * 32, "t", 1, 2), Version(7, b"s" * 32, "u", 3, 4)
    store.add_version(early)
    store.add_version(late)
    found = [reader.version_at(seq) for seq in (2, 3, 6, 7, 100)]
    assert found == [None, early, early, late, late]
    store.forget_versions_after(3)
    assert store.last_version() == early


def test_stamps_by_folder(store: ContentStore) -> None:
    with store.writing():
        store.save_stamps({(): {b"\xff": b"1" * 16}, (b"a", b"b"): {b"x": b"2" * 16}})
        store.save_stamps({(b"a", b"b"): {}})
    assert store.load_stamps() == {b"": {b"\xff": b"1" * 16}}


def test_only_the_owner_may_look(state: Path, store: ContentStore) -> None:
    assert (state / schema.DATABASE).stat().st_mode & 0o777 == 0o600


def test_a_newer_schema_is_refused_and_left_alone(state: Path) -> None:
    ContentStore(state).close()
    path = state / schema.DATABASE
    with sqlite3.connect(path) as db:
        db.execute("PRAGMA user_version = 99")
    db.close()
    before = path.read_bytes()
    with pytest.raises(ContentsRefused, match="schema 99"):
        ContentStore(state)
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_refused_and_left_alone(state: Path) -> None:
    path = state / schema.DATABASE
    path.write_bytes(b"nothing that SQLite wrote" * 100)
    with pytest.raises(ContentsRefused, match="cannot be used"):
        ContentStore(state)
    assert path.read_bytes() == b"nothing that SQLite wrote" * 100


def test_the_cache_keeps_what_was_used_last() -> None:
    cache: Bounded[str, str] = Bounded(10)
    for key in "abc":
        cache.put(key, key.upper(), 4)
    assert [cache.get(key) for key in "abc"] == [None, "B", "C"]
    cache.get("b")
    cache.put("d", "D", 4)
    cache.put("huge", "H", 11)
    assert [cache.get(key) for key in ("b", "c", "d", "huge")] == ["B", None, "D", None]
