"""Project paths: tuples of name bytes beneath the root, and their form in JSON: a name need not be text."""

import base64
from collections.abc import Mapping
from typing import Any

from lighthouse.errors import LighthouseError

ProjectPath = tuple[bytes, ...]

MAX_PATH = 4096
MAX_NAME = 255


class BadPath(LighthouseError):
    """A path that does not stay beneath the project's root, or that no file system would take."""


def parse(path: str | bytes) -> ProjectPath:
    """Split a relative path into its names; the empty path and `.` are the root, `()`.

    Raises BadPath for absolute paths, `..`, NUL, and names or paths longer than Linux allows.
    """
    raw = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    if b"\0" in raw:
        raise BadPath("the path contains a NUL byte", "send a path without it")
    if raw.startswith(b"/"):
        raise BadPath("the path is absolute", "send a path relative to the project's root")
    if len(raw) > MAX_PATH:
        raise BadPath(f"the path is longer than {MAX_PATH} bytes", "send a shorter path")
    names = tuple(name for name in raw.split(b"/") if name not in (b"", b"."))
    if b".." in names:
        raise BadPath("the path contains '..'", "name the file by its path from the project's root")
    if any(len(name) > MAX_NAME for name in names):
        raise BadPath(f"a name in the path is longer than {MAX_NAME} bytes", "send a path that exists")
    return names


def to_bytes(path: ProjectPath) -> bytes:
    """The path as one byte string, names joined by `/`; the root is empty."""
    return b"/".join(path)


def to_json(path: ProjectPath) -> dict[str, str]:
    """`{"path": text}`; where the bytes are not UTF-8 the text has U+FFFD, and `path_b64` has the bytes."""
    raw = to_bytes(path)
    try:
        return {"path": raw.decode("utf-8")}
    except UnicodeDecodeError:
        return {"path": raw.decode("utf-8", "replace"), "path_b64": base64.b64encode(raw).decode("ascii")}


def from_json(value: Mapping[str, Any]) -> ProjectPath:
    """The path that `to_json` wrote among the fields of `value`. Raises BadPath."""
    raw = value.get("path_b64")
    if raw is None:
        return parse(value["path"])
    try:
        return parse(base64.b64decode(raw, validate=True))
    except ValueError as error:
        raise BadPath("path_b64 is not base64", "send the path's bytes in base64, or path alone") from error


def name_to_json(name: bytes, key: str = "name") -> dict[str, str]:
    """One name in the same form as `to_json`, under `key` and `key_b64`."""
    text = to_json((name,))
    return {key if field == "path" else f"{key}_b64": value for field, value in text.items()}
