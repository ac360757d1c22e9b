"""Parses a command with tree-sitter-bash, within bounds of size and time."""

import time
from collections.abc import Iterator

import tree_sitter
import tree_sitter_bash

from lighthouse.errors import LighthouseError

MAX_BYTES = 64 * 1024
PARSE_SECONDS = 0.01
MOST_OF_ONE = 4000
# A node asks for its text through the same callback: long answers would cost much.
CHUNK = 1024

_LETTERS = bytes(range(128)) + b"Z" * 128
_LANGUAGE = tree_sitter.Language(tree_sitter_bash.language())

Node = tree_sitter.Node


class NotUnderstood(LighthouseError):
    """A command that cannot be judged: too large, too slow, broken, or made of what is not known."""


class TakesTooLong(NotUnderstood):
    """A command for which the time is over."""


def parse(source: bytes) -> Node:
    """The tree of a command. Raises NotUnderstood past the bounds and where any of it is not bash.

    tree-sitter looks for the best repair of what is broken, which takes minutes for some texts of a few
    kilobytes: hence the deadline, which only reading through a callback obeys.
    """
    if len(source) > MAX_BYTES:
        raise NotUnderstood(f"the command is longer than {MAX_BYTES // 1024} KiB")
    if any(source.count(char) > MOST_OF_ONE for char in (b"(", b")", b"<", b"|", b"{", b"$")):
        raise NotUnderstood("the command is made of too many parts")
    # A backslash at the start of a line would join it to the line before.
    source = source.replace(b"\n\\", b"\n \\")
    # The scanner of the grammar asks C's ctype tables about any character, and crashes on large ones. To bash
    # they are all letters; so letters of the same length are parsed, and the nodes read the true text later.
    shown = source.translate(_LETTERS)
    end = time.thread_time() + PARSE_SECONDS
    # A parser of its own: one that was cancelled keeps what it had, and threads may not share one.
    parser = tree_sitter.Parser(_LANGUAGE)
    try:
        tree = parser.parse(
            lambda offset, _: shown[offset : offset + CHUNK],
            progress_callback=lambda *_: time.thread_time() > end,
        )
    except ValueError as error:
        raise TakesTooLong("the command takes too long to parse") from error
    if tree.root_node.has_error:
        raise NotUnderstood("the command is not valid bash")
    shown = source
    return tree.root_node


def inner_commands(node: Node) -> Iterator[Node]:
    """The substitutions within a node that is no command itself, as a test or an arithmetic expression."""
    stack = [node]
    while stack:
        current = stack.pop()
        if current.type in ("command_substitution", "process_substitution"):
            yield current
        else:
            stack.extend(reversed(current.children))
