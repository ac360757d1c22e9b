"""A context holds files as they were, notes and a manifest; it comes and goes by events."""

import json
from pathlib import Path
from typing import Any

import pytest

from lighthouse.annotations import Annotations, Target
from lighthouse.context import BadContext, Contexts, ContextTaken, NoSuchContext, Note
from lighthouse.events import EventStore, Query
from lighthouse.shadow import NotCaptured, Shadow, Snapshot


def read(shadow: Shadow, tree: Snapshot | None, path: str) -> bytes:
    assert tree is not None
    entry = tree.lookup(tuple(path.encode().split(b"/")))
    assert entry is not None, path
    return shadow.read(entry.hash, 0, entry.size)


async def test_it_holds_files_notes_and_a_manifest(contexts: Contexts, shadow: Shadow, project: Path) -> None:
    notes = [Note("Why?", "Look at *this*."), Note("a/b \x07 c", "")]
    made = await contexts.create("review-1", ["src"], agent_id="ann", notes=notes, purpose="before release")
    assert (made.files, made.notes, made.agent_id, made.seq) == (4, 2, "ann", shadow.current.seq)
    tree = contexts.open("review-1")
    assert tree is not None
    assert sorted(tree.children(())) == [b"files", b"manifest.json", b"notes"]
    for path in ("src/main.py", "src/deep/lamp.py", "src/link"):
        names = tuple(path.encode().split(b"/"))
        assert tree.lookup((b"files", *names)) == shadow.current.lookup(names)
    assert tree.lookup((b"files", b"src", b"main.py")).mode == 0o755  # type: ignore[union-attr]
    assert sorted(tree.children((b"notes",))) == [b"01-Why?.md", b"02-a-b-c.md"]
    assert read(shadow, tree, "notes/01-Why?.md") == b"# Why?\n\nLook at *this*.\n"
    manifest = json.loads(read(shadow, tree, "manifest.json"))
    assert {name: manifest[name] for name in ("name", "agent_id", "purpose", "seq", "version_root")} == {
        "name": "review-1",
        "agent_id": "ann",
        "purpose": "before release",
        "seq": shadow.current.seq,
        "version_root": shadow.current.root.hex(),
    }
    assert [file["path"] for file in manifest["files"]] == [
        "src/deep/lamp.py",
        "src/deep/notes.txt",
        "src/link",
        "src/main.py",
    ]
    entry = shadow.current.lookup((b"src", b"main.py"))
    assert entry is not None
    assert manifest["files"][3] == {
        "path": "src/main.py",
        "kind": "file",
        "mode": "0755",
        "size": entry.size,
        "sha256": entry.hex,
    }
    assert [note["path"] for note in manifest["notes"]] == ["notes/01-Why?.md", "notes/02-a-b-c.md"]
    found, texts = contexts.contents(made)
    assert [note.text for note in texts] == ["Look at *this*.\n", "\n"]
    assert len(found.files) == 4


async def test_it_keeps_the_version_it_was_made_of(contexts: Contexts, shadow: Shadow, project: Path) -> None:
    old = shadow.current.seq
    (project / "README.md").write_text("new\n")
    await shadow.scan()
    await contexts.create("old", ["README.md"], at=str(old), agent_id="ann")
    await contexts.create("new", ["README.md"], agent_id="ann")
    (project / "README.md").unlink()
    await shadow.scan()
    assert read(shadow, contexts.open("old"), "files/README.md") == b"this is README.md\n"
    assert read(shadow, contexts.open("new"), "files/README.md") == b"new\n"


async def test_it_holds_what_stands_noted_on_its_files(
    contexts: Contexts, shadow: Shadow, annotations: Annotations, project: Path
) -> None:
    await annotations.annotate(Target("src/main.py", line=1), "first", agent_id="bob")
    await annotations.annotate(Target("README.md"), "elsewhere", agent_id="bob")
    noted = str(shadow.current.seq + 2)
    (project / "src" / "main.py").write_text("a line before\nthis is src/main.py\n")
    await shadow.scan()
    await annotations.annotate(Target("src/main.py", line=1), "second", agent_id="bob")
    now = await contexts.create("now", ["src"], annotations=True, agent_id="ann")
    assert now.annotations == 2
    (listed,) = contexts.contents(now)[0].annotations
    assert (listed.path, listed.count) == ("src/main.py.annotations.json", 2)
    told = json.loads(read(shadow, contexts.open("now"), "annotations/src/main.py.annotations.json"))
    assert [(one["text"], one["lines"]) for one in told["annotations"]] == [
        ("second", [1, 1]),
        ("first", [2, 2]),
    ]
    then = await contexts.create("then", ["src"], at=noted, annotations=True, agent_id="ann")
    assert then.annotations == 1
    told = json.loads(read(shadow, contexts.open("then"), "annotations/src/main.py.annotations.json"))
    assert [(one["text"], one["lines"]) for one in told["annotations"]] == [("first", [1, 1])]
    assert (await contexts.create("without", ["src"], agent_id="ann")).annotations == 0
    assert contexts.open("without").lookup((b"annotations",)) is None  # type: ignore[union-attr]


async def test_it_is_found_again_after_a_restart(
    contexts: Contexts, shadow: Shadow, events: EventStore, annotations: Annotations
) -> None:
    made = await contexts.create("one", ["*.md"], agent_id="ann", notes=[Note("n", "t")])
    await contexts.create("two", ["*.md"], agent_id="bob")
    await contexts.remove("two", agent_id="bob")
    again = Contexts(shadow, events, annotations)
    await again.load()
    assert again.all() == [made]
    assert again.names() == {"one": made.mtime_ns}
    assert again.open("two") is None
    told = (await events.query(Query(stream="contexts"))).events
    assert [(event.type, event.agent_id, event.value["name"]) for event in told] == [
        ("context.created", "ann", "one"),
        ("context.created", "bob", "two"),
        ("context.removed", "bob", "two"),
    ]


async def test_listeners_hear_of_each_name_once_it_holds(contexts: Contexts) -> None:
    heard: list[tuple[str, bool]] = []
    contexts.add_listener(lambda name: heard.append((name, contexts.open(name) is not None)))
    await contexts.create("one", ["*.md"], agent_id="ann")
    await contexts.remove("one", agent_id="ann")
    assert heard == [("one", True), ("one", False)]


async def test_a_name_is_free_again_once_its_context_is_removed(contexts: Contexts) -> None:
    await contexts.create("one", ["*.md"], agent_id="ann")
    with pytest.raises(ContextTaken):
        await contexts.create("one", ["*.md"], agent_id="ann")
    await contexts.remove("one", agent_id="ann")
    with pytest.raises(NoSuchContext):
        await contexts.remove("one", agent_id="ann")
    await contexts.create("one", ["src"], agent_id="ann")


@pytest.mark.parametrize(
    ("asked", "error"),
    [
        ({"name": ""}, BadContext),
        ({"name": "../x"}, BadContext),
        ({"name": ".hidden"}, BadContext),
        ({"name": "a" * 101}, BadContext),
        ({"files": []}, BadContext),
        ({"files": ["gone.txt"]}, NotCaptured),
        ({"files": ["README.md", "*.nothing"]}, NotCaptured),
        ({"files": ["a"] * 201}, BadContext),
        ({"purpose": "x" * 2001}, BadContext),
        ({"notes": [Note("", "x")]}, BadContext),
        ({"notes": [Note("two\nlines", "x")]}, BadContext),
        ({"notes": [Note("n", "x" * 300_000)]}, BadContext),
        ({"notes": [Note("n", "x")] * 100}, BadContext),
    ],
)
async def test_what_is_refused_leaves_no_trace(
    contexts: Contexts, events: EventStore, asked: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        await contexts.create(**({"name": "one", "files": ["src"], "agent_id": "ann"} | asked))
    assert contexts.all() == []
    assert (await events.query(Query(stream="contexts"))).events == []


async def test_a_context_of_notes_alone(contexts: Contexts, shadow: Shadow) -> None:
    await contexts.create("words", [], agent_id="ann", notes=[Note("Only words", "yes")])
    assert read(shadow, contexts.open("words"), "notes/01-Only-words.md") == b"# Only words\n\nyes\n"


def test_titles_make_names_of_files() -> None:
    assert Note("...", "").file_name(7) == b"07-note.md"
    long = Note("ü" * 190, "").file_name(99)
    assert len(long) <= 255
    long.decode()
