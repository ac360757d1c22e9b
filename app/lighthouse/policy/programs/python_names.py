"""What a piece of Python binds, and what its expressions are, as far as a look at its tree can tell."""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

import tree_sitter

from lighthouse.policy.programs.found import Inline
from lighthouse.policy.vocabulary import listed

Node = tree_sitter.Node
MODULES = listed("inline", "python_modules")
MOST_STEPS = 6000


class NotKnown(Exception):
    """Something of the code is not known as harmless; the text says what."""


@dataclass(frozen=True, slots=True)
class Value:
    """What an expression is, where that can be told: a module or its member, a text, a path."""

    kind: str
    text: str | None = None


class Names:
    """The names that the code binds, and the values of its expressions."""

    def __init__(self, source: bytes, found: Inline) -> None:
        self._source = source
        self._found = found
        self._imported: dict[str, str] = {}
        self._members: list[str] = []
        self._foreign: set[str] = set()
        self._bound: set[str] = set()
        self._once: dict[str, Node | None] = {}
        self._steps = 0

    def _text(self, node: Node) -> str:
        return self._source[node.start_byte : node.end_byte].decode("utf-8", "replace")

    def _bind(self, node: Node) -> None:
        match node.type:
            case "import_statement":
                for child in node.named_children:
                    self._import(child)
            case "import_from_statement":
                self._import_from(node)
            case "assignment" | "named_expression" | "augmented_assignment":
                left = node.child_by_field_name("left") or node.child_by_field_name("name")
                if left is not None:
                    if left.type == "identifier" and node.type == "assignment":
                        name = self._text(left)
                        right = node.child_by_field_name("right")
                        self._once[name] = None if name in self._once else right
                    self._targets(left)
                    if left.type == "attribute" and self._text(left).startswith("self."):
                        self._bound.add(self._text(left.child_by_field_name("attribute") or left))
            case "for_statement" | "for_in_clause":
                self._targets(node.child_by_field_name("left"))
            case "as_pattern_target" | "parameters" | "lambda_parameters":
                self._targets(node)
            case "function_definition" | "class_definition":
                self._targets(node.child_by_field_name("name"))
            case "except_clause":
                for child in node.named_children:
                    if child.type == "as_pattern":
                        self._targets(child)

    def _targets(self, node: Node | None) -> None:
        if node is None or node.type in ("attribute", "subscript", "call"):
            return
        if node.type == "identifier":
            name = self._text(node)
            self._bound.add(name)
            if node.parent is None or node.parent.type != "assignment":
                self._once[name] = None
        for child in node.named_children:
            if (
                node.type not in ("default_parameter", "typed_default_parameter")
                or child == node.named_children[0]
            ):
                self._targets(child)

    def _import(self, node: Node) -> None:
        alias = node.child_by_field_name("alias")
        name = node.child_by_field_name("name") if node.type == "aliased_import" else node
        module = self._text(name) if name is not None else ""
        bound = self._text(alias) if alias is not None else module.partition(".")[0]
        self._known_module(module, bound, module if alias is not None else module.partition(".")[0])

    def _import_from(self, node: Node) -> None:
        module_node = node.child_by_field_name("module_name")
        module = self._text(module_node) if module_node is not None else ""
        for child in node.named_children:
            if child == module_node:
                continue
            if child.type == "wildcard_import":
                raise NotKnown(f"imports everything of {module}")
            alias = child.child_by_field_name("alias")
            name = self._text(child.child_by_field_name("name") or child)
            bound = self._text(alias) if alias is not None else name
            if not self._known_module(module, bound, f"{module}.{name}"):
                continue
            self._members.append(f"{module}.{name}")

    def _known_module(self, module: str, bound: str, dotted: str) -> bool:
        """Bind an imported name; whether the module is one whose members are known."""
        root = module.partition(".")[0]
        if bound in self._imported or bound in self._foreign:
            raise NotKnown(f"binds {bound} twice")
        if root in MODULES:
            self._imported[bound] = dotted
            return True
        if root in sys.stdlib_module_names or root in ("pip", "setuptools"):
            raise NotKnown(f"loads {module}")
        self._foreign.add(bound)
        self._found.loads.append(".")  # Python looks in the current folder first
        return False

    def _value(self, node: Node | None) -> Value:
        self._steps += 1
        if node is None or self._steps > MOST_STEPS * 4:
            return Value("")
        match node.type:
            case "string":
                if any(child.type == "interpolation" for child in node.children):
                    return Value("text")
                text = _literal(self._text(node))
                return Value("text", text)
            case "parenthesized_expression":
                return self._value(node.named_children[0] if node.named_children else None)
            case "identifier":
                name = self._text(node)
                if name in self._imported and name not in self._bound:
                    dotted = self._imported[name]
                    return Value("module" if dotted in MODULES else "member", dotted)
                once = self._once.get(name)
                if once is not None and name not in self._imported:
                    self._steps += 50  # a name that leads to itself ends soon
                    return self._value(once)
                return Value("")
            case "attribute":
                base = self._value(node.child_by_field_name("object"))
                name = self._text(node.child_by_field_name("attribute") or node)
                if base.kind in ("module", "member"):
                    dotted = f"{base.text}.{name}"
                    return Value("module" if dotted in MODULES else "member", dotted)
                return Value("path") if base.kind == "path" and name in ("parent", "parents") else Value("")
            case "call":
                return self._called(node)
            case "binary_operator":
                return self._joined(node)
        return Value("")

    def _called(self, node: Node) -> Value:
        function = node.child_by_field_name("function")
        arguments = node.child_by_field_name("arguments")
        given = arguments.named_children if arguments is not None else []
        value = self._value(function)
        if value.kind == "member" and value.text in ("pathlib.Path", "pathlib.PurePath", "pathlib.PosixPath"):
            parts = [self._value(child) for child in given]
            if parts and all(part.text is not None for part in parts):
                return Value("path", "/".join(part.text or "" for part in parts))
            return Value("path", "." if not given else None)
        if value.text in ("os.path.join",):
            parts = [self._value(child) for child in given]
            known = all(part.text is not None for part in parts)
            return Value("text", "/".join(part.text or "" for part in parts) if known else None)
        if (
            value.text in ("os.path.expanduser", "os.path.abspath", "os.path.realpath", "os.path.normpath")
            and given
        ):
            return self._value(given[0])
        if function is not None and function.type == "attribute":
            name = self._text(function.child_by_field_name("attribute") or function)
            base = self._value(function.child_by_field_name("object"))
            if base.kind == "path" and name in ("expanduser", "resolve", "absolute"):
                return base
            if base.kind == "path" and name in ("with_suffix", "with_name", "joinpath", "relative_to"):
                return Value("path")
        return Value("")

    def _joined(self, node: Node) -> Value:
        left = self._value(node.child_by_field_name("left"))
        right = self._value(node.child_by_field_name("right"))
        operator = self._text(node.child_by_field_name("operator") or node)
        if left.kind == "path" and operator == "/":
            known = left.text is not None and right.text is not None
            return Value("path", f"{left.text}/{right.text}" if known else None)
        if operator == "+" and left.kind == right.kind == "text":
            known = left.text is not None and right.text is not None
            return Value("text", f"{left.text}{right.text}" if known else None)
        return Value("")


def every(node: Node) -> Iterator[Node]:
    stack = [node]
    while stack:
        current = stack.pop()
        yield current
        stack.extend(reversed(current.named_children))


def _literal(text: str) -> str | None:
    """The text of a plain literal; None where it holds escapes that nobody needs for a path or a question."""
    match = re.fullmatch(r"([rRuU]?)('''|\"\"\"|'|\")(.*)\2", text, re.DOTALL)
    if match is None or ("\\" in match[3] and not match[1].lower().startswith("r")):
        return None
    return match[3]
