"""What a tool that edits would make of a file: the diff that whoever answers wants to see."""

import hashlib
from collections.abc import Mapping
from typing import Any

import msgspec

from lighthouse.paths import BadPath, ProjectPath, parse
from lighthouse.policy import Judgement
from lighthouse.shadow import FILE, ContentMissing, Entry, Shadow
from lighthouse.shadow.diff import Change
from lighthouse.shadow.patch import unified
from lighthouse.validation.bounded import fitting

EDITORS = frozenset(("Write", "Edit", "MultiEdit", "NotebookEdit"))
MAX_CONTENT = 256 * 1024
MAX_DIFF = 48 * 1024
DIFF_CUT = "\n[cut: the diff is longer]\n"
MAX_EDITS = 200


class NoDiff(Exception):
    """Why there is none, for those who answer."""


def diff(judged: Judgement, fields: Mapping[str, Any], roots: tuple[str, ...], shadow: Shadow) -> str:
    """The change as a unified diff against the present version; for a notebook's cell of its text. Blocks.

    Raises NoDiff.
    """
    if any(act.place == "secret" for act, _ in judged.acts):
        raise NoDiff("the file is secret")
    path = _path(judged, roots)
    entry = shadow.current.lookup(path)
    if entry is not None and (entry.kind != FILE or entry.mark is not None or entry.size > MAX_CONTENT):
        raise NoDiff("the file's content is not at hand")
    try:
        content = b"" if entry is None else shadow.read(entry.hash, 0, entry.size)
    except ContentMissing as error:
        raise NoDiff("the file's content is not at hand") from error
    before, after = _edited(judged.facts.tool, fields, None if entry is None else content)
    return _shown(path, before, after)


def _path(judged: Judgement, roots: tuple[str, ...]) -> ProjectPath:
    targets = {act.target for act, _ in judged.acts if act.action == "write"}
    if len(targets) > 1:
        raise NoDiff("it edits several files")
    for target in targets:
        for root in roots:
            if target.startswith(root + "/"):
                try:
                    return parse(target[len(root) + 1 :])
                except BadPath as error:
                    raise NoDiff("the file's name is not clear") from error
    raise NoDiff("the file is not in the project")


def _edited(tool: str, fields: Mapping[str, Any], content: bytes | None) -> tuple[bytes | None, bytes]:
    """The text before and after; None before for a file that is new."""
    if tool == "Write":
        return content, _text(fields, "content").encode()
    if content is None:
        raise NoDiff("the file is not there")
    if tool == "NotebookEdit":
        return _cell(fields, content)
    edits = fields.get("edits") if tool == "MultiEdit" else [fields]
    if not isinstance(edits, list) or not all(isinstance(edit, dict) for edit in edits):
        raise NoDiff("the edits are not clear")
    if len(edits) > MAX_EDITS:
        raise NoDiff(f"there are more than {MAX_EDITS} edits")
    after = content
    for edit in edits:
        old, new = _text(edit, "old_string").encode(), _text(edit, "new_string").encode()
        if not old or old not in after:
            raise NoDiff("the text that it replaces is not in the file")
        times = after.count(old) if edit.get("replace_all") is True else 1
        if len(after) + times * (len(new) - len(old)) > 2 * MAX_CONTENT:
            raise NoDiff("the file would become too large to show")
        after = after.replace(old, new, times)
    return content, after


def _cell(fields: Mapping[str, Any], content: bytes) -> tuple[bytes | None, bytes]:
    """A notebook's cell before and after."""
    mode = fields.get("edit_mode")
    new = b"" if mode == "delete" else _text(fields, "new_source").encode()
    if mode == "insert":
        return None, new
    try:
        cells = msgspec.json.decode(content)["cells"]
        wanted = fields.get("cell_id")
        cell = next(
            cell
            for number, cell in enumerate(cells)
            if (wanted is not None and cell.get("id") == wanted)
            or (wanted is None and number == fields.get("cell_number"))
        )
        source = cell["source"]
        text = source if isinstance(source, str) else "".join(source)
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError, StopIteration) as error:
        raise NoDiff("the cell is not in the notebook") from error
    return text.encode(), new


def _text(fields: Mapping[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > MAX_CONTENT:
        raise NoDiff(f"{name} is no text that could be shown")
    return value


def _shown(path: ProjectPath, before: bytes | None, after: bytes) -> str:
    contents: dict[bytes, bytes] = {}

    def entry(content: bytes) -> Entry:
        digest = hashlib.sha256(content).digest()
        contents[digest] = content
        return Entry(path[-1], FILE, 0o644, len(content), 0, digest)

    old, new = None if before is None else entry(before), entry(after)
    if old is not None and old.hash == new.hash:
        raise NoDiff("nothing would change")
    change = Change(path, "created" if old is None else "modified", old, new)
    patch = bytearray()
    for piece in unified([change], lambda one, offset, size: contents[one.hash][offset : offset + size]):
        patch += piece
        if len(patch) > MAX_DIFF:
            break
    text = patch.decode("utf-8", "replace")
    shown = fitting(text, MAX_DIFF)
    return text if shown == text else f"{shown}{DIFF_CUT}"
