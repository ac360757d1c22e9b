"""Expands the words of a command as bash would: quotes, variables, braces, `~` and substitutions."""

import itertools
import re
from collections.abc import Callable, Iterator

from lighthouse.policy.shell.grammar import Node, NotUnderstood
from lighthouse.policy.shell.marks import (
    ANY,
    BRACKET,
    CLOSE_BRACE,
    COMMA,
    EMPTY,
    ONE,
    OPEN_BRACE,
    PLAIN,
    SPLIT,
    STAR,
    has_glob,
    is_open,
)
from lighthouse.policy.shell.state import State

MOST_BRACES = 64
MOST_MADE = 128 * 1024
Substitute = Callable[[Node], str]

_UNQUOTED = {"*": STAR, "?": ONE, "[": BRACKET, "{": OPEN_BRACE, ",": COMMA, "}": CLOSE_BRACE}
_QUOTED_ESCAPE = re.compile(r"\\([$`\"\\\n])")
_ANSI = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|0?([0-7]{1,3})|c(.)|([abeEfnrtv\\'\"?]))",
    re.DOTALL,
)
_ANSI_CHARS = dict(zip("abeEfnrtv", "\a\b\x1b\x1b\f\n\r\t\v", strict=True))


class Words:
    """Expands words in a state; `substitute` runs a `$(…)` or `<(…)` and tells what it prints."""

    def __init__(self, state: State, substitute: Substitute) -> None:
        self._state = state
        self._substitute = substitute
        self._made = 0

    def fields(self, node: Node) -> list[str]:
        """The words that one word of the source becomes: none, one or several."""
        if node.type == "word":
            text = node.text.decode() if node.text else ""
            if text.isalnum() or not (_SPECIAL.search(text)):
                return [text]
        whole = self._unquoted(node)
        if whole.startswith("~") and _bare_tilde(node):
            whole = self._tilde(whole)
        return [part.replace(EMPTY, "") for braced in _braces(whole) for part in braced.split(SPLIT) if part]

    def value(self, node: Node) -> str:
        """What the node gives where bash does not split, as behind `=`."""
        whole = self._unquoted(node, splits=False)
        if whole.startswith("~"):
            whole = self._tilde(whole)
        return whole.replace(EMPTY, "").replace(OPEN_BRACE, "{").replace(COMMA, ",").replace(CLOSE_BRACE, "}")

    def text(self, node: Node) -> str:
        """What a here-document's body gives: expanded, and no quote counts."""
        return self._quoted(node, heredoc=True)

    def _tilde(self, whole: str) -> str:
        name = whole[1:].partition("/")[0]
        return whole.replace("~", self._state.roots.home_folder, 1) if not name else whole

    def _unquoted(self, node: Node, *, splits: bool = True) -> str:
        match node.type:
            case (
                "word"
                | "number"
                | "variable_name"
                | "regex"
                | "extglob_pattern"
                | "file_descriptor"
                | "test_operator"
            ):
                if node.named_child_count and node.type != "word":
                    return self._gathered(node, splits=splits)
                return _bare(node.text.decode() if node.text else "")
            case "concatenation" | "command_name":
                return self._gathered(node, splits=splits)
            case "string" | "translated_string":
                return (
                    self._quoted(node) if node.type == "string" else self._unquoted(node.children[-1])
                ) or EMPTY
            case "raw_string":
                return (node.text.decode()[1:-1] if node.text else "") or EMPTY
            case "ansi_c_string":
                return ansi(node.text.decode()[2:-1] if node.text else "") or EMPTY
            case "simple_expansion" | "expansion":
                return self._split(self._variable(node), splits)
            case "command_substitution":
                return self._split(self._substitute(node), splits)
            case "process_substitution":
                return self._substitute(node)
            case "arithmetic_expansion":
                self._run_inner(node)
                return PLAIN
            case "brace_expression":
                return PLAIN
            case "array":
                return SPLIT.join(field for child in node.named_children for field in self.fields(child))
            case (
                "$"
                | "special_character"
                | "="
                | "=="
                | "+="
                | ","
                | ":"
                | "/"
                | "%"
                | "+"
                | "-"
                | "^"
                | "!"
                | "#"
                | "@"
            ):
                return node.text.decode() if node.text else ""
        raise NotUnderstood(f"a part of the command is not understood ({node.type})")

    def _gathered(self, node: Node, *, splits: bool) -> str:
        """The children's texts, and what the grammar left between them."""
        parts: list[str] = []
        at = node.start_byte
        source = node.text or b""
        for child in node.children:
            if child.start_byte > at:
                parts.append(
                    _bare(source[at - node.start_byte : child.start_byte - node.start_byte].decode())
                )
            parts.append(self._unquoted(child, splits=splits))
            at = child.end_byte
        if node.end_byte > at:
            parts.append(_bare(source[at - node.start_byte :].decode()))
        # An empty string beside other text is no word of its own.
        return "".join(part for part in parts if part != EMPTY) or (EMPTY if EMPTY in parts else "")

    def _quoted(self, node: Node, *, heredoc: bool = False) -> str:
        source = node.text or b""
        first, last = (0, len(source)) if heredoc else (1, len(source) - 1)
        parts: list[str] = []
        at = first
        for child in node.children:
            if child.type not in _EXPANSIONS:
                continue
            start, end = child.start_byte - node.start_byte, child.end_byte - node.start_byte
            parts.append(_QUOTED_ESCAPE.sub(_unescaped, source[at:start].decode()))
            parts.append(self._expansion(child))
            at = end
        parts.append(_QUOTED_ESCAPE.sub(_unescaped, source[at:last].decode()))
        return "".join(parts)

    def _expansion(self, node: Node) -> str:
        if node.type == "arithmetic_expansion":
            self._run_inner(node)
            return PLAIN
        if node.type in ("command_substitution", "process_substitution"):
            return self._substitute(node)
        return self._variable(node)

    def _run_inner(self, node: Node) -> None:
        stack = list(node.children)
        while stack:
            child = stack.pop()
            if child.type in ("command_substitution", "process_substitution"):
                self._substitute(child)
            else:
                stack.extend(child.children)

    def _split(self, text: str, splits: bool) -> str:
        if not splits:
            return text
        # Without quotes the value's patterns count too.
        text = text.replace("*", STAR).replace("?", ONE).replace("[", BRACKET)
        return (
            SPLIT.join(text.split()) if text.strip() == text else f"{SPLIT}{SPLIT.join(text.split())}{SPLIT}"
        )

    def _variable(self, node: Node) -> str:
        self._run_inner(node)
        raw = (node.text or b"").decode()
        text = self._state.get(raw[1:]) if node.type == "simple_expansion" else self._braced(raw[2:-1])
        self._made += len(text)
        if self._made > MOST_MADE:
            raise NotUnderstood("variables make the command too long")
        return text

    def _braced(self, inner: str) -> str:
        match = re.match(r"([A-Za-z_]\w*|\d+|[@*#?$!-])(.*)\Z", inner, re.DOTALL)
        if match is None:
            return PLAIN if re.fullmatch(r"#[\w@*\[\]]+", inner) else ANY
        name, rest = match.groups()
        if not rest:
            return self._state.get(name)
        if name == "#":
            return PLAIN if re.fullmatch(r"\w+(\[[@*]\])?", rest) else ANY
        if rest in ("[@]", "[*]"):
            return self._state.get(name)
        operator = re.match(r":?[-=+?]|%%?|##?|//?|\^\^?|,,?|@|:|\[", rest)
        if operator is None:
            return ANY
        value = self._state.get(name)
        sign, word = operator.group(), rest[operator.end() :]
        if sign in (":-", "-", ":=", "="):
            return value if self._state.is_set(name) else ANY  # set or not cannot be told
        if sign in ("?", ":?"):
            return value
        return _trimmed(sign, word, value)


_SPECIAL = re.compile(r"[\\*?\[{},~]")
_EXPANSIONS = frozenset(
    ("simple_expansion", "expansion", "command_substitution", "arithmetic_expansion", "process_substitution")
)


def ansi(text: str) -> str:
    """The text of `$'…'`, `echo -e` and `printf` with its escapes taken as C does."""

    def char(match: re.Match[str]) -> str:
        hexadecimal = match[1] or match[2] or match[3]
        if hexadecimal or match[4]:
            code = int(hexadecimal, 16) if hexadecimal else int(match[4], 8) & 255
            return chr(code) if 0 < code < 0xD800 else ANY
        if match[5]:
            return chr(ord(match[5].upper()) & 31)
        return _ANSI_CHARS.get(match[6], match[6])

    return _ANSI.sub(char, text)


def _unescaped(match: re.Match[str]) -> str:
    return "" if match[1] == "\n" else match[1]


def _bare_tilde(node: Node) -> bool:
    return bool(node.text and node.text.startswith(b"~"))


def _bare(text: str) -> str:
    """Unquoted text: a backslash quotes one character, patterns and braces count."""
    if not _SPECIAL.search(text):
        return text
    parts: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
            char = text[at : at + 1]
            if char == "\n":
                char = ""
        else:
            char = _UNQUOTED.get(char, char)
        parts.append(char)
        at += 1
    return "".join(parts)


def _braces(text: str) -> Iterator[str]:
    """The words of `a{b,c}`; braces without a comma are plain."""
    if OPEN_BRACE not in text:
        yield text.replace(COMMA, ",").replace(CLOSE_BRACE, "}")
        return
    if text.count(OPEN_BRACE) > MOST_BRACES:
        raise NotUnderstood("a brace expansion makes too many words")
    results = _expanded(text, 0)
    if len(results) > MOST_BRACES:
        raise NotUnderstood("a brace expansion makes too many words")
    for result in results:
        yield result.replace(COMMA, ",").replace(CLOSE_BRACE, "}").replace(OPEN_BRACE, "{")


def _expanded(text: str, depth: int) -> list[str]:
    start = text.find(OPEN_BRACE)
    if start < 0 or depth > 8:
        return [text]
    level, cuts, end = 0, [start], -1
    for at in range(start, len(text)):
        char = text[at]
        level += (char == OPEN_BRACE) - (char == CLOSE_BRACE)
        if char == COMMA and level == 1:
            cuts.append(at)
        elif char == CLOSE_BRACE and level == 0:
            end = at
            break
    if end < 0 or len(cuts) == 1:
        inner = text[start + 1 : end] if end > 0 else ""
        if ".." in inner:
            text = text[:start] + PLAIN + text[end + 1 :]
            return _expanded(text, depth + 1)
        return [
            text[: start + 1].replace(OPEN_BRACE, "{") + rest
            for rest in _expanded(text[start + 1 :], depth + 1)
        ]
    cuts.append(end)
    choices = [text[left + 1 : right] for left, right in itertools.pairwise(cuts)]
    heads, tails = text[:start], _expanded(text[end + 1 :], depth + 1)
    middles = [word for choice in choices for word in _expanded(choice, depth + 1)]
    if len(middles) * len(tails) > MOST_BRACES:
        raise NotUnderstood("a brace expansion makes too many words")
    return [heads + middle + tail for middle in middles for tail in tails]


def _trimmed(sign: str, word: str, value: str) -> str:
    """`${X%word}` and its kin, as far as the result can be told."""
    plain_word = re.fullmatch(r"[\w.\-/]*", word) is not None
    if sign in ("^", "^^", ",", ",,") and not word:
        return (value.upper() if sign[0] == "^" else value.lower()) if not is_open(value) else value
    if sign in ("%", "%%"):
        if plain_word and not is_open(value) and not has_glob(value):
            return value.removesuffix(word)
        if word.startswith(".") and "/" not in word and ANY not in value:
            folder, slash, _ = value.rpartition("/")
            return folder + slash + PLAIN
        if word == "/*" and "/" in value.strip("/"):
            return value.rpartition("/")[0]
    if sign in ("#", "##"):
        if plain_word and not is_open(value) and not has_glob(value):
            return value.removeprefix(word)
        if sign == "##" and word == "*/":
            return value.rpartition("/")[2] if not is_open(value) and not has_glob(value) else PLAIN
    return ANY
