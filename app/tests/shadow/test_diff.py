"""What differs between two trees: each file once, what was moved as moved, within bounds."""

import random

import pytest

from lighthouse.paths import ProjectPath, parse
from lighthouse.shadow import FILE, LINK, Kind, Tree, renames
from lighthouse.shadow.diff import changes
from tests.shadow.trees import Memory

Leaf = tuple[Kind, int, bytes]

TEXT = b"".join(b"line %d of some text\n" % n for n in range(100))


def tree(memory: Memory, **leaves: bytes | Leaf) -> Tree:
    """`a__b=b"…"` is a file `a/b` of mode 0644."""
    made: dict[ProjectPath, Leaf] = {}
    for name, leaf in leaves.items():
        made[parse(name.replace("__", "/"))] = (FILE, 0o644, leaf) if isinstance(leaf, bytes) else leaf
    return memory.tree(made)


def told(old: Tree, new: Tree, memory: Memory | None = None, under: str = "") -> list[tuple[object, ...]]:
    return [
        (change.op, b"/".join(change.path).decode())
        + ((b"/".join(change.old_path).decode(), change.similarity) if change.old_path else ())
        for change in changes(old, new, memory and memory.read, under=parse(under))
    ]


def test_each_kind_of_change() -> None:
    memory = Memory()
    x, y, five = ((LINK, 0o777, target) for target in (b"x", b"y", b"5"))
    old = tree(memory, same=b"1", edited=b"2", gone=b"3", moded=b"4", d__kind=b"5", link=x)
    new = tree(memory, same=b"1", edited=b"!", come=b"6", moded=(FILE, 0o755, b"4"), d__kind=five, link=y)
    assert told(old, new) == [
        ("created", "come"),
        ("deleted", "d/kind"),
        ("created", "d/kind"),
        ("modified", "edited"),
        ("deleted", "gone"),
        ("modified", "link"),
        ("mode", "moded"),
    ]
    assert told(old, old) == []


def test_the_entries_go_with_it() -> None:
    memory = Memory()
    (change,) = changes(tree(memory, a=b"1"), tree(memory, a=(FILE, 0o755, b"22")))
    assert change.op == "modified"
    assert change.old
    assert change.new
    assert (change.old.size, change.old.mode, change.new.size, change.new.mode) == (1, 0o644, 2, 0o755)


def test_a_file_that_became_a_folder() -> None:
    memory = Memory()
    old, new = tree(memory, a=b"1"), tree(memory, a__b=b"2", a__c__d=b"3")
    assert told(old, new) == [("deleted", "a"), ("created", "a/b"), ("created", "a/c/d")]
    assert told(new, old) == [("created", "a"), ("deleted", "a/b"), ("deleted", "a/c/d")]


def test_moved_unchanged_without_reading_a_content() -> None:
    memory = Memory()
    old = tree(memory, a__x=b"same", a__y=b"same", a__z=b"other", empty=b"")
    new = tree(memory, b__y=b"same", b__q=b"same", z=(FILE, 0o755, b"other"), nothing=b"")
    assert told(old, new, memory) == [
        ("renamed", "b/q", "a/x", 100),
        ("renamed", "b/y", "a/y", 100),
        ("deleted", "empty"),
        ("created", "nothing"),
        ("renamed", "z", "a/z", 100),
    ]
    assert memory.bytes_read == 0


def test_a_moved_link_is_gone_and_come() -> None:
    memory = Memory()
    link = (LINK, 0o777, b"x")
    assert told(tree(memory, a=link), tree(memory, b=link), memory) == [("deleted", "a"), ("created", "b")]


def test_moved_and_edited() -> None:
    memory = Memory()
    half = TEXT[: len(TEXT) // 2]
    old = tree(memory, a=TEXT, b=b"nothing like it\n" * 20)
    new = tree(memory, c=TEXT + b"and more\n", d=half.replace(b"line", b"Line"))
    assert told(old, new, memory) == [("deleted", "b"), ("renamed", "c", "a", 99), ("created", "d")]
    assert told(old, new) == [("deleted", "a"), ("deleted", "b"), ("created", "c"), ("created", "d")]


def test_the_most_similar_is_taken() -> None:
    memory = Memory()
    parts = TEXT.splitlines(keepends=True)
    old = tree(memory, far=b"".join(parts[30:]), near=b"".join(parts[10:]))
    new = tree(memory, all=TEXT)
    assert told(old, new, memory)[0][:3] == ("renamed", "all", "near")


def test_a_namesake_is_believed_first() -> None:
    memory = Memory()
    parts = TEXT.splitlines(keepends=True)
    old = tree(memory, a__main=b"".join(parts[10:]), b__other=b"".join(parts[1:]))
    new = tree(memory, c__main=TEXT)
    assert told(old, new, memory)[-1][:3] == ("renamed", "c/main", "a/main")


def test_only_beneath_a_path() -> None:
    memory = Memory()
    old, new = tree(memory, a__b=b"1", c=b"2"), tree(memory, a__b=b"3", a__d=b"2")
    assert told(old, new, under="a") == [("modified", "a/b"), ("created", "a/d")]
    assert told(old, new, under="a/b") == [("modified", "a/b")]
    assert told(old, new, under="c") == [("deleted", "c")]
    assert told(old, new, under="none/such") == []


def test_what_was_not_captured_is_no_rename() -> None:
    memory = Memory()
    stand_in = (FILE, 0o644, TEXT)
    old = memory.tree({(b"a",): stand_in}, {(b"a",): "too_large"})
    new = memory.tree({(b"b",): stand_in}, {(b"b",): "too_large"})
    assert told(old, new, memory) == [("deleted", "a"), ("created", "b")]
    plain = memory.tree({(b"a",): stand_in})
    assert told(old, plain, memory) == [("modified", "a")]


def test_a_change_of_everything_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renames, "MOST_BYTES_OF_ALL", 100_000)
    monkeypatch.setattr(renames, "MOST_COMPARISONS", 10_000)
    draw = random.Random(1)

    def many(prefix: str) -> dict[str, bytes]:
        return {f"{prefix}{n}": b"".join(b"%d\n" % draw.randrange(9) for _ in range(500)) for n in range(300)}

    memory = Memory()
    old, new = tree(memory, **many("a")), tree(memory, **many("b"))
    listed = changes(old, new, memory.read)
    assert memory.bytes_read <= 100_000
    named = {path for change in listed for path in (change.path, change.old_path) if path}
    assert named == {(name,) for name in [*old.children(()), *new.children(())]}


def test_too_large_to_be_compared_is_not_read() -> None:
    memory = Memory()
    large = TEXT * (renames.MOST_BYTES // len(TEXT) + 1)
    old, new = tree(memory, a=large), tree(memory, b=large + b"x")
    assert told(old, new, memory) == [("deleted", "a"), ("created", "b")]
    assert memory.bytes_read == 0
