"""A client's JSON file: read strictly, so that nothing in it is lost, and written as it was laid out."""

import json
import re
from typing import Any

from lighthouse.errors import LighthouseError

_INDENT = re.compile(r"\{[ \t]*\r?\n([ \t]+)")


class NotMergeable(LighthouseError):
    """A file that cannot be changed without losing something; nothing was written."""


def parse(raw: bytes, name: str) -> dict[str, Any]:
    """The object that a file holds; an empty file holds an empty one. Raises NotMergeable."""
    if not raw.strip():
        return {}
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise NotMergeable(f"{name} is no plain JSON ({error})", "mend it first") from error
    if not isinstance(value, dict):
        raise NotMergeable(f"{name} holds no JSON object", "mend it first")
    return value


def render(value: dict[str, Any], before: bytes) -> bytes:
    """The object as text, indented and ended as the file was before. Raises NotMergeable."""
    was = before.decode() if before.strip() else "{\n}\n"
    found = _INDENT.match(was.lstrip())
    try:
        text = json.dumps(
            value, indent=found[1] if found else 2, ensure_ascii=False, allow_nan=False
        ) + "\n" * was.endswith("\n")
        return text.replace("\n", "\r\n" if "\r\n" in was else "\n").encode()
    except ValueError as error:
        raise NotMergeable(f"it holds what cannot be written again ({error})", "mend it first") from error


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name stands twice in an object")
    return found


def _no_number(name: str) -> Any:
    raise ValueError(f"{name} is no number")
