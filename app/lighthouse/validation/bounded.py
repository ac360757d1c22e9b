"""What may go into the log of a tool call: bounded text, and none of our tokens."""

import re
from hashlib import sha256
from typing import Any

import msgspec

MAX_COMMAND = 64 * 1024
MAX_TEXT = 16 * 1024
MAX_INPUT = 96 * 1024
MAX_DEPTH = 12
MAX_ITEMS = 500
# Below this no single string can be too long, and no sum either.
SMALL = MAX_TEXT

# The form of sessions/tokens.py, and of every other token of its kind. Each word is looked at from its start
# on and never again from its middle: else one of many beginnings would take minutes, and everybody waits.
_TOKEN = re.compile(rb"(?<![\w-])((?:(?!eyJ[\w-]{8})[\w-])*+)eyJ[\w-]{8,}+\.eyJ[\w-]{8,}+\.[\w-]{16,}+")
_MARK = b"eyJ"
_CLIPPED = re.compile(r"… \[cut: \d+ characters in all, sha256 [0-9a-f]{64}\]\Z")
_INSTEAD = rb"\1[a token was left out]"
# What decides most about a call is kept first, so that nothing else in the input takes its room.
_FIRST = ("command", "file_path", "notebook_path", "url", "path")


def without_tokens(data: dict[str, Any]) -> dict[str, Any]:
    """`data` with every token in it replaced by a remark, wherever it stands."""
    encoded = msgspec.json.encode(data)
    if _MARK not in encoded or not _TOKEN.search(encoded):
        return data
    cleaned: dict[str, Any] = msgspec.json.decode(_TOKEN.sub(_INSTEAD, encoded))
    return cleaned


def bounded(fields: dict[str, Any]) -> dict[str, Any]:
    """A tool's input as the log keeps it. What is cut says how long it was, and its SHA-256."""
    encoded = msgspec.json.encode(fields)
    if len(encoded) <= SMALL and encoded.count(b"{") + encoded.count(b"[") <= MAX_DEPTH:
        return fields
    # Tokens first: one that is cut in two would not be known again.
    clean = without_tokens(fields)
    ordered = {name: clean[name] for name in _FIRST if name in clean} | clean
    cut: dict[str, Any] = _Cutter().cut(ordered, 0)
    return cut


def clipped(text: str, most: int) -> str:
    """The text, cut with a remark where it is longer than `most` bytes of JSON."""
    if len(text) * 6 <= most or (len(text) <= most and len(msgspec.json.encode(text)) - 2 <= most):
        return text
    digest = sha256(text.encode("utf-8", "replace")).hexdigest()
    return f"{fitting(text, most)}… [cut: {len(text)} characters in all, sha256 {digest}]"


def is_clipped(text: str) -> bool:
    """Whether the text ends with that remark, and so is not all there was."""
    return _CLIPPED.search(text) is not None


def fitting(text: str, most: int) -> str:
    """As much of the beginning as fits into `most` bytes of JSON."""
    low, high = 0, min(len(text), most)
    while low < high:
        middle = (low + high + 1) // 2
        if len(msgspec.json.encode(text[:middle])) - 2 <= most:
            low = middle
        else:
            high = middle - 1
    return text[:low]


def what(tool_input: dict[str, Any], most: int) -> str:
    """A tool's input in one short text: its command, its file, or all of it as JSON."""
    for name in _FIRST:
        if isinstance(text := tool_input.get(name), str):
            return clipped(text, most)
    return clipped(msgspec.json.encode(tool_input).decode(), most)


class _Cutter:
    """Walks an input with what room is left for all of it."""

    def __init__(self) -> None:
        self._room = MAX_INPUT

    def cut(self, value: Any, depth: int, name: str = "") -> Any:
        if isinstance(value, str):
            most = min(MAX_COMMAND if name == "command" else MAX_TEXT, max(self._room, 0))
            text = clipped(value, most)
            self._room -= len(msgspec.json.encode(text))
            return text
        if not isinstance(value, dict | list):
            self._room -= len(msgspec.json.encode(value))
            return value
        if depth >= MAX_DEPTH:
            return "[left out: nested too deeply]"
        if isinstance(value, dict):
            return self._fields(value, depth)
        items: list[Any] = []
        for item in value:
            if len(items) == MAX_ITEMS or self._room <= 0:
                return [*items, f"[left out: {len(value) - len(items)} more]"]
            items.append(self.cut(item, depth + 1))
        return items

    def _fields(self, value: dict[str, Any], depth: int) -> dict[str, Any]:
        fields: dict[str, Any] = {}
        for key, item in value.items():
            if len(fields) == MAX_ITEMS or self._room <= 0:
                fields["…"] = f"[left out: {len(value) - len(fields)} more]"
                return fields
            short = key if len(key) <= 200 else clipped(key, 200)
            self._room -= len(short) + 4
            fields[short] = self.cut(item, depth + 1, key)
        return fields
