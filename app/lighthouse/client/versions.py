"""Versions of the project: names for them, what differs between them, all that is in one."""

from collections.abc import Sequence
from urllib.parse import quote

from lighthouse.client.answers_versions import (
    Changes,
    SnapshotInfo,
    SnapshotPage,
    TreeEntry,
    TreePage,
    UpdatedShadow,
)
from lighthouse.client.asking import Asking, given
from lighthouse.client.reading import quoted_path

PAGE = 1000
TREE_PAGE = 10_000


class Versions(Asking):
    """The project through time. A moment is a number, an RFC 3339 time, a snapshot's name or `current`."""

    async def create_snapshot(
        self, name: str, *, at: str | int | None = None, note: str = ""
    ) -> SnapshotInfo:
        """Give the version at `at` (None: what stands in the project now) a name.

        The same name for the same version again is the snapshot that is there; for another one it is refused.
        """
        body = given({"at": None if at is None else str(at), "note": note})
        answer = await self._ask("POST", f"/snapshot/{quote(name, safe='')}", body=body, repeatable=True)
        return self._transport.decode(answer, SnapshotInfo)

    async def snapshots(self) -> list[SnapshotInfo]:
        """Every snapshot in the order in which they were made."""
        found: list[SnapshotInfo] = []
        while True:
            query = {"offset": str(len(found)), "limit": str(PAGE)}
            answer = await self._ask("GET", "/snapshots", query=query, repeatable=True)
            page = self._transport.decode(answer, SnapshotPage)
            found += page.snapshots
            if len(found) >= page.total or not page.snapshots:
                return found

    async def diff(
        self, old: str | int, new: str | int = "current", *, path: str = "", limit: int = 1000
    ) -> Changes:
        """What differs between two moments, at and beneath `path`; at most `limit` changes are listed."""
        query = {"from": str(old), "to": str(new), "path": path, "limit": str(limit)}
        return self._transport.decode(await self._ask("GET", "/diff", query=query, repeatable=True), Changes)

    async def patch(self, old: str | int, new: str | int = "current", *, path: str = "") -> bytes:
        """The same as a patch that `git apply` takes."""
        query = {"from": str(old), "to": str(new), "path": path, "format": "patch"}
        return (await self._ask("GET", "/diff", query=query, repeatable=True)).body

    async def update_shadow(self, paths: Sequence[str] | None = None) -> UpdatedShadow:
        """Have the bridge look at the project now, everywhere or beneath `paths`, as after a checkout."""
        body = given({"paths": None if paths is None else list(paths)})
        answer = await self._ask("POST", "/shadow/update", body=body, repeatable=True)
        return self._transport.decode(answer, UpdatedShadow)

    async def tree(
        self, path: str | bytes = "", *, at: str | int | None = None
    ) -> tuple[int, list[TreeEntry]]:
        """The version at `at` and all it holds at and beneath `path`, each folder before what is in it."""
        entries: list[TreeEntry] = []
        query = given({"at": None if at is None else str(at), "limit": str(TREE_PAGE)})
        while True:
            answer = await self._ask("GET", f"/shadow/tree/{quoted_path(path)}", query=query, repeatable=True)
            page = self._transport.decode(answer, TreePage)
            entries += page.entries
            if page.next_cursor is None:
                return page.seq, entries
            # The number stands for the version that the first page came from.
            query |= {"at": str(page.seq), "cursor": page.next_cursor}
