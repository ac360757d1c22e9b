"""Slices hold every line once and whole, however the content is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.search import slices as module
from lighthouse.search.slices import slices

contents = st.lists(st.sampled_from([b"", b"x", b"yy" * 20, b"z" * 90]), max_size=30).map(b"\n".join)


@pytest.fixture(autouse=True, scope="module")
def small() -> None:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "SLICE_BYTES", 16)
    patch.setattr(module, "READ_BYTES", 40)
    patch.setattr(module, "MAX_LINE_BYTES", 64)
    yield
    patch.undo()


@given(contents)
def test_the_lines_are_all_there(content: bytes) -> None:
    def read(offset: int, size: int) -> bytes:
        return content[offset : offset + size]

    found = list(slices(read))
    assert [piece.start for piece in found] == [0, *(piece.end for piece in found)][: len(found)]
    assert all(piece.text for piece in found)
    assert not found or found[-1].end == len(content)
    lines = b"".join(piece.text for piece in found).split(b"\n")
    expected = [line[:64] for line in content.split(b"\n")]
    if lines[-1] == b"" and len(content.split(b"\n")[-1]) > 64:
        lines.pop()  # a long last line is given a line break
    assert lines == expected
    for piece in found:
        assert list(slices(read, piece.start)) == found[found.index(piece) :]
