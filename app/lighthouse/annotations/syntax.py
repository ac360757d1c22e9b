"""The declarations of a source file, as a forest: who stands within whom, under which name, on which rows."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tree_sitter import Node, Parser, Point, Query, QueryCursor, Tree

from lighthouse.annotations.languages import Group, Language, declarations_of, errors_of, grammar_of

PARSE_SECONDS = 2.0
_LETTERS = bytes(range(128)) + b"Z" * 128
_PIECE = 64 * 1024
_MAX_UNITS = 20_000
# What lies deeper belongs to the declaration around it: names stay short, and walks up and down shallow.
_MAX_NESTED = 100
_FUNCTIONS = ("arrow_function", "function_expression", "generator_function")


@dataclass(eq=False, slots=True)
class Unit:
    """A declaration: node `kind`, `name`, rows `first` to `last` with decorators, `head` its name's row.

    `index`: which one it is among its siblings, from 0. `broken`: the grammar found errors in it.
    """

    kind: str
    group: Group
    name: str
    first: int
    last: int
    head: int
    broken: bool
    parent: "Unit | None" = None
    index: int = 0
    children: "list[Unit]" = field(default_factory=list)

    def chain(self) -> "list[Unit]":
        """The declarations around this one, the outermost first, and itself."""
        return [*(self.parent.chain() if self.parent is not None else ()), self]

    @property
    def symbol(self) -> str:
        """Its name with those of the declarations around it, joined by dots."""
        return ".".join(unit.name for unit in self.chain())


@dataclass(frozen=True)
class Outline:
    """All declarations of a file; `broken` are the row ranges in which the grammar found errors."""

    roots: list[Unit]
    broken: list[tuple[int, int]]

    def walk(self) -> Iterator[Unit]:
        """Every declaration, those around before those within."""
        stack = self.roots[::-1]
        while stack:
            unit = stack.pop()
            yield unit
            stack.extend(reversed(unit.children))

    def innermost(self, first: int, last: int) -> Unit | None:
        """The smallest declaration that holds all these rows."""
        found, level = None, self.roots
        while True:
            inner = next((unit for unit in level if unit.first <= first and last <= unit.last), None)
            if inner is None:
                return found
            found, level = inner, inner.children

    def is_broken(self, first: int, last: int) -> bool:
        """Whether the grammar found errors on these rows."""
        return any(start <= last and first <= end for start, end in self.broken)


def outline(language: Language, source: bytes) -> Outline | None:
    """The declarations of `source`; None when parsing takes longer than two seconds or there are too many."""
    tree = _parse(language, source)
    if tree is None:
        return None
    errors = _captured(errors_of(language), tree) if tree.root_node.has_error else []
    broken = [(node.start_point.row, node.end_point.row) for node in errors]
    roots: list[Unit] = []
    open_units: list[tuple[Unit, int]] = []
    count = 0
    for node in _captured(declarations_of(language), tree):
        if not _counts(language, node) or (name := _name(language, node)) is None:
            continue
        if (count := count + 1) > _MAX_UNITS:
            return None
        while open_units and open_units[-1][1] <= node.start_byte:
            open_units.pop()
        if len(open_units) >= _MAX_NESTED:
            continue
        parent = open_units[-1][0] if open_units else None
        siblings = roots if parent is None else parent.children
        outer = (
            node.parent if node.parent is not None and node.parent.type == "decorated_definition" else node
        )
        first, last = outer.start_point.row, _last_row(node)
        unit = Unit(
            node.type,
            _group(language, node),
            name[0],
            first,
            last,
            max(name[1], first),
            node.has_error,
            parent,
            len(siblings),
        )
        siblings.append(unit)
        open_units.append((unit, node.end_byte))
    return Outline(roots, broken)


def node_kind(language: Language, source: bytes, first: int, last: int) -> str | None:
    """The kind of the smallest named node that holds these rows' first and last characters."""
    tree = _parse(language, source)
    rows = source.split(b"\n")[first : last + 1]
    if tree is None or not rows:
        return None
    start = len(rows[0]) - len(rows[0].lstrip())
    end = max(len(rows[-1].rstrip()) - 1, 0)
    node = tree.root_node.named_descendant_for_point_range(Point(first, start), Point(last, end))
    return node.type if node is not None else None


def _parse(language: Language, source: bytes) -> Tree | None:
    """Parse in pieces with a look at the clock: other threads get their turn, and no input takes for ever."""
    end = time.monotonic() + PARSE_SECONDS

    # The scanner of bash's grammar asks C's ctype tables about any character, and crashes on large ones: it
    # is shown letters of the same length. Nodes read the true text, later.
    shown = source.translate(_LETTERS) if language.name == "bash" else source

    def piece(offset: int, _: Point) -> bytes:
        return shown[offset : offset + _PIECE]

    def too_late(_: int, __: bool) -> bool:
        return time.monotonic() > end

    try:
        tree = Parser(grammar_of(language)).parse(piece, progress_callback=too_late)
    except ValueError:
        return None
    shown = source
    return tree


def _captured(query: Query, tree: Tree) -> list[Node]:
    found = QueryCursor(query).captures(tree.root_node).get("unit", [])
    return sorted(found, key=lambda node: (node.start_byte, -node.end_byte))


def _counts(language: Language, node: Node) -> bool:
    """Local variables and forward declarations are not what a place is named by."""
    if node.type in ("struct_specifier", "union_specifier", "enum_specifier", "class_specifier"):
        return node.child_by_field_name("body") is not None
    if node.type in ("assignment", "variable_declarator", "declaration", "variable_assignment"):
        around = node.parent
        while around is not None and around.type in (
            "expression_statement",
            "export_statement",
            "lexical_declaration",
            "variable_declaration",
        ):
            around = around.parent
        if around is not None and around.type == "block" and around.parent is not None:
            return around.parent.type == "class_definition"
        return around is None or around.parent is None or around.type.startswith("preproc_")
    return True


def _group(language: Language, node: Node) -> Group:
    value = node.child_by_field_name("value")
    if value is not None and value.type in _FUNCTIONS:
        return "function"
    return language.declarations[node.type]


def _name(language: Language, node: Node) -> tuple[str, int] | None:
    """The declaration's name and the row it stands on."""
    for field_name in ("name", "property", "key", "left", "declarator", "type"):
        named = node.child_by_field_name(field_name)
        if named is not None:
            break
    else:
        # TOML's tables and pairs have their key as first child, without a field.
        named = node.named_children[0] if node.named_children else None
        if named is None or language.name != "toml":
            return None
    while (inner := named.child_by_field_name("declarator")) is not None:
        named = inner
    if node.type == "impl_item" and (plain := named.child_by_field_name("type")) is not None:
        named = plain
    text = _text(named)
    receiver = node.child_by_field_name("receiver")
    if receiver is not None and (owner := _first(receiver, "type_identifier")) is not None:
        text = f"{_text(owner)}.{text}"
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        text = text[1:-1]
    return (text[:200], named.start_point.row) if text else None


def _first(node: Node, kind: str) -> Node | None:
    if node.type == kind:
        return node
    return next((found for child in node.named_children if (found := _first(child, kind))), None)


def _text(node: Node) -> str:
    return " ".join((node.text or b"").decode("utf-8", "replace").split())


def _last_row(node: Node) -> int:
    """Some nodes end with their line feed, at column 0 of the row after them."""
    row, column = node.end_point
    return row - 1 if column == 0 and row > node.start_point.row else row
