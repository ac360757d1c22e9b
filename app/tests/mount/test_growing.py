"""The file that grows: what a follower gets across the cut, whatever the order of writing and polling."""

from hypothesis import given
from hypothesis import strategies as st

from lighthouse.mount.growing import Follower, GrowingLines


class Tail:
    """`tail -f` as GNU's is on a file system it takes for remote: polls the size, reads as far as that."""

    def __init__(self, lines: GrowingLines) -> None:
        self.lines = lines
        self.handle = Follower(lines)
        self.position = 0
        self.got = b""

    def poll(self) -> None:
        size = self.lines.size
        if size < self.position:
            self.position = 0
        while size > self.position:
            data = self.handle.read(self.position, min(4096, size - self.position))
            if not data:
                break
            self.got += data
            self.position += len(data)


def line(number: int) -> bytes:
    return b"%d %s\n" % (number, b"x" * (number * 7 % 40))


def test_what_is_written_is_read() -> None:
    lines = GrowingLines(1000)
    lines.append(b"one\ntwo\n")
    handle = Follower(lines)
    assert handle.read(0, 100) == b"one\ntwo\n"
    assert handle.read(8, 100) == b""
    lines.append(b"three\n")
    assert handle.read(8, 100) == b"three\n"
    assert handle.read(4, 3) == b"two"


def test_over_the_bound_the_newest_quarter_stays_in_whole_lines() -> None:
    lines = GrowingLines(1000)
    for number in range(200):
        lines.append(line(number))
        assert lines.size <= 1000
        content = Follower(lines).read(0, 2000).splitlines(keepends=True)
        assert content[-1] == line(number)
        assert content == [line(each) for each in range(number - len(content) + 1, number + 1)]


def test_a_line_longer_than_the_bound_is_kept() -> None:
    lines = GrowingLines(100)
    lines.append(b"a" * 300 + b"\n")
    assert lines.size == 301
    lines.append(b"b\n")
    assert Follower(lines).read(0, 1000) == b"b\n"


@given(st.lists(st.integers(1, 12), max_size=60))
def test_a_tail_that_polls_in_time_gets_every_line_once(batches: list[int]) -> None:
    lines = GrowingLines(2000)
    tail = Tail(lines)
    number, written = 0, b""
    for batch in batches:
        for _ in range(batch):
            lines.append(line(number))
            written += line(number)
            number += 1
        tail.poll()
        assert tail.got == written


def test_a_reader_in_the_middle_goes_on_across_the_cut() -> None:
    lines = GrowingLines(1000)
    while lines.size < 950:
        lines.append(line(5))
    held = Follower(lines).read(0, 5000)
    handle = Follower(lines)
    begun = handle.read(0, len(held) - 20)
    lines.append(b"y" * 60 + b"\n")
    assert lines.size < len(begun)
    rest = handle.read(len(begun), 5000)
    assert (begun + rest).startswith(held)


def test_who_fell_behind_reads_on_at_a_line() -> None:
    lines = GrowingLines(1000)
    lines.append(b"first line\n")
    handle = Follower(lines)
    assert handle.read(0, 5) == b"first"
    for number in range(200):
        lines.append(line(number))
    got = handle.read(5, 5000)
    assert got == b"\n" + Follower(lines).read(0, 5000)
    assert handle.read(5 + len(got), 5000) == b""


def test_reading_anew_from_the_start_shows_the_file_as_it_is_now() -> None:
    lines = GrowingLines(1000)
    lines.append(b"first\nsecond\n")
    handle = Follower(lines)
    assert handle.read(0, 6) == b"first\n"
    for number in range(200):
        lines.append(line(number))
    assert handle.read(0, 5000) == Follower(lines).read(0, 5000)
