"""How answers are cut for a model: nothing is lost between one piece and the next."""

from types import SimpleNamespace

import pytest
from typing_extensions import TypedDict

from lighthouse.client.answers import Event, EventPage, FolderEntry, Shadowed
from lighthouse.mcp.shapes import (
    MAX_BYTES,
    MAX_PAGE_BYTES,
    bounded,
    file_content,
    fitting,
    folder_content,
    picked,
)


def event(seq: int, size: int) -> Event:
    return Event(seq, "id", "ts", "note.added", "default", "ann", {"text": "x" * size}, "p", "k", "m")


def test_a_large_page_is_cut_and_says_where_to_go_on() -> None:
    page = EventPage([event(seq, MAX_PAGE_BYTES // 3) for seq in range(10, 16)], None)
    cut = bounded(page)
    assert [each["seq"] for each in cut["events"]] == [10, 11]
    assert cut["next_from_seq"] == 12


def test_one_event_is_told_however_large() -> None:
    cut = bounded(EventPage([event(1, MAX_PAGE_BYTES * 2), event(2, 1)], None))
    assert ([each["seq"] for each in cut["events"]], cut["next_from_seq"]) == ([1], 2)


def test_the_last_page_has_no_next() -> None:
    assert "next_from_seq" not in bounded(EventPage([event(1, 1)], None))
    assert bounded(EventPage([event(1, 1)], "c"))["next_from_seq"] == 2
    assert bounded(EventPage([], None)) == {"events": []}


def piece(content: bytes, offset: int, size: int) -> Shadowed:
    return Shadowed("f", "file", 1, content=content, offset=offset, size=size)


@pytest.mark.parametrize("step", [4, 5, 6, 7])
def test_no_character_is_broken(step: int) -> None:
    raw = "aß€😀z".encode() * 3
    text, offset = "", 0
    while offset is not None:
        told = file_content(piece(raw[offset : offset + step], offset, len(raw)))
        assert told["encoding"] == "utf-8"
        text += told["content"]
        offset = told.get("next_offset")
    assert text.encode() == raw


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"a\0b", b"ok \xc3"])
def test_what_is_no_text_is_base64(raw: bytes) -> None:
    told = file_content(piece(raw, 0, len(raw)))
    assert (told["encoding"], "next_offset" in told) == ("base64", False)


def test_a_folder_in_pieces() -> None:
    entries = [FolderEntry(str(n), "file", 0, "0644", "t", "h") for n in range(5)]
    folder = Shadowed(".", "folder", 1, entries=entries)
    first = folder_content(folder, 0, 3)
    assert ([entry["name"] for entry in first["entries"]], first["next_offset"]) == (["0", "1", "2"], 3)
    last = folder_content(folder, 3, 3)
    assert ([entry["name"] for entry in last["entries"]], "next_offset" in last) == (["3", "4"], False)


class Shape(TypedDict, total=False):
    id: str
    text: str
    n: int


def test_only_what_says_something_is_picked() -> None:
    assert picked(SimpleNamespace(id="a", text="", n=0, more=1), Shape) == {"id": "a"}


def test_a_list_is_cut_where_it_grows_too_long() -> None:
    many = [SimpleNamespace(id=str(n), text="x" * (MAX_BYTES // 3)) for n in range(4)]
    assert [one["id"] for one in fitting(many, Shape)] == ["0", "1"]
    assert len(fitting([SimpleNamespace(id="a", text="x" * MAX_BYTES)], Shape)) == 1
