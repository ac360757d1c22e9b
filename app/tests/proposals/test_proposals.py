"""Making and ending proposals, what the log keeps of them, and what happens when it cannot be written."""

import asyncio
import errno
from typing import Any

import pytest

from lighthouse.events import Draft, EventStore, StoreUnavailable
from lighthouse.mount.proposal_inodes import Inodes
from lighthouse.proposals import (
    BadProposal,
    NoSuchProposal,
    OverQuota,
    ProposalBusy,
    ProposalTaken,
    rules,
)
from lighthouse.proposals import (
    proposals as room_module,
)
from lighthouse.proposals.node import Leaf
from tests.proposals.conftest import ME


@pytest.mark.parametrize("name", ["", "1st", "-x", "a/b", "a b", "ä", "x" * 101, "a.patch", ".hidden"])
async def test_names_that_no_proposal_can_have(room, name) -> None:
    with pytest.raises(BadProposal):
        await room.proposals.create(name, agent="ann")
    assert room.proposals.all() == []


async def test_a_name_is_free_again_once_its_proposal_has_ended(room) -> None:
    first = await room.proposals.create("p", agent="ann")
    with pytest.raises(ProposalTaken):
        await room.proposals.create("p", agent="bob")
    await room.proposals.withdraw("p", agent="ann", reason="no")
    with pytest.raises(NoSuchProposal):
        await room.proposals.withdraw("p", agent="ann")
    second = await room.proposals.create("p", agent="bob")
    assert room.proposals.get("p") is second is not first
    await room.again()
    (only,) = room.proposals.all()
    assert (only.agent, only.state, only.created_seq) == ("bob", "open", second.created_seq)


async def test_no_more_than_so_many_are_open(room, monkeypatch) -> None:
    monkeypatch.setattr(room_module, "MAX_OPEN", 2)
    await room.proposals.create("a", agent="ann")
    await room.proposals.create("b", agent="ann")
    with pytest.raises(OverQuota):
        await room.proposals.create("c", agent="ann")
    await room.proposals.withdraw("a", agent="ann")
    await room.proposals.create("c", agent="ann")


async def test_all_together_have_so_many_entries(make_room, monkeypatch) -> None:
    monkeypatch.setattr(room_module, "MAX_ENTRIES", 15)
    room = await make_room(proposal_max_entries=15)
    one, other = [await room.proposals.create(name, agent="ann") for name in ("a", "b")]
    for number in range(8):
        await room.write(one, f"n{number}", b"")
    for number in range(3):
        await room.write(other, f"n{number}", b"")
    with pytest.raises(OSError, match="refused") as refused:
        await room.write(other, "more", b"")
    assert refused.value.errno == errno.EDQUOT


async def test_of_ended_ones_only_the_last_are_kept(room, monkeypatch) -> None:
    monkeypatch.setattr(room_module, "MAX_CLOSED", 2)
    for name in ("a", "b", "c"):
        await room.proposals.create(name, agent="ann")
        await room.proposals.withdraw(name, agent="ann")
    await room.proposals.create("d", agent="ann")
    assert [proposal.name for proposal in room.proposals.all()] == ["b", "c", "d"]
    await room.again()
    assert [proposal.name for proposal in room.proposals.all()] == ["b", "c", "d"]


async def test_an_ended_proposal_keeps_its_patch_and_its_files(room) -> None:
    proposal = await room.proposals.create("p", agent="ann", title="A title")
    await room.write(proposal, "x", b"other\n")
    files = await room.proposals.changes(proposal)
    patch = await room.proposals.patch(proposal)
    text = patch.read(0, patch.size)
    patch.close()
    await room.proposals.applied("p", agent="ann")
    await room.again()
    ended = room.proposals.get("p")
    assert (ended.state, ended.title, ended.overlay) == ("applied", "A title", None)
    assert await room.proposals.changes(ended) == files
    kept = await room.proposals.patch(ended)
    assert kept.read(0, kept.size) == text


async def test_a_change_that_cannot_be_stored_is_none(room, monkeypatch) -> None:
    proposal = await room.proposals.create("p", agent="ann")

    async def refuse(self: EventStore, *args: Any, **kwargs: Any) -> Any:
        raise StoreUnavailable("the event store cannot be written")

    before = await room.picture(proposal)
    with monkeypatch.context() as broken:
        broken.setattr(EventStore, "append", refuse)
        place = room.place(proposal, "new")
        with pytest.raises(StoreUnavailable):
            await room.proposals.editor.make_folder(proposal, *place, 0o755, ME)
        with pytest.raises(StoreUnavailable):
            await room.proposals.editor.remove(proposal, *room.place(proposal, "x"), ME, a_folder=False)
    assert await room.picture(proposal) == before
    await room.proposals.editor.make_folder(proposal, *place, 0o755, ME)


async def test_a_change_in_doubt_is_found_in_the_log(room, monkeypatch) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    store = EventStore.append

    async def stored_but_refused(self: EventStore, *args: Any, **kwargs: Any) -> Any:
        await store(self, *args, **kwargs)
        raise StoreUnavailable("the commit failed after it reached the disk")

    with monkeypatch.context() as broken:
        broken.setattr(EventStore, "append", stored_but_refused)
        with pytest.raises(StoreUnavailable):
            await room.proposals.editor.make_folder(proposal, *room.place(proposal, "new"), 0o755, ME)
    with pytest.raises(FileExistsError):
        await room.proposals.editor.make_folder(proposal, *room.place(proposal, "new"), 0o755, ME)
    found = await room.picture(proposal)
    await room.again()
    assert await room.picture(room.proposals.get("p")) == found


@pytest.mark.parametrize("act", ["rebase", "withdraw"])
async def test_after_an_end_or_rebase_in_doubt_nothing_is_taken_that_a_restart_would_lose(
    room, monkeypatch, act: str
) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    await room.write(proposal, "x", b"other\n")
    (room.project / "more").touch()
    await room.shadow.scan()
    store = EventStore.append

    async def stored_but_refused(self: EventStore, *args: Any, **kwargs: Any) -> Any:
        await store(self, *args, **kwargs)
        raise StoreUnavailable("the commit failed after it reached the disk")

    with monkeypatch.context() as broken:
        broken.setattr(EventStore, "append", stored_but_refused)
        with pytest.raises(StoreUnavailable):
            await getattr(room.proposals, act)("p", agent="ann")
    with pytest.raises(StoreUnavailable, match="do that again"):
        await room.proposals.editor.make_folder(proposal, *room.place(proposal, "new"), 0o755, ME)
    await getattr(room.proposals, act)("p", agent="ann")
    if act == "rebase":
        await room.proposals.editor.make_folder(proposal, *room.place(proposal, "new"), 0o755, ME)
        found = await room.picture(proposal)
        assert {"new", "more"} <= found.keys()
        await room.again()
        assert await room.picture(room.proposals.get("p")) == found
    else:
        await room.again()
        assert room.proposals.get("p").state == "withdrawn"


async def test_what_is_being_written_is_not_in_the_way_of_others(room) -> None:
    """Many files at once, each written in pieces while others come and go."""
    proposal = await room.proposals.create("p", agent="ann")
    editor = room.proposals.editor

    async def work(number: int) -> None:
        leaf = await editor.create(proposal, *room.place(proposal, f"f{number}"), 0o644, ME)
        for piece in range(5):
            await editor.write(proposal, leaf, piece * 3, b"%03d" % number)
        await editor.save(proposal, leaf, ME)
        await editor.release(proposal, leaf, ME)
        await editor.rename(
            proposal, room.place(proposal, f"f{number}"), room.place(proposal, f"g{number}"), ME
        )

    await asyncio.gather(*(work(number) for number in range(50)))
    found = await room.picture(proposal)
    assert all(found[f"g{number}"][2] == b"%03d" % number * 5 for number in range(50))
    assert list(room.proposals.folder.iterdir()) == []
    await room.again()
    assert await room.picture(room.proposals.get("p")) == found


async def test_a_file_that_is_renamed_while_it_is_written(room) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    editor = room.proposals.editor
    leaf = await editor.create(proposal, *room.place(proposal, "new"), 0o644, ME)
    await editor.write(proposal, leaf, 0, b"half")
    await editor.rename(proposal, room.place(proposal, "new"), room.place(proposal, "x"), ME)
    await editor.write(proposal, leaf, 4, b" and half")
    await room.again()
    kept = room.proposals.get("p")
    assert (await room.picture(kept))["x"] == ("f", False, b"half")


async def test_nothing_is_kept_of_a_file_removed_before_it_was_saved(room) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    editor = room.proposals.editor
    before = len(await room.changes())
    leaf = await editor.create(proposal, *room.place(proposal, "new"), 0o644, ME)
    await editor.write(proposal, leaf, 0, b"never")
    await editor.remove(proposal, *room.place(proposal, "new"), ME, a_folder=False)
    assert await editor.read(leaf, 0, 10) == b"never"
    await editor.save(proposal, leaf, ME)
    assert await editor.release(proposal, leaf, ME)
    assert len(await room.changes()) == before
    assert proposal.tree.bytes == 0


async def test_a_rebase_waits_for_no_writer(room) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    leaf = room.find(proposal, "x")
    assert isinstance(leaf, Leaf)
    await room.proposals.editor.open(leaf, proposal, write=True, empty=False)
    await room.proposals.editor.write(proposal, leaf, 0, b"X")
    (room.project / "more").touch()
    await room.shadow.scan()
    with pytest.raises(ProposalBusy):
        await room.proposals.rebase("p", agent="ann")
    await room.proposals.editor.save(proposal, leaf, ME)
    await room.proposals.rebase("p", agent="ann")
    assert (await room.picture(proposal))["x"] == ("f", False, b"X\ny\nz\n")


async def test_what_a_rebase_overtook_is_not_told_as_saved(room, monkeypatch) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    await room.write(proposal, "x", b"X\ny\nz\n")
    leaf, editor, inodes = room.find(proposal, "x"), room.proposals.editor, Inodes()
    inodes.told(proposal, proposal.tree.root)
    inodes.told(proposal, leaf)
    room.proposals.add_listener(inodes.changed)
    await editor.open(leaf, proposal, write=True, empty=False)
    (room.project / "x").write_text("x\ny\nZ\n")
    await room.shadow.scan()
    saving: list[asyncio.Task[None]] = []

    async def rebased(*args: Any) -> None:
        # The event is stored; now somebody writes and closes.
        await editor.write(proposal, leaf, 0, b"late")
        saving.append(asyncio.create_task(editor.save(proposal, leaf, ME)))
        await asyncio.sleep(0)
        await journal_rebased(*args)

    journal_rebased = room_module.journal.rebased
    monkeypatch.setattr(room_module.journal, "rebased", rebased)
    await room.proposals.rebase("p", agent="ann")
    with pytest.raises(OSError, match=rf"Errno {errno.ESTALE}\]"):
        await saving[0]
    assert not await editor.release(proposal, leaf, ME)
    assert (await room.picture(proposal))["x"] == ("f", False, b"X\ny\nZ\n")


async def test_a_rebase_keeps_to_the_quota_of_entries(make_room) -> None:
    room = await make_room(proposal_max_entries=20)
    (room.project / "big").mkdir()
    for number in range(21):
        (room.project / f"big/{number}").write_text(str(number))
    await room.shadow.scan()
    proposal = await room.proposals.create("p", agent="ann")
    places = room.place(proposal, "big"), room.place(proposal, "large")
    await room.proposals.editor.rename(proposal, *places, ME)
    (room.project / "more").touch()
    await room.shadow.scan()
    base, entries = proposal.base, proposal.tree.entries
    with pytest.raises(OverQuota):
        await room.proposals.rebase("p", agent="ann")
    assert (proposal.base, proposal.tree.entries) == (base, entries)


async def test_nothing_gets_too_deep_by_an_exchange(room, monkeypatch) -> None:
    monkeypatch.setattr(rules, "MAX_DEPTH", 3)
    proposal = await room.proposals.create("p", agent="ann")
    editor = room.proposals.editor
    for path in ("m", "m/n", "m/n/o"):
        await editor.make_folder(proposal, *room.place(proposal, path), 0o755, ME)
    for source, target in (("a/b", "m"), ("m", "a/b")):
        places = room.place(proposal, source), room.place(proposal, target)
        with pytest.raises(OSError, match=rf"Errno {errno.ENAMETOOLONG}\]"):
            await editor.rename(proposal, *places, ME, exchange=True)
    assert "m/n/o" in await room.picture(proposal)


async def test_no_file_is_copied_that_has_no_room(make_room) -> None:
    room = await make_room(proposal_max_bytes=4)
    proposal = await room.proposals.create("p", agent="ann")
    leaf, editor = room.find(proposal, "c/run"), room.proposals.editor
    await editor.open(leaf, proposal, write=True, empty=False)
    with pytest.raises(OSError, match=rf"Errno {errno.EDQUOT}\]"):
        await editor.write(proposal, leaf, 0, b"x")
    assert list(room.proposals.folder.iterdir()) == []
    assert await editor.release(proposal, leaf, ME)


async def test_a_patch_that_its_proposal_s_end_overtook(room, monkeypatch) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    await room.write(proposal, "x", b"other\n")
    patches = room.proposals.patches
    write = patches.write

    async def slow(proposal: Any) -> Any:
        path = await write(proposal)
        monkeypatch.setattr(patches, "write", write)
        await room.proposals.withdraw("p", agent="ann")
        return path

    monkeypatch.setattr(patches, "write", slow)
    with pytest.raises(NoSuchProposal):
        await room.proposals.patch(proposal)
    assert list(room.proposals.folder.iterdir()) == []
    assert b"+other" in (await room.proposals.patch(proposal)).read(0, 1000)


async def test_applied_is_found_at_the_start_too(room, wait_for) -> None:
    proposal = await room.proposals.create("p", agent="ann")
    await room.write(proposal, "x", b"other\n")
    await room.proposals.close()
    (room.project / "x").write_text("other\n")
    await room.shadow.scan()
    await room.again()
    await wait_for(lambda: room.proposals.get("p").state == "applied")


async def test_nobody_at_work_is_taken_his_proposal_from(room, wait_for) -> None:
    working = await room.proposals.create("p", agent="ann")
    done = await room.proposals.create("q", agent="ann")
    for proposal in (working, done):
        await room.write(proposal, "x", b"other\n")
    leaf = await room.proposals.editor.create(working, *room.place(working, "next"), 0o644, ME)
    (room.project / "x").write_text("other\n")
    await room.shadow.scan()
    await wait_for(lambda: done.state == "applied")
    assert working.state == "open"
    assert await room.proposals.editor.release(working, leaf, ME)
    assert "next" in await room.picture(working)


async def test_a_proposal_without_changes_is_never_taken_as_applied(room) -> None:
    await room.proposals.create("p", agent="ann")
    (room.project / "x").write_text("other\n")
    await room.shadow.scan()
    other = await room.proposals.create("q", agent="ann")
    await room.write(other, "x", b"mine\n")
    (room.project / "x").write_text("mine\n")
    await room.shadow.scan()
    while room.proposals.get("q").state != "applied":
        await asyncio.sleep(0.005)
    assert room.proposals.get("p").state == "open"


async def test_what_lies_in_the_scratch_folder_at_the_start_is_thrown_away(room) -> None:
    (room.proposals.folder / "left").write_text("by a crash")
    await room.again()
    assert list(room.proposals.folder.iterdir()) == []


async def test_a_lost_base_leaves_the_others_alone(room, caplog) -> None:
    await room.proposals.create("a", agent="ann")
    draft = {"name": "b", "base": 1, "root": "00" * 32, "mtime_ns": 0, "title": ""}
    await room.store.append([Draft("proposal.created", draft, "proposals")], agent_id="lighthouse")
    await room.again()
    assert [proposal.name for proposal in room.proposals.all()] == ["a"]
    assert "cannot be done again" in caplog.text
