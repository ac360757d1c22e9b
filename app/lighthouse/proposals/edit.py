"""One change of a proposal, as its event tells it and as it is done again when the bridge starts."""

import base64
import errno
from typing import Literal

import msgspec

from lighthouse.errors import LighthouseError
from lighthouse.paths import MAX_PATH, ProjectPath, parse, to_bytes, to_json
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.proposals.overlay import Overlay, new_folder, new_leaf
from lighthouse.proposals.rules import refuse
from lighthouse.shadow.entry import FILE, FOLDER, LINK, Kind

Op = Literal["created", "modified", "deleted", "renamed", "exchanged", "mode", "touched"]
KindName = Literal["file", "folder", "symlink"]
KIND_NAMES: dict[Kind, KindName] = {FILE: "file", FOLDER: "folder", LINK: "symlink"}
_KINDS: dict[str, Kind] = {name: kind for kind, name in KIND_NAMES.items()}


class Edit(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """`old_path`: of `renamed` where it was; of `exchanged` the other one. `mode` is octal text.

    `hash` and `size` are those of a file's content or a link's target. `at_ns`: when it was done; `mtime_ns`,
    if it is another time, what the entry shows as its own. `uid`: who did it, where its event is another's.
    """

    op: Op
    path: str
    kind: KindName
    at_ns: int
    path_b64: str | None = None
    old_path: str | None = None
    old_path_b64: str | None = None
    mode: str | None = None
    size: int | None = None
    hash: str | None = None
    mtime_ns: int | None = None
    uid: int | None = None

    @property
    def where(self) -> ProjectPath:
        """The path it is about."""
        return path_of(self.path, self.path_b64)


class CannotApply(LighthouseError):
    """An event of the log does not fit the state that the events before it left."""


def created(
    path: ProjectPath, kind: Kind, mode: int, content: tuple[bytes, int] | None, at_ns: int, mtime_ns: int
) -> Edit:
    """Something new at `path`."""
    return _edit("created", path, kind, at_ns, mode=mode, content=content, mtime_ns=mtime_ns)


def modified(leaf: Leaf, content: tuple[bytes, int], at_ns: int) -> Edit:
    """Another content of a file; its mode and time are told as they are."""
    return put(leaf.path(), leaf.mode, content, at_ns, leaf.mtime_ns)


def put(path: ProjectPath, mode: int, content: tuple[bytes, int], at_ns: int, mtime_ns: int) -> Edit:
    """Another content, mode and time of the file at `path`."""
    return _edit("modified", path, FILE, at_ns, mode=mode, content=content, mtime_ns=mtime_ns)


def removed(path: ProjectPath, kind: Kind, at_ns: int) -> Edit:
    """What lies at `path` is removed."""
    return _edit("deleted", path, kind, at_ns)


def renamed(node: Node, path: ProjectPath, at_ns: int, *, exchange: bool = False) -> Edit:
    """`node` goes to `path`, in place of what is there; or both change places."""
    old = to_json(node.path())
    edit = _edit("exchanged" if exchange else "renamed", path, node.kind, at_ns)
    return msgspec.structs.replace(edit, old_path=old["path"], old_path_b64=old.get("path_b64"))


def attributes(node: Node, mode: int | None, mtime_ns: int | None, at_ns: int) -> Edit:
    """Another mode, or only another time."""
    op: Op = "touched" if mode is None else "mode"
    return _edit(op, node.path(), node.kind, at_ns, mode=mode, mtime_ns=mtime_ns)


def _edit(
    op: Op,
    path: ProjectPath,
    kind: Kind,
    at_ns: int,
    *,
    mode: int | None = None,
    content: tuple[bytes, int] | None = None,
    mtime_ns: int | None = None,
) -> Edit:
    if len(to_bytes(path)) > MAX_PATH:
        refuse(errno.ENAMETOOLONG)
    told = to_json(path)
    return Edit(
        op=op,
        path=told["path"],
        path_b64=told.get("path_b64"),
        kind=KIND_NAMES[kind],
        at_ns=at_ns,
        mode=None if mode is None else f"{mode:04o}",
        size=None if content is None else content[1],
        hash=None if content is None else content[0].hex(),
        mtime_ns=None if mtime_ns == at_ns else mtime_ns,
    )


def path_of(text: str, encoded: str | None) -> ProjectPath:
    """The path that an event's `path` and `path_b64` tell."""
    return parse(base64.b64decode(encoded) if encoded is not None else text)


def apply(overlay: Overlay, edit: Edit, uid: int | None = None) -> Node:
    """Do to `overlay` what user `uid` did; the node it is about.

    Raises CannotApply where the path leads nowhere.
    """
    node = _apply(overlay, edit)
    node.by = uid if edit.uid is None else edit.uid
    if edit.op == "created":
        node.uid = node.by
    return node


def _apply(overlay: Overlay, edit: Edit) -> Node:
    path = edit.where
    overlay.revision += 1
    if edit.op == "created":
        return _create(overlay, path, edit)
    if edit.op in ("renamed", "exchanged"):
        return _rename(overlay, path, edit)
    node = _there(overlay, path)
    if edit.op == "deleted":
        overlay.remove(node, edit.at_ns)
        return node
    overlay.touch(node)
    if edit.mode is not None:
        node.mode = int(edit.mode, 8)
    if edit.op != "mode" or edit.mtime_ns is not None:
        node.mtime_ns = edit.at_ns if edit.mtime_ns is None else edit.mtime_ns
    if edit.op == "modified" and isinstance(node, Leaf):
        _keep(overlay, node, edit)
        if node.live is not None:
            return node  # it was changed when it was written, and is only kept now
    node.ctime_ns = edit.at_ns
    return node


def _create(overlay: Overlay, path: ProjectPath, edit: Edit) -> Node:
    folder = _folder(overlay, path)
    there = overlay.lookup(folder, path[-1])
    mode = int(edit.mode or "0", 8)
    node: Node
    if isinstance(there, Leaf) and there.pending:
        # The file exists since it was opened, and is told of only now.
        node = there
        there.pending = False
        _keep(overlay, there, edit)
    elif edit.kind == "folder":
        node = new_folder(folder, path[-1], mode, edit.at_ns)
        overlay.add(node, edit.at_ns)
    else:
        node = new_leaf(folder, path[-1], _KINDS[edit.kind], mode, edit.at_ns, _content(edit))
        overlay.add(node, edit.at_ns)
        _keep(overlay, node, edit)
    if edit.mtime_ns is not None:
        node.mtime_ns = edit.mtime_ns
    return node


def _rename(overlay: Overlay, path: ProjectPath, edit: Edit) -> Node:
    node = _there(overlay, path_of(edit.old_path or "", edit.old_path_b64))
    folder = _folder(overlay, path)
    there = overlay.lookup(folder, path[-1])
    if edit.op == "exchanged":
        if there is None:
            raise CannotApply(f"nothing to exchange with at {edit.path}")
        overlay.exchange(node, there, edit.at_ns)
        return node
    if there is not None:
        overlay.remove(there, edit.at_ns)
    overlay.move(node, folder, path[-1], edit.at_ns)
    return node


def _keep(overlay: Overlay, leaf: Leaf, edit: Edit) -> None:
    leaf.hash, leaf.size = _content(edit)
    if leaf.live is None or not leaf.live.changed:
        overlay.charge(leaf, leaf.own_bytes)


def _content(edit: Edit) -> tuple[bytes, int]:
    if edit.hash is None or edit.size is None:
        raise CannotApply(f"{edit.op} {edit.path} tells no content")
    return bytes.fromhex(edit.hash), edit.size


def _there(overlay: Overlay, path: ProjectPath) -> Node:
    node = overlay.find(path) if path else None
    if node is None:
        raise CannotApply(f"nothing lies at {b'/'.join(path).decode('utf-8', 'replace')!r}")
    return node


def _folder(overlay: Overlay, path: ProjectPath) -> Folder:
    folder = overlay.find(path[:-1])
    if not path or not isinstance(folder, Folder):
        raise CannotApply(f"no folder for {b'/'.join(path).decode('utf-8', 'replace')!r}")
    return folder
