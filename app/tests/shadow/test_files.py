"""One file, read whole and as it was at one moment, or marked; whatever else happens to it meanwhile."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lighthouse.shadow import files
from lighthouse.shadow.contents import CHUNK, ContentStore
from lighthouse.shadow.files import Captured, KindChanged, capture
from lighthouse.shadow.reader import ContentReader

LIMIT = 16 * CHUNK


@pytest.fixture
def store(state: Path) -> Iterator[ContentStore]:
    store = ContentStore(state)
    yield store
    store.close()


@pytest.fixture
def folder(project: Path) -> Iterator[int]:
    fd = os.open(project, os.O_RDONLY)
    yield fd
    os.close(fd)


@pytest.fixture
def read(store: ContentStore, folder: int, state: Path) -> Callable[..., tuple[Captured, bytes]]:
    """`read(name, limit)`: what was captured, and the stored content."""

    def read(name: bytes, limit: int = LIMIT) -> tuple[Captured, bytes]:
        with store.writing():
            found = capture(folder, name, store, limit)
        reader = ContentReader(state)
        try:
            return found, reader.read(found.hash, 0, found.size + 1)
        finally:
            reader.close()

    return read


Read = Callable[..., tuple[Captured, bytes]]


def changing(monkeypatch: pytest.MonkeyPatch, change: Callable[[int], None]) -> list[int]:
    """Call `change(n)` before the n-th reading from a file; the list grows with each."""
    calls: list[int] = []
    pread = os.pread

    def reading(fd: int, size: int, offset: int) -> bytes:
        calls.append(len(calls) + 1)
        change(len(calls))
        return pread(fd, size, offset)

    monkeypatch.setattr(files.os, "pread", reading)
    return calls


@pytest.mark.parametrize("size", [0, 10, CHUNK, files.WHOLE, files.WHOLE + 1, 6 * CHUNK + 7])
def test_contents_of_every_size(project: Path, read: Read, size: int) -> None:
    content = os.urandom(1000) * (size // 1000 + 1)
    (project / "f").write_bytes(content[:size])
    found, stored = read(b"f")
    assert (found.size, found.mark, stored) == (size, None, content[:size])


def test_mode_and_time(project: Path, read: Read) -> None:
    path = project / "f"
    path.write_bytes(b"x")
    path.chmod(0o4751)
    os.utime(path, ns=(1, 1234567890123456789))
    found, _ = read(b"f")
    assert (found.mode, found.mtime_ns) == (0o4751, 1234567890123456789)


def test_a_fresh_file_gets_no_stamp_and_a_settled_one_does(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "f").write_bytes(b"x")
    assert read(b"f")[0].stamp is None
    later = time.time_ns() + files.RACY_NS
    monkeypatch.setattr(files.time, "time_ns", lambda: later)
    assert read(b"f")[0].stamp == files.stamp_of((project / "f").stat())


def test_a_stamp_tells_files_of_one_moment_apart(project: Path) -> None:
    (project / "f").touch()
    st = (project / "f").stat()
    other = os.stat_result([*st[:1], st.st_ino + 1, *st[2:]], {"st_ctime_ns": st.st_ctime_ns})
    assert files.stamp_of(st) != files.stamp_of(other)


def test_an_old_modification_time_does_not_hide_that_a_file_is_fresh(project: Path, read: Read) -> None:
    (project / "f").write_bytes(b"x")
    os.utime(project / "f", (1, 1))
    assert read(b"f")[0].stamp is None


def test_over_the_limit(project: Path, read: Read) -> None:
    (project / "f").write_bytes(b"x" * 11)
    found, stored = read(b"f", 10)
    assert found.mark == "too_large"
    assert stored == b"lighthouse: not captured: 11 bytes, over the limit of 10\n"
    assert found.size == len(stored)
    assert read(b"f", 11)[0].mark is None


def test_a_file_that_grows_over_the_limit_while_it_is_read(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "f").write_bytes(b"x")
    changing(monkeypatch, lambda _: (project / "f").write_bytes(b"x" * 20))  # type: ignore[arg-type,return-value]
    assert read(b"f", 10)[0].mark == "too_large"


@pytest.mark.parametrize("size", [100, files.WHOLE + 100])
def test_a_file_changed_while_it_is_read_is_read_again(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch, size: int
) -> None:
    (project / "f").write_bytes(b"a" * size)

    def change(number: int) -> None:
        if number == 1:
            (project / "f").write_bytes(b"b" * (size - 1))

    changing(monkeypatch, change)
    found, stored = read(b"f")
    assert stored == b"b" * (size - 1)
    assert found.stamp is None


def test_a_small_file_that_never_rests_is_captured_as_it_was(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(number: int) -> None:
        with (project / "f").open("ab") as file:
            file.write(b"line %d\n" % number)

    (project / "f").write_bytes(b"")
    changing(monkeypatch, grow)
    found, stored = read(b"f")
    assert stored.startswith(b"line 1\nline 2\n")
    assert stored.endswith(b"\n")
    assert (found.mark, found.stamp, found.size) == (None, None, len(stored))


def test_a_large_file_that_never_rests_is_marked(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = files.WHOLE + 1

    def rewrite(number: int) -> None:
        (project / "f").write_bytes(bytes([number % 256]) * size)

    rewrite(0)
    changing(monkeypatch, rewrite)
    found, stored = read(b"f")
    assert found.mark == "unreadable"
    assert b"does not stop changing" in stored


def test_a_large_file_that_only_grows_is_captured_up_to_where_it_was(
    project: Path, read: Read, monkeypatch: pytest.MonkeyPatch
) -> None:
    def grow(_: int) -> None:
        with (project / "f").open("ab") as file:
            file.write(b"more")

    (project / "f").write_bytes(b"a" * files.WHOLE + b"b")
    changing(monkeypatch, grow)
    found, stored = read(b"f")
    assert found.mark is None
    assert stored.startswith(b"a" * files.WHOLE + b"bmore")


def a_link(path: Path) -> None:
    path.symlink_to("/etc/passwd")


def a_socket(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as made:
        made.bind(str(path))


@pytest.mark.parametrize("make", [os.mkfifo, Path.mkdir, a_link, a_socket, lambda path: None])
def test_what_is_no_file_any_more_is_not_waited_for(
    project: Path, store: ContentStore, folder: int, make: Callable[[Path], None]
) -> None:
    make(project / "f")
    with store.writing(), pytest.raises(KindChanged):
        capture(folder, b"f", store, LIMIT)


def test_running_out_of_descriptors_is_no_mark(
    project: Path, store: ContentStore, folder: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / "f").write_bytes(b"x")

    def refuse(*_: object, **__: object) -> int:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(files.os, "open", refuse)
    with store.writing(), pytest.raises(OSError, match="Too many open files"):
        capture(folder, b"f", store, LIMIT)
