"""The languages with a grammar: by file extension, and which of their nodes are declarations with a name.

A declaration is what a person would name when asked where a line stands: a function, a type, a constant, a
key of a configuration. The tables follow the node types of each grammar's own `node-types.json`.
"""

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Literal

from tree_sitter import Language as Grammar
from tree_sitter import Query

Group = Literal["function", "type", "value", "section"]


@dataclass(frozen=True, eq=False)
class Language:
    """A grammar (`module`.`entry`) and its declarations: node type to group."""

    name: str
    module: str
    declarations: Mapping[str, Group]
    entry: str = "language"


_PYTHON: dict[str, Group] = {
    "function_definition": "function",
    "class_definition": "type",
    "assignment": "value",
}
_ECMASCRIPT: dict[str, Group] = {
    "function_declaration": "function",
    "generator_function_declaration": "function",
    "method_definition": "function",
    "class_declaration": "type",
    "variable_declarator": "value",
}
_JAVASCRIPT: dict[str, Group] = {**_ECMASCRIPT, "field_definition": "value"}
_TYPESCRIPT: dict[str, Group] = {
    **_ECMASCRIPT,
    "abstract_class_declaration": "type",
    "interface_declaration": "type",
    "type_alias_declaration": "type",
    "enum_declaration": "type",
    "internal_module": "type",
    "public_field_definition": "value",
}
_GO: dict[str, Group] = {
    "function_declaration": "function",
    "method_declaration": "function",
    "type_spec": "type",
    "type_alias": "type",
    "const_spec": "value",
    "var_spec": "value",
}
_RUST: dict[str, Group] = {
    "function_item": "function",
    "function_signature_item": "function",
    "macro_definition": "function",
    "struct_item": "type",
    "enum_item": "type",
    "union_item": "type",
    "trait_item": "type",
    "impl_item": "section",
    "mod_item": "section",
    "type_item": "type",
    "const_item": "value",
    "static_item": "value",
}
_C: dict[str, Group] = {
    "function_definition": "function",
    "struct_specifier": "type",
    "union_specifier": "type",
    "enum_specifier": "type",
    "type_definition": "type",
    "preproc_def": "value",
    "preproc_function_def": "function",
    "declaration": "value",
}
_CPP: dict[str, Group] = {
    **_C,
    "class_specifier": "type",
    "namespace_definition": "section",
    "alias_declaration": "type",
}
_JAVA: dict[str, Group] = {
    "class_declaration": "type",
    "interface_declaration": "type",
    "enum_declaration": "type",
    "record_declaration": "type",
    "method_declaration": "function",
    "constructor_declaration": "function",
    "field_declaration": "value",
}
_RUBY: dict[str, Group] = {
    "class": "type",
    "module": "section",
    "method": "function",
    "singleton_method": "function",
}
_BASH: dict[str, Group] = {"function_definition": "function", "variable_assignment": "value"}
_YAML: dict[str, Group] = {"block_mapping_pair": "section", "flow_pair": "section"}
_JSON: dict[str, Group] = {"pair": "section"}
_TOML: dict[str, Group] = {"table": "section", "table_array_element": "section", "pair": "section"}

_JS = Language("javascript", "tree_sitter_javascript", _JAVASCRIPT)
_TS = Language("typescript", "tree_sitter_typescript", _TYPESCRIPT, "language_typescript")
_TSX = Language("tsx", "tree_sitter_typescript", _TYPESCRIPT, "language_tsx")
_CPLUS = Language("cpp", "tree_sitter_cpp", _CPP)
_BY_EXTENSION: dict[bytes, Language] = {
    b"py": (python := Language("python", "tree_sitter_python", _PYTHON)),
    b"pyi": python,
    b"js": _JS,
    b"jsx": _JS,
    b"mjs": _JS,
    b"cjs": _JS,
    b"ts": _TS,
    b"mts": _TS,
    b"cts": _TS,
    b"tsx": _TSX,
    b"go": Language("go", "tree_sitter_go", _GO),
    b"rs": Language("rust", "tree_sitter_rust", _RUST),
    b"c": (c := Language("c", "tree_sitter_c", _C)),
    b"h": c,
    b"cc": _CPLUS,
    b"cpp": _CPLUS,
    b"cxx": _CPLUS,
    b"hpp": _CPLUS,
    b"hh": _CPLUS,
    b"java": Language("java", "tree_sitter_java", _JAVA),
    b"rb": Language("ruby", "tree_sitter_ruby", _RUBY),
    b"sh": (bash := Language("bash", "tree_sitter_bash", _BASH)),
    b"bash": bash,
    b"yml": (yaml := Language("yaml", "tree_sitter_yaml", _YAML)),
    b"yaml": yaml,
    b"json": Language("json", "tree_sitter_json", _JSON),
    b"toml": Language("toml", "tree_sitter_toml", _TOML),
}

NAMES = frozenset(language.name for language in _BY_EXTENSION.values())


def language_of(name: bytes) -> Language | None:
    """The language that a file of this name is written in; None for text without a grammar."""
    _, dot, extension = name.rpartition(b".")
    return _BY_EXTENSION.get(extension.lower()) if dot else None


@cache
def grammar_of(language: Language) -> Grammar:
    """The compiled grammar; loaded at its first use."""
    return Grammar(getattr(importlib.import_module(language.module), language.entry)())


@cache
def declarations_of(language: Language) -> Query:
    """The query that captures every declaration, as `unit`."""
    return Query(grammar_of(language), " ".join(f"({kind}) @unit" for kind in language.declarations))


@cache
def errors_of(language: Language) -> Query:
    """The query that captures what the grammar could not make sense of, as `unit`."""
    return Query(grammar_of(language), "(ERROR) @unit (MISSING) @unit")
