"""A proposal put on another version holds both sides' changes, or is unchanged and the files are named."""

import shutil
from typing import Any

import pytest

from lighthouse.proposals import ProposalConflict
from tests.proposals.conftest import ME, Room, on_disk


class Bench:
    """A proposal to be changed, a project to be changed, and what both together should be."""

    def __init__(self, room: Room, proposal: Any) -> None:
        self.room = room
        self.proposal = proposal
        self.project = room.project

    async def write(self, path: str, text: str) -> None:
        await self.room.write(self.proposal, path, text.encode())

    async def remove(self, path: str, *, a_folder: bool = False) -> None:
        place = self.room.place(self.proposal, path)
        await self.room.proposals.editor.remove(self.proposal, *place, ME, a_folder=a_folder)

    async def rename(self, old: str, new: str) -> None:
        places = self.room.place(self.proposal, old), self.room.place(self.proposal, new)
        await self.room.proposals.editor.rename(self.proposal, *places, ME)

    async def mkdir(self, path: str) -> None:
        place = self.room.place(self.proposal, path)
        await self.room.proposals.editor.make_folder(self.proposal, *place, 0o755, ME)

    async def chmod(self, path: str, mode: int) -> None:
        node = self.room.find(self.proposal, path)
        await self.room.proposals.editor.set_attributes(self.proposal, node, ME, mode=mode)

    async def rebase(self) -> dict[str, Any]:
        """The proposal after the rebase, and again after a restart."""
        await self.room.shadow.scan()
        await self.room.proposals.rebase("p", agent="ann")
        found = await self.room.picture(self.proposal)
        await self.room.again()
        self.proposal = self.room.proposals.get("p")
        assert await self.room.picture(self.proposal) == found
        return found

    async def conflict(self) -> str:
        """What is told, after making sure that nothing was changed."""
        await self.room.shadow.scan()
        before, base = await self.room.picture(self.proposal), self.proposal.base
        with pytest.raises(ProposalConflict) as told:
            await self.room.proposals.rebase("p", agent="ann")
        assert await self.room.picture(self.proposal) == before
        assert self.proposal.base == base
        return str(told.value)


@pytest.fixture
async def bench(room: Room) -> Bench:
    return Bench(room, await room.proposals.create("p", agent="ann"))


async def test_other_files(bench) -> None:
    await bench.write("a/one", "mine\n")
    await bench.write("a/new", "new\n")
    await bench.remove("c/run")
    (bench.project / "x").write_text("theirs\n")
    (bench.project / "a" / "b" / "more").write_text("more\n")
    (bench.project / "y").unlink()
    found = await bench.rebase()
    wanted = on_disk(bench.project)
    wanted["a/one"] = "f", False, b"mine\n"
    wanted["a/new"] = "f", False, b"new\n"
    del wanted["c/run"]
    assert found == wanted


async def test_the_same_changes_on_both_sides_are_none_any_more(bench) -> None:
    await bench.write("a/one", "same\n")
    await bench.write("n", "same\n")
    await bench.remove("a/b/two")
    await bench.remove("a/b", a_folder=True)
    await bench.chmod("x", 0o755)
    (bench.project / "a/one").write_text("same\n")
    (bench.project / "n").write_text("same\n")
    shutil.rmtree(bench.project / "a/b")
    (bench.project / "x").chmod(0o755)
    assert await bench.rebase() == on_disk(bench.project)
    assert await bench.room.proposals.changes(bench.proposal) == []
    assert bench.proposal.tree.entries == 0


async def test_both_sides_of_one_file(bench) -> None:
    (bench.project / "x").write_text("1\n2\n3\n4\n5\n")
    await bench.rebase()
    await bench.write("x", "one\n2\n3\n4\n5\n")
    await bench.chmod("x", 0o755)
    (bench.project / "x").write_text("1\n2\n3\n4\nfive\n")
    assert (await bench.rebase())["x"] == ("f", True, b"one\n2\n3\n4\nfive\n")


async def test_a_mode_and_a_content(bench) -> None:
    await bench.chmod("x", 0o755)
    await bench.write("c/run", "mine\n")
    (bench.project / "x").write_text("theirs\n")
    (bench.project / "c/run").chmod(0o644)
    found = await bench.rebase()
    assert found["x"] == ("f", True, b"theirs\n")
    assert found["c/run"] == ("f", False, b"mine\n")


async def test_a_renamed_file_takes_the_changes_along(bench) -> None:
    text = "".join(f"{number}\n" for number in range(20))
    (bench.project / "long").write_text(text)
    await bench.rebase()
    await bench.rename("long", "a/longer")
    await bench.write("a/longer", text.replace("3\n", "three\n", 1))
    (bench.project / "long").write_text(text + "end\n")
    found = await bench.rebase()
    assert "long" not in found
    assert found["a/longer"] == ("f", False, (text.replace("3\n", "three\n", 1) + "end\n").encode())


async def test_a_renamed_folder(bench) -> None:
    await bench.rename("a", "z")
    (bench.project / "a/one").write_text("one, changed\n")
    (bench.project / "a/added").write_text("added\n")
    found = await bench.rebase()
    assert found["z/one"] == ("f", False, b"one, changed\n")
    files = await bench.room.proposals.changes(bench.proposal)
    assert {(file.path, file.op, file.uid) for file in files} == {
        ("z/one", "renamed", ME),
        ("z/b/two", "renamed", ME),
    }
    assert found["z/b/two"] == ("f", False, b"two\n")
    assert found["a/added"] == ("f", False, b"added\n")
    assert "a/one" not in found


async def test_folders_without_files(bench) -> None:
    await bench.mkdir("empty")
    await bench.mkdir("a/mine")
    await bench.remove("c/run")
    await bench.remove("c", a_folder=True)
    (bench.project / "other").mkdir()
    found = await bench.rebase()
    assert {"empty", "a/mine", "other"} <= found.keys()
    assert "c" not in found


async def test_a_file_in_a_folder_that_the_project_removed(bench) -> None:
    await bench.write("a/b/mine", "mine\n")
    shutil.rmtree(bench.project / "a")
    found = await bench.rebase()
    assert found["a/b/mine"] == ("f", False, b"mine\n")
    assert "a/one" not in found


async def test_a_file_that_became_a_folder(bench) -> None:
    await bench.remove("x")
    await bench.mkdir("x")
    await bench.write("x/in", "in\n")
    (bench.project / "a/one").write_text("changed\n")
    found = await bench.rebase()
    assert found["x/in"] == ("f", False, b"in\n")
    assert found["a/one"] == ("f", False, b"changed\n")


@pytest.mark.parametrize("mine", ["write", "remove"])
async def test_the_same_lines(bench, mine) -> None:
    await (bench.write("x", "mine\n") if mine == "write" else bench.remove("x"))
    (bench.project / "x").write_text("theirs\n")
    assert "changed too: x" in await bench.conflict()


async def test_removed_there_and_changed_here(bench) -> None:
    await bench.write("x", "mine\n")
    (bench.project / "x").unlink()
    assert "x" in await bench.conflict()


async def test_made_on_both_sides(bench) -> None:
    await bench.write("new", "mine\n")
    (bench.project / "new").write_text("theirs\n")
    assert "new" in await bench.conflict()


async def test_a_folder_where_a_file_was_made(bench) -> None:
    await bench.write("new", "mine\n")
    (bench.project / "new").mkdir()
    (bench.project / "new" / "in").write_text("in\n")
    assert "new" in await bench.conflict()


async def test_a_file_where_a_folder_was_needed(bench) -> None:
    await bench.write("c/mine", "mine\n")
    shutil.rmtree(bench.project / "c")
    (bench.project / "c").write_text("a file now\n")
    assert "c/mine" in await bench.conflict()


async def test_no_text(bench) -> None:
    (bench.project / "bin").write_bytes(b"\0one")
    await bench.rebase()
    await bench.write("bin", "\0two")
    (bench.project / "bin").write_bytes(b"\0three")
    assert "bin" in await bench.conflict()
