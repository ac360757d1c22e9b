"""fsx's method: random operations on one file, each read compared with a model that lies in memory.

After the file system exerciser by Avadis Tevanian (NeXT, Apple), which is in no package index this project
draws on. Its operations are here: read, write, mapread, mapwrite, truncate, close and open; besides them
fsync, append, the whole file as others see it, and truncation by path. Run as a program it does that to one:
`python fsx.py FILE SEED OPERATIONS`.
"""

import mmap
import os
import random
import sys
from pathlib import Path

LONGEST = 256 * 1024
LARGEST_STEP = 64 * 1024
PAGE = mmap.PAGESIZE


class Exerciser:
    """`step` does one operation; raises AssertionError, with what was done last, where the file differs."""

    def __init__(self, path: Path, seed: int) -> None:
        self._path = path
        self._random = random.Random(seed)
        self._model = bytearray()
        self._done: list[str] = []
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)

    def run(self, operations: int) -> None:
        """Many steps, and a last look from outside."""
        kinds = (
            [self._read, self._write, self._map_read, self._map_write, self._truncate] * 4
            + [self._append, self._shrink_by_path, self._extend]
            + [self._close_open, self._fsync, self._look]
        )
        for _ in range(operations):
            self._random.choice(kinds)()
        os.close(self._fd)
        self._check("at the end", self._path.read_bytes(), bytes(self._model))

    def _span(self) -> tuple[int, int]:
        if not self._model:
            return 0, 0
        start = self._random.randrange(len(self._model))
        return start, min(self._random.randrange(1, LARGEST_STEP), len(self._model) - start)

    def _data(self, size: int) -> bytes:
        return self._random.randbytes(size)

    def _note(self, what: str) -> None:
        self._done.append(what)
        del self._done[:-30]

    def _check(self, what: str, found: bytes, wanted: bytes) -> None:
        if found != wanted:
            pairs = enumerate(zip(found, wanted, strict=False))
            first = next((i for i, (a, b) in pairs if a != b), min(len(found), len(wanted)))
            told = f"{what}: {len(found)} bytes for {len(wanted)}, first difference at {first}"
            raise AssertionError("\n".join([*self._done, told]))

    def _read(self) -> None:
        start, size = self._span()
        self._note(f"read {start}+{size}")
        self._check("read", os.pread(self._fd, size, start), bytes(self._model[start : start + size]))

    def _write(self) -> None:
        start = self._random.randrange(LONGEST - LARGEST_STEP)
        data = self._data(self._random.randrange(1, LARGEST_STEP))
        self._note(f"write {start}+{len(data)}")
        assert os.pwrite(self._fd, data, start) == len(data)
        self._put(start, data)

    def _append(self) -> None:
        data = self._data(self._random.randrange(1, 5000))
        if len(self._model) + len(data) > LONGEST:
            return
        self._note(f"append {len(data)}")
        with self._path.open("ab", buffering=0) as file:
            file.write(data)
        self._put(len(self._model), data)

    def _map_read(self) -> None:
        start, size = self._span()
        if not size:
            return
        self._note(f"mapread {start}+{size}")
        offset = start - start % PAGE
        with mmap.mmap(self._fd, size + start - offset, prot=mmap.PROT_READ, offset=offset) as view:
            found = view[start - offset :]
        self._check("mapread", found, bytes(self._model[start : start + size]))

    def _map_write(self) -> None:
        start = self._random.randrange(LONGEST - LARGEST_STEP)
        data = self._data(self._random.randrange(1, LARGEST_STEP))
        self._note(f"mapwrite {start}+{len(data)}")
        if len(self._model) < start + len(data):
            os.ftruncate(self._fd, start + len(data))
        offset = start - start % PAGE
        with mmap.mmap(self._fd, len(data) + start - offset, offset=offset) as view:
            view[start - offset : start - offset + len(data)] = data
            if self._random.random() < 0.5:
                view.flush()
        self._put(start, data)

    def _truncate(self) -> None:
        size = self._random.randrange(LONGEST)
        self._note(f"truncate {size}")
        os.ftruncate(self._fd, size)
        self._cut(size)

    def _extend(self) -> None:
        size = self._random.randrange(len(self._model), LONGEST + 1)
        self._note(f"extend {size}")
        os.ftruncate(self._fd, size)
        self._cut(size)

    def _shrink_by_path(self) -> None:
        size = self._random.randrange(len(self._model) + 1)
        self._note(f"truncate by path {size}")
        os.truncate(self._path, size)
        self._cut(size)

    def _close_open(self) -> None:
        self._note("close, open")
        os.close(self._fd)
        self._fd = os.open(self._path, os.O_RDWR)
        assert os.fstat(self._fd).st_size == len(self._model)

    def _fsync(self) -> None:
        self._note("fsync")
        os.fsync(self._fd)

    def _look(self) -> None:
        self._note("look")
        self._check("look", self._path.read_bytes(), bytes(self._model))

    def _put(self, start: int, data: bytes) -> None:
        if len(self._model) < start:
            self._model += bytes(start - len(self._model))
        self._model[start : start + len(data)] = data

    def _cut(self, size: int) -> None:
        del self._model[size:]
        self._model += bytes(size - len(self._model))


if __name__ == "__main__":
    Exerciser(Path(sys.argv[1]), int(sys.argv[2])).run(int(sys.argv[3]))
