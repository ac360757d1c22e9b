"""A reader that is told of changes by streams/events in the mount and looks at once; run by test_order.py.

`python reader_of_changes.py MOUNT CHANGES`: ends when it was told of the last change. Exit 1 and a line for
each old byte, name or size that was seen after its event.
"""

import contextlib
import hashlib
import json
import sys
import threading
import time
from pathlib import Path

FILES = 7
LASTING = 40


def content(number: int) -> bytes:
    """What the change of that number writes."""
    return b"%d\n" % number * (number % 13 + 1)


def change(folder: Path, number: int) -> None:
    """Make the change of that number: a new content, a name that comes, a name that goes."""
    scratch = folder / "scratch.tmp"
    scratch.write_bytes(content(number))
    scratch.rename(folder / f"file-{number % FILES}")
    (folder / "sub" / f"name-{number}").touch()
    if number >= LASTING:
        (folder / "sub" / f"name-{number - LASTING}").unlink()


class Watcher:
    """Compares what is seen in `current` with what an event told."""

    def __init__(self, current: Path, changes: int) -> None:
        self.current = current
        self.faults: list[str] = []
        self.told = -1
        self.checked = 0
        self._numbers = {hashlib.sha256(content(number)).hexdigest(): number for number in range(changes)}

    def look(self, event: dict) -> None:
        """Check all that `event` tells."""
        if event["type"] != "shadow.changed":
            return
        told = self.told
        for each in event["data"]["changes"]:
            name = each["path"]
            if name.startswith("file-") and each["op"] in ("created", "modified"):
                number = self._numbers[each["hash"]]
                told = max(told, number)
                self._content(event["seq"], name, number)
            elif name.startswith("sub/name-") and each["op"] == "deleted":
                self._gone(event["seq"], name)
            elif name.startswith("sub/name-") and each["op"] == "created":
                self._there(event["seq"], name, int(name.partition("-")[2]))
        self.told = told

    def newest(self) -> int:
        """The highest number that can be read now."""
        numbers = [-1]
        for index in range(FILES):
            try:
                data = (self.current / f"file-{index}").read_bytes()
            except FileNotFoundError:
                continue
            numbers.append(int(data.split(b"\n", 1)[0]))
        return max(numbers)

    def _content(self, seq: int, name: str, number: int) -> None:
        path = self.current / name
        size = path.stat().st_size
        data = path.read_bytes()
        self.checked += 1
        if int(data.split(b"\n", 1)[0]) < number:
            self.faults.append(f"event {seq} told of {number} in {name}, read {data[:20]!r}")
        elif data not in (content(number), content(int(data.split(b"\n", 1)[0]))):
            self.faults.append(f"event {seq}: {name} is torn: {data!r}")
        if number == int(data.split(b"\n", 1)[0]) and size < len(data) and size != len(content(number)):
            self.faults.append(f"event {seq}: {name} had an old size {size}")

    def _gone(self, seq: int, name: str) -> None:
        self.checked += 1
        if (self.current / name).exists():
            self.faults.append(f"event {seq} told that {name} is gone, and it is there")
        if self.current / name in (self.current / "sub").iterdir():
            self.faults.append(f"event {seq} told that {name} is gone, and it is listed")

    def _there(self, seq: int, name: str, number: int) -> None:
        self.checked += 1
        listed = self.current / name in (self.current / "sub").iterdir()
        there = (self.current / name).exists()
        # It may have gone again by now: then something newer can be read.
        if not (there and listed) and self.newest() < number + LASTING:
            self.faults.append(f"event {seq} told of {name}: listed {listed}, there {there}")


def hammer(current: Path, ended: threading.Event) -> None:
    """Keep the kernel's caches filled with what is current."""
    while not ended.is_set():
        for folder in (current, current / "sub"):
            for path in folder.iterdir():
                with contextlib.suppress(FileNotFoundError, IsADirectoryError):
                    path.read_bytes()


def main(mount: Path, changes: int) -> int:
    """Read the stream, check what it tells."""
    watcher = Watcher(mount / "current", changes)
    ended = threading.Event()
    threading.Thread(target=hammer, args=(watcher.current, ended), daemon=True).start()
    pending = b""
    with (mount / "streams/events").open("rb", buffering=0) as stream:
        while watcher.told < changes - 1:
            data = stream.read(1 << 20)
            if not data:
                time.sleep(0.001)
                continue
            *lines, pending = (pending + data).split(b"\n")
            for line in lines:
                if line:
                    watcher.look(json.loads(line))
    ended.set()
    print("\n".join(watcher.faults) or f"checked {watcher.checked}")
    return bool(watcher.faults)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), int(sys.argv[2])))
