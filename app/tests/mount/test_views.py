"""What other rooms hand to the mount: one tree that changes, trees by name, the project's versions."""

import errno
import os
import re
from collections.abc import Callable

import pytest

from lighthouse.mount import Mount
from lighthouse.mount.fixed import CONTEXT, HISTORY
from lighthouse.mount.inodes import ROOT, Inodes
from lighthouse.mount.named import NamedFolder
from lighthouse.mount.stored import Held
from lighthouse.paths import parse


class Notes:
    """A LiveView of a few files, whose contents lie with it."""

    def __init__(self, shadow) -> None:
        self._shadow = shadow
        self._contents: dict[bytes, bytes] = {}
        self._listeners: list[Callable] = []

    async def show(self, **files: str) -> None:
        self.tree = await stored(self._shadow, files)
        for listener in self._listeners:
            listener(self.tree)

    def add_listener(self, callback) -> None:
        self._listeners.append(callback)

    def read_cached(self, content: bytes, offset: int, size: int) -> bytes | None:
        return None


class Packages:
    """NamedViews that a test fills."""

    def __init__(self) -> None:
        self.trees: dict[str, object] = {}
        self.opened: list[str] = []
        self._listeners: list[Callable] = []

    def put(self, name: str, tree) -> None:
        self.trees[name] = tree
        self.tell(name)

    def drop(self, name: str) -> None:
        del self.trees[name]
        self.tell(name)

    def tell(self, name: str) -> None:
        for listener in self._listeners:
            listener(name)

    def names(self) -> dict[str, int]:
        return {name: 10**18 + len(name) for name in self.trees}

    def open(self, name: str):
        self.opened.append(name)
        return self.trees.get(name)

    def add_listener(self, callback) -> None:
        self._listeners.append(callback)


async def stored(shadow, files: dict[str, str]):
    """A stored tree of files by path."""
    entries = {}
    for path, text in files.items():
        data = text.encode()
        digest = await shadow.keep(data)
        entries[parse(path)] = ("f", 0o644, digest, len(data), 10**18)
    return shadow.open_tree(await shadow.keep_tree(entries), 10**18)


@pytest.fixture
async def rooms(world) -> tuple[Notes, Packages]:
    """The world's mount, replaced by one with both other rooms."""
    notes, packages = Notes(world.shadow), Packages()
    await notes.show()
    await world.mount.stop()
    world.mount = Mount(
        world.shadow,
        world.store,
        lambda: world.health,
        world.settings,
        shadows=notes,
        contexts=packages,
        metrics=lambda: b"figure 1\n",
    )
    await world.mount.start(str(world.place))
    return notes, packages


async def test_names_are_gathered_once_until_they_change() -> None:
    # Each piece of a listing asks for them: with thousands of snapshots that would hold everybody up.
    packages, unused = Packages(), None
    packages.trees = {"one": None}
    folder = NamedFolder(CONTEXT, packages, Inodes(), unused, unused, outer=ROOT, held=Held())
    names = await folder.members()
    assert set(names) == {b"one"}
    assert await folder.members() is names
    packages.trees["second"] = None
    folder.changed("second")
    assert set(await folder.members()) == {b"one", b"second"}
    assert set(names) == {b"one"}


async def test_a_room_with_one_tree(world, rooms) -> None:
    notes, _ = rooms
    shown = world.place / "shadows"
    assert await world.out("ls", shown) == ""
    await notes.show(**{"src/main.py.annotations.json": "[1]"})
    await world.mount.settle()
    assert await world.out("find", ".", cwd=shown) == ".\n./src\n./src/main.py.annotations.json\n"
    assert await world.out("cat", shown / "src/main.py.annotations.json") == "[1]"
    await notes.show(**{"src/main.py.annotations.json": "[1, 2]", "other.annotations.json": "[]"})
    await world.mount.settle()
    assert await world.out("cat", shown / "src/main.py.annotations.json") == "[1, 2]"
    assert sorted(await world.away(os.listdir, shown)) == ["other.annotations.json", "src"]


async def test_a_room_with_trees_by_name(world, rooms) -> None:
    _, packages = rooms
    shown = world.place / "context"
    assert await world.out("ls", shown) == ""
    packages.put("review", await stored(world.shadow, {"files/a": "A", "manifest.json": "{}"}))
    await world.mount.settle()
    assert await world.out("ls", shown) == "review\n"
    assert await world.out("cat", shown / "review/files/a") == "A"
    packages.put("review", await stored(world.shadow, {"files/a": "B"}))
    await world.mount.settle()
    assert await world.out("cat", shown / "review/files/a") == "B"
    assert await world.out("ls", shown / "review") == "files\n"
    assert (await world.away(shown.stat)).st_mtime_ns == 10**18 + len("review")
    packages.drop("review")
    await world.mount.settle()
    assert not await world.away((shown / "review").exists)
    assert await world.out("ls", shown) == ""


async def test_a_name_that_comes_after_it_was_looked_for(world, rooms) -> None:
    _, packages = rooms
    shown = world.place / "context"
    for _ in range(3):
        assert not await world.away((shown / "late").exists)
    # Not even told of: what is not there is asked for each time.
    packages.trees["late"] = await stored(world.shadow, {"a": "A"})
    assert await world.out("cat", shown / "late/a") == "A"


async def test_a_tree_is_opened_once_while_it_is_known(world, rooms) -> None:
    _, packages = rooms
    packages.put(
        "one", await stored(world.shadow, {f"{folder}/{file}": file for folder in "ab" for file in "cd"})
    )
    for _ in range(3):
        await world.out("grep", "-r", "c", world.place / "context/one")
    assert packages.opened.count("one") == 1


async def test_metrics_are_shown(world, rooms) -> None:
    assert await world.out("cat", world.place / "debug/metrics.prom") == "figure 1\n"


async def test_past_versions_by_number(world) -> None:
    first = world.shadow.current.seq
    (world.project / "README").write_text("second\n")
    (world.project / "src/main.py").unlink()
    await world.captured()
    second = world.shadow.current.seq
    history = world.place / "history"
    assert await world.out("cat", history / str(first) / "README") == "a project\n"
    assert await world.out("cat", history / str(first) / "src/main.py") == "print('one')\n"
    assert await world.out("cat", history / str(second) / "README") == "second\n"
    assert await world.out("diff", "-r", "--no-dereference", world.current, history / str(second)) == ""
    assert not await world.away((history / str(second) / "src/main.py").exists)
    assert await world.out("ls", history) == ""


async def test_other_numbers_and_times_are_links_to_the_version_that_was_current(world) -> None:
    first = world.shadow.current.seq
    (event,) = await world.append({"n": 1})
    history = world.place / "history"
    assert await world.away(os.readlink, history / str(event.seq)) == str(first)
    assert await world.away(os.readlink, history / f"00{first}") == str(first)
    assert await world.away(os.readlink, history / event.ts) == str(first)
    assert await world.out("cat", history / event.ts / "README") == "a project\n"
    for name in (
        "0",
        str(event.seq + 1000),
        "2001-01-01T00:00:00Z",
        "2999-01-01T00:00:00Z",
        "nobody",
        "-1",
        "\udcff",
    ):
        with pytest.raises(OSError, match="No such file"):
            await world.away((history / name).stat)


async def test_a_number_that_was_too_high_is_found_once_there_is_such_an_event(world) -> None:
    history = world.place / "history"
    number = world.store.head.seq + 1
    for _ in range(2):
        assert not await world.away((history / str(number)).exists)
    await world.append({"n": 1})
    assert await world.out("cat", history / str(number) / "README") == "a project\n"


async def test_a_snapshot_is_a_folder_that_is_listed(world) -> None:
    history = world.place / "history"
    assert await world.out("ls", history) == ""
    named = await world.shadow.snapshots.create("before", note="", agent_id="ann")
    (world.project / "README").write_text("second\n")
    await world.captured()
    assert await world.out("ls", history) == "before\n"
    assert await world.out("cat", history / "before/README") == "a project\n"
    assert not await world.away(os.path.islink, history / "before")
    in_name = await world.away(os.stat, history / "before/README")
    in_number = await world.away(os.stat, history / f"{named.seq}/README")
    now = await world.away(os.stat, world.current / "src")
    assert len({in_name.st_ino, in_number.st_ino, now.st_ino}) == 3


async def test_equal_folders_of_two_versions_are_two_inodes(world) -> None:
    first = world.shadow.current.seq
    (world.project / "README").write_text("second\n")
    await world.captured()
    history = world.place / "history"
    inodes = [
        (await world.away(os.stat, history / str(seq) / "src")).st_ino
        for seq in (first, world.shadow.current.seq, first)
    ]
    assert inodes[0] == inodes[2] != inodes[1]


async def test_what_nobody_looks_at_is_forgotten(world) -> None:
    await world.out(
        "grep", "-r", "nothing", world.place / "history" / str(world.shadow.current.seq)
    ) if False else None
    await world.out("ls", "-lR", world.place / "history" / str(world.shadow.current.seq))
    top = world.mount._top
    assert top._named[HISTORY]._trees
    for inode in list(top.inodes.known.values()):
        count, inode.lookups = inode.lookups, 0
        if count:
            inode.unused()
    assert not top._named[HISTORY]._trees
    assert not top._named[HISTORY]._links
    assert all(number < 64 for number in top.inodes.known)


async def test_history_cannot_be_written(world) -> None:
    with pytest.raises(OSError) as raised:  # noqa: PT011
        await world.away((world.place / "history" / "new").mkdir)
    assert raised.value.errno == errno.EROFS
    assert re.fullmatch(r"\d+", str(world.shadow.current.seq))
