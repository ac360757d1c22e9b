"""An answer of /shadow/read as one shape, whether the path is a file, a folder or a symlink."""

import re
from urllib.parse import quote

import msgspec

from lighthouse import paths
from lighthouse.client.answers import FolderEntry, Shadowed
from lighthouse.client.errors import NotABridge
from lighthouse.client.transport import Answer, Transport

_RANGE = re.compile(r"bytes (?:(\d+)-\d+|\*)/(\d+)")


def quoted_path(path: str | bytes) -> str:
    """The path as it stands in a URL. Raises BadPath."""
    return "/".join(quote(name, safe="") for name in paths.parse(path))


class _Listed(msgspec.Struct):
    """The JSON of a folder or a symlink."""

    kind: str
    seq: int
    entries: list[FolderEntry] = []
    target: str | None = None


def shadowed(transport: Transport, answer: Answer, names: paths.ProjectPath, offset: int) -> Shadowed:
    """The answer for the path `names`, of which bytes from `offset` were asked for.

    An offset at or past the end of a file gives empty content, as reading a file does. Raises NotABridge.
    """
    path = paths.to_json(names)["path"] or "."
    kind = answer.headers.get("Content-Type", "").partition(";")[0]
    if kind == "application/json":
        listed = transport.decode(answer, _Listed)
        if listed.kind == "folder":
            return Shadowed(path, "folder", listed.seq, entries=listed.entries)
        return Shadowed(path, "symlink", listed.seq, target=listed.target)
    start, size = 0, len(answer.body)
    if span := _RANGE.fullmatch(answer.headers.get("Content-Range", "")):
        start, size = int(span[1] or offset), int(span[2])
    content = b"" if answer.status == 416 else answer.body
    try:
        seq = int(answer.headers["X-Lighthouse-Seq"])
    except (KeyError, ValueError) as error:
        if answer.status == 416:
            raise transport.refusal(answer) from error
        raise NotABridge(transport.base_url, "a file without its version") from error
    return Shadowed(
        path,
        "file",
        seq,
        content=content,
        offset=start,
        size=size,
        sha256=answer.headers.get("ETag", "").strip('"') or None,
        mark=answer.headers.get("X-Lighthouse-Mark"),
    )
