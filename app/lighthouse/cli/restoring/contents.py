"""The contents a plan needs, fetched and checked before anything is written; and the plan as a patch."""

import asyncio
import hashlib
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from lighthouse.cli.output import Progress
from lighthouse.cli.restoring.disk import Disk
from lighthouse.cli.restoring.plan import Step
from lighthouse.errors import LighthouseError
from lighthouse.paths import ProjectPath, to_bytes
from lighthouse.shadow.diff import Change, ChangeOp
from lighthouse.shadow.entry import FILE, FOLDER, LINK, Entry, Kind

if TYPE_CHECKING:
    from lighthouse.client.client import Client

PIECE = 4 * 1024 * 1024
AT_ONCE = 8
_OPS: dict[str, ChangeOp] = {"create": "created", "replace": "modified", "delete": "deleted", "mode": "mode"}
_KINDS: dict[str, Kind] = {"file": FILE, "folder": FOLDER, "symlink": LINK}


class Damaged(LighthouseError):
    """A content that arrived is not the one that was captured."""


class Contents:
    """Contents by hash in a folder of their own; the disk's own ones are read where they are."""

    def __init__(self, folder: Path, disk: Disk) -> None:
        self._folder = folder
        self._disk = disk
        self._targets: dict[bytes, bytes] = {}
        self._places: dict[bytes, ProjectPath] = {}

    def stored(self, digest: bytes) -> Path:
        """The file with this content."""
        return self._folder / digest.hex()

    async def fetch(self, bridge: "Client", seq: int, steps: Iterable[Step], show: Progress | None) -> None:
        """Get what is to be written from version `seq`. Raises Damaged, or what the client raises."""
        needed = {
            step.then.hash: step
            for step in steps
            if step.then is not None and step.then.kind == "file" and step.op != "mode"
        }
        waiting = list(needed.items())
        for start in range(0, len(waiting), AT_ONCE):
            if show is not None:
                show(start, len(waiting))
            some = waiting[start : start + AT_ONCE]
            await asyncio.gather(*(self._fetch(bridge, seq, step.path, digest) for digest, step in some))

    async def _fetch(self, bridge: "Client", seq: int, path: ProjectPath, digest: bytes) -> None:
        found = hashlib.sha256()
        with self.stored(digest).open("xb") as file:
            while True:
                piece = await bridge.read(to_bytes(path), at=seq, offset=file.tell(), size=PIECE)
                file.write(piece.content)
                found.update(piece.content)
                if not piece.content or file.tell() >= piece.size:
                    break
        if found.digest() != digest:
            name = to_bytes(path).decode("utf-8", "replace")
            raise Damaged(f"{name} arrived damaged", "try again, and check the bridge with lighthouse doctor")

    def changes(self, steps: Iterable[Step]) -> list[Change]:
        """The steps as changes, which `patch.unified` shows with `read`; folders are not among them."""
        listed: list[Change] = []
        for step in steps:
            old, new = self._before(step), self._after(step)
            if old is not None and new is not None and old.kind != new.kind:
                listed.append(Change(step.path, "deleted", old, None))
                old = None
            if old is not None or new is not None:
                op = "created" if old is None else _OPS[step.op]
                listed.append(Change(step.path, op, old, new))
        return listed

    def read(self, entry: Entry, offset: int, size: int) -> bytes:
        """A piece of a content of either side. Raises OSError."""
        if entry.hash in self._targets:
            return self._targets[entry.hash][offset : offset + size]
        place = self._places.get(entry.hash)
        with self._disk.open(place) if place is not None else self.stored(entry.hash).open("rb") as file:
            file.seek(offset)
            return file.read(size)

    def _before(self, step: Step) -> Entry | None:
        now = step.now
        if now is None or now.kind in ("folder", "other"):
            return None
        if now.kind == "symlink":
            self._targets[now.hash] = self._disk.target(step.path)
        elif not self.stored(now.hash).exists():
            self._places[now.hash] = step.path
        return Entry(step.path[-1], _KINDS[now.kind], now.mode, now.size, 0, now.hash)

    def _after(self, step: Step) -> Entry | None:
        then = step.then
        if then is None or then.kind == "folder":
            return None
        if then.kind == "symlink":
            self._targets[then.hash] = then.target
        return Entry(step.path[-1], _KINDS[then.kind], then.mode, then.size, 0, then.hash)
