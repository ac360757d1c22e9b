"""The file that grows: what a follower gets across the cuts, whatever the order of writing and polling."""

from hypothesis import given
from hypothesis import strategies as st

from lighthouse.mount.growing import GrowingLines


class Tail:
    """`tail -f`: stays with the file it opened, polls its size, reads as far as that."""

    def __init__(self, lines: GrowingLines) -> None:
        self.file = lines.file()
        self.position = 0
        self.got = b""

    def poll(self) -> None:
        while (size := self.file.size) > self.position:
            data = self.file.read(self.position, min(4096, size - self.position))
            self.got += data
            self.position += len(data)


def add(lines: GrowingLines, text: bytes) -> None:
    """Append, and tell of it."""
    lines.append(text)
    lines.show(lambda inode: None)


def line(number: int) -> bytes:
    return b"%d %s\n" % (number, b"x" * (number * 7 % 40))


def test_what_is_written_is_read() -> None:
    lines = GrowingLines(1000)
    add(lines, b"one\ntwo\n")
    file = lines.file()
    assert file.read(0, 100) == b"one\ntwo\n"
    assert file.read(8, 100) == b""
    add(lines, b"three\n")
    assert file.size == 14
    assert file.read(8, 100) == b"three\n"
    assert file.read(4, 3) == b"two"


def test_over_the_bound_the_newest_half_stays_in_whole_lines() -> None:
    lines = GrowingLines(1000)
    for number in range(200):
        add(lines, line(number))
        file = lines.file()
        assert file.size <= 1000
        content = file.read(0, 2000).splitlines(keepends=True)
        assert content[-1] == line(number)
        assert content == [line(each) for each in range(number - len(content) + 1, number + 1)]


def test_a_line_longer_than_the_bound_is_kept() -> None:
    lines = GrowingLines(100)
    add(lines, b"a" * 300 + b"\n")
    assert lines.file().size == 301
    add(lines, b"b\n")
    assert lines.file().read(0, 1000) == b"b\n"


def test_the_file_is_another_one_after_a_cut_and_only_then() -> None:
    lines = GrowingLines(100)
    first = lines.file()
    add(lines, b"a" * 60 + b"\n")
    assert lines.file() is first
    add(lines, b"b" * 60 + b"\n")
    assert lines.file() is not first
    assert first.size == 122
    assert first.read(61, 100) == b"b" * 60 + b"\n"


def test_who_is_further_behind_than_what_is_kept_reads_empty_lines_and_comes_to_the_end() -> None:
    lines = GrowingLines(100)
    file = lines.file()
    for number in range(100):
        add(lines, line(number))
    data = file.read(0, file.size)
    assert len(data) == file.size
    kept = data.lstrip(b"\n")
    assert kept == lines.file().read(0, 1000)
    assert data.count(b"\n") >= len(data) - len(kept)


def test_readers_are_told_after_the_kernel_has_dropped_its_pages() -> None:
    lines = GrowingLines(1000)
    file = lines.file()
    file.inode = 7
    add(lines, b"one\n")
    lines.append(b"two\n")
    sizes = []
    lines.show(lambda inode: sizes.append((inode, file.size)))
    assert sizes == [(7, 4)]
    assert file.size == 8


@given(st.lists(st.integers(0, 6), max_size=60))
def test_a_follower_gets_every_line_once(steps: list[int]) -> None:
    lines = GrowingLines(400)
    tail = Tail(lines)
    written = b""
    number = 0
    for count in steps:
        # At most 6 lines of 44 bytes between two looks: less than the half that is always kept.
        for _ in range(min(count, 4)):
            add(lines, line(number))
            written += line(number)
            number += 1
        tail.poll()
    assert tail.got == written
