"""Trees survive their stored form, and their hash depends on all that is in them and on nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.shadow import merkle
from lighthouse.shadow.entry import Entry
from lighthouse.shadow.errors import ContentMissing

names = st.binary(min_size=1, max_size=40).filter(lambda name: b"/" not in name and b"\0" not in name)
entries = st.builds(
    Entry,
    name=names,
    kind=st.sampled_from(["f", "d", "l"]),
    mode=st.integers(0, 0o7777),
    size=st.integers(0, 2**62),
    mtime_ns=st.integers(-(2**63), 2**63 - 1),
    hash=st.binary(min_size=32, max_size=32),
    mark=st.sampled_from([None, "too_large", "unreadable"]),
)
folders = st.lists(entries, max_size=12, unique_by=lambda entry: entry.name)


@given(folders)
def test_a_folder_survives_its_stored_form(folder: list[Entry]) -> None:
    tree_hash, packed = merkle.encode(folder)
    back = merkle.decode(tree_hash, merkle.decompress(merkle.compress(packed)))
    assert list(back.values()) == sorted(folder, key=lambda entry: entry.name)
    assert list(back) == sorted(entry.name for entry in folder)


@given(folders, st.randoms())
def test_the_hash_does_not_depend_on_the_order(folder: list[Entry], random: object) -> None:
    shuffled = list(folder)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert merkle.encode(shuffled) == merkle.encode(folder)


@given(folders, entries)
def test_another_entry_is_another_hash(folder: list[Entry], other: Entry) -> None:
    without = [entry for entry in folder if entry.name != other.name]
    assert merkle.encode(without)[0] != merkle.encode([*without, other])[0]


@given(folders.filter(bool), st.data())
def test_a_changed_byte_is_found(folder: list[Entry], data: st.DataObject) -> None:
    tree_hash, packed = merkle.encode(folder)
    at = data.draw(st.integers(0, len(packed) - 1))
    damaged = packed[:at] + bytes([packed[at] ^ 1]) + packed[at + 1 :]
    with pytest.raises(ContentMissing, match="damaged"):
        merkle.decode(tree_hash, damaged)


def test_what_is_not_compressed_by_us_is_refused() -> None:
    with pytest.raises(ContentMissing, match="damaged"):
        merkle.decompress(b"no zstd frame")
