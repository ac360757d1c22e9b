"""Reads an awk program as tokens: whether it runs a command, and which files it writes."""

from collections.abc import Iterator
from typing import NamedTuple


class NotAwk(Exception):
    """The program runs a command, or is not understood."""


class Token(NamedTuple):
    """`kind` is `string`, `regex`, `name` or `sign`."""

    kind: str
    text: str


def written_files(program: str) -> list[str]:
    """The files that the program writes, by `print > "name"`. Raises NotAwk for what is more than that."""
    files: list[str] = []
    depth, printing = 0, False
    tokens = list(_tokens(program))
    for number, token in enumerate(tokens):
        if token.kind == "name":
            if token.text in ("system", "getline"):
                raise NotAwk(f"its program uses {token.text}")
            if token.text in ("print", "printf"):
                printing, depth = True, 0
        if token.kind != "sign":
            continue
        if token.text in ("|", "@", "`"):
            raise NotAwk("its program runs a command or loads code")
        depth += (token.text == "(") - (token.text == ")")
        if token.text in (";", "\n", "}"):
            printing = False
        if token.text == ">" and printing and depth == 0:
            target = next((one for one in tokens[number + 1 : number + 3] if one.text != ">"), None)
            behind = tokens[number + 2 : number + 4]
            ends = all(one.kind == "sign" for one in behind if one is not target)
            if target is None or target.kind != "string" or not ends:
                raise NotAwk("its program writes a file whose name is not known")
            files.append(target.text)
    return files


def _tokens(program: str) -> Iterator[Token]:
    """Strings, expressions, names and signs; `/` divides only behind a value."""
    at, value = 0, False
    while at < len(program):
        char = program[at]
        if char == '"' or (char == "/" and not value):
            end = _end(program, at + 1, char)
            yield Token("string" if char == '"' else "regex", program[at + 1 : end])
            at, value = end + 1, True
        elif char.isalnum() or char == "_":
            end = at
            while end < len(program) and (program[end].isalnum() or program[end] in "_."):
                end += 1
            yield Token("name", program[at:end])
            value = program[at:end] not in ("print", "printf", "return", "in", "case")
            at = end
        elif char == "#":
            at = program.find("\n", at) if "\n" in program[at:] else len(program)
        elif program[at : at + 2] in ("||", "&&"):
            at, value = at + 2, False
        else:
            if char == "\n" or not char.isspace():
                yield Token("sign", char)
                value = char in ")]$"
            at += 1


def _end(program: str, at: int, mark: str) -> int:
    while at < len(program) and program[at] != mark:
        if program[at] == "\n":
            break
        at += 2 if program[at] == "\\" else 1
    if at >= len(program) or program[at] != mark:
        raise NotAwk("its program is not understood")
    return at
