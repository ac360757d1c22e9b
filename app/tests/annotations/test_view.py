"""The notes as files: where each stands today, sizes and hashes right, new trees told as files change."""

import hashlib
from pathlib import Path

import msgspec

from lighthouse.annotations import Annotations, Target
from lighthouse.annotations.view import NotesView
from lighthouse.paths import ProjectPath, parse
from lighthouse.shadow import Shadow
from lighthouse.shadow.diff import leaves
from lighthouse.shadow.tree import Tree
from tests.conftest import WaitFor

ORDERS = "shop/orders.py"


def files(view: NotesView) -> dict[str, bytes]:
    """Every file of the view with its content, read in pieces, after checking size and hash."""
    tree, found = view.tree, {}
    root = tree.lookup(())
    assert root is not None
    for path, entry in leaves(tree, (), root):
        pieces = [view.read_cached(entry.hash, at, 100) or b"" for at in range(0, entry.size + 100, 100)]
        data = b"".join(pieces)
        assert (len(data), hashlib.sha256(data).digest()) == (entry.size, entry.hash)
        assert tree.lookup(path) == entry
        found[b"/".join(path).decode()] = data
    return found


async def test_notes_are_mirrored_by_path(notes: Annotations, wait_for: WaitFor) -> None:
    assert files(notes.view) == {}
    told: list[Tree] = []
    notes.view.add_listener(told.append)
    await notes.annotate(Target(ORDERS, line=60), "rounds twice", severity="error", agent_id="ann")
    await wait_for(lambda: told)
    shown = files(notes.view)
    assert list(shown) == ["shop/orders.py.annotations.json"]
    content = msgspec.json.decode(shown["shop/orders.py.annotations.json"])
    [note] = content["annotations"]
    assert content["path"] == ORDERS
    assert (note["status"], note["lines"], note["symbol"]) == ("same", [60, 60], "Order.total")
    assert (note["agent_id"], note["severity"], note["category"], note["text"]) == (
        "ann",
        "error",
        "note",
        "rounds twice",
    )
    assert note["anchor"]["nodes"][1]["name"] == "total"
    await notes.end(note["id"], "resolved", agent_id="bob")
    await wait_for(lambda: files(notes.view) == {})


async def test_a_note_that_moved_shows_under_its_new_file(
    notes: Annotations, shadow: Shadow, project: Path, wait_for: WaitFor
) -> None:
    await notes.annotate(Target("shop/pricing.py", symbol="convert"), "cents?", agent_id="ann")
    await wait_for(lambda: files(notes.view))
    old = notes.view.tree.lookup(parse("shop/pricing.py.annotations.json"))
    (project / "shop" / "pricing.py").rename(project / "money.py")
    await shadow.scan()
    await wait_for(lambda: "money.py.annotations.json" in files(notes.view))
    assert list(files(notes.view)) == ["money.py.annotations.json"]
    assert old is not None
    former = notes.view.read_cached(old.hash, 0, old.size)
    assert former is not None
    assert b'"same"' in former
    (project / "money.py").unlink()
    await shadow.scan()
    await wait_for(lambda: b'"orphaned"' in files(notes.view).get("money.py.annotations.json", b""))


async def test_an_unchanged_file_stays_the_same_file(
    notes: Annotations, shadow: Shadow, project: Path, wait_for: WaitFor
) -> None:
    await notes.annotate(Target(ORDERS, line=60), "one", agent_id="ann")
    await wait_for(lambda: files(notes.view))
    before = notes.view.tree.lookup(parse("shop/orders.py.annotations.json"))
    await notes.annotate(Target("shop/pricing.py", line=6), "two", agent_id="ann")
    await wait_for(lambda: len(files(notes.view)) == 2)
    assert notes.view.tree.lookup(parse("shop/orders.py.annotations.json")) == before


async def test_names_that_stand_in_each_others_way_or_are_long(
    notes: Annotations, shadow: Shadow, project: Path, wait_for: WaitFor
) -> None:
    long = "l" * 250
    paths = ["a", "a.annotations.json/b", long]
    (project / "a.annotations.json").mkdir()
    for path in paths:
        (project / path).write_text("something\n")
    await shadow.scan()
    for path in paths:
        await notes.annotate(Target(path, line=1), "x", agent_id="ann")
    await wait_for(lambda: len(files(notes.view)) == 3)
    shown = files(notes.view)
    assert {"a.annotations.json~", "a.annotations.json/b.annotations.json"} < shown.keys()
    assert {msgspec.json.decode(data)["path"] for data in shown.values()} == set(paths)
    assert all(len(name.encode()) <= 255 for path in shown for name in path.split("/"))


def test_a_view_knows_only_its_own_contents() -> None:
    empty: ProjectPath = ()
    view = NotesView()
    assert view.read_cached(hashlib.sha256(b"").digest(), 0, 1) is None
    assert view.tree.children(empty) == {}
