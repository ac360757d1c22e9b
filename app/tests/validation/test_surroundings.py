"""What whoever answers is shown besides the call: the diff, what happened to its files, how the asker did."""

import json

import pytest

from lighthouse.validation import Validation
from tests.validation.conftest import OLGA, Room

GUARDED = ".mcp.json"


@pytest.fixture(autouse=True)
async def project(room: Room) -> None:
    (room.project / GUARDED).write_text('{\n  "a": 1,\n  "b": 1\n}\n')
    notebook = {"cells": [{"id": "c1", "source": ["x = 1\n", "y = 2\n"]}]}
    (room.project / ".husky").mkdir()
    (room.project / ".husky" / "n.ipynb").write_text(json.dumps(notebook))
    await room.shadow.scan()


def waiting(room: Room) -> Validation:
    (found,) = room.validations.pending()
    return found


async def test_an_edit_is_shown_as_a_diff(room: Room) -> None:
    await room.use("Edit", file_path=str(room.project / GUARDED), old_string='"a": 1', new_string='"a": 2')
    shown = waiting(room).diff
    assert shown is not None
    assert f"--- a/{GUARDED}\n+++ b/{GUARDED}\n" in shown
    assert '-  "a": 1,\n+  "a": 2,\n' in shown


async def test_several_edits_are_one_diff(room: Room) -> None:
    edits = [
        {"old_string": '"a": 1', "new_string": '"a": 2'},
        {"old_string": " 1", "new_string": " 3", "replace_all": True},
    ]
    await room.use("MultiEdit", file_path=str(room.project / GUARDED), edits=edits)
    assert '+  "a": 2,\n+  "b": 3\n' in str(waiting(room).diff)


async def test_a_new_file_is_all_new(room: Room) -> None:
    await room.use("Write", file_path=str(room.project / ".husky" / "pre-push"), content="echo hi\n")
    assert "--- /dev/null\n+++ b/.husky/pre-push\n@@ -0,0 +1 @@\n+echo hi\n" in str(waiting(room).diff)


async def test_a_cell_is_shown_by_its_text(room: Room) -> None:
    path = str(room.project / ".husky" / "n.ipynb")
    await room.use("NotebookEdit", notebook_path=path, cell_id="c1", new_source="x = 1\ny = 3\n")
    assert "-y = 2\n+y = 3\n" in str(waiting(room).diff)


async def test_edits_of_several_files_are_not_shown_as_one(room: Room) -> None:
    edit = {"old_string": '"a": 1', "new_string": '"a": 2', "file_path": str(room.project / "src" / "x.py")}
    await room.use("MultiEdit", file_path=str(room.project / GUARDED), edits=[edit])
    found = waiting(room)
    assert found.diff is None
    assert found.context is not None
    assert found.context["no_diff"] == "it edits several files"


@pytest.mark.parametrize(
    ("tool", "fields", "why"),
    [
        ("Edit", {"old_string": "nowhere", "new_string": ""}, "is not in the file"),
        ("Edit", {"old_string": '"a": 1', "new_string": '"a": 1'}, "nothing would change"),
        ("Edit", {"old_string": " ", "new_string": "x" * 200_000, "replace_all": True}, "too large"),
        ("MultiEdit", {"edits": "all"}, "not clear"),
        ("Write", {"content": 5}, "no text"),
        ("NotebookEdit", {"cell_id": "c9", "new_source": ""}, "not in the notebook"),
    ],
)
async def test_why_there_is_no_diff(room: Room, tool: str, fields: dict[str, object], why: str) -> None:
    name = "notebook_path" if tool == "NotebookEdit" else "file_path"
    await room.use(tool, **{name: str(room.project / GUARDED)}, **fields)
    found = waiting(room)
    assert found.diff is None
    assert found.context is not None
    assert why in found.context["no_diff"]


async def test_a_secret_is_not_shown(room: Room) -> None:
    (room.project / ".env").write_text("KEY=hidden\n")
    await room.shadow.scan()
    await room.use("Edit", file_path=str(room.project / ".env"), old_string="KEY=", new_string="KEY=new")
    found = waiting(room)
    assert found.diff is None
    assert "hidden" not in str(found)


async def test_what_happened_before_is_told(room: Room) -> None:
    first = await room.ask("rm -rf src")
    await room.validations.answer(first.id, OLGA, "deny", "keep it")
    await room.ask("ls src")
    await room.ask("ls src", agent="ben")
    await room.use("Edit", file_path=str(room.project / GUARDED), old_string="a", new_string="b")
    context = waiting(room).context
    assert context is not None
    assert [(one["op"], one["path"]) for one in context["changes"]] == [("created", GUARDED)]
    assert [(one["decision"], one["what"]) for one in context["verdicts"]] == [("allow", "ls src")]
    assert [(one["decision"], one["what"]) for one in context["requests"]] == [("deny", "rm -rf src")]


async def test_a_long_diff_is_cut(room: Room) -> None:
    text = "".join(f"line {number}\n" for number in range(20_000))
    await room.use("Write", file_path=str(room.project / GUARDED), content=text)
    shown = str(waiting(room).diff)
    assert len(shown) < 60_000
    assert shown.endswith("[cut: the diff is longer]\n")
