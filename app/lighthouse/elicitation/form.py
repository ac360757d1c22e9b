"""The schema of a question: which ones are taken, and whether an answer fits.

JSON Schema (2020-12) without what could cost without bound: no reference leaves the schema or leads back to
where it comes from, patterns are RE2's, and how often a part of an answer may be looked at is counted before.
A keyword that is not known is refused: a misspelt one would let every answer pass.
"""

import asyncio
from collections.abc import Iterator, Mapping
from fractions import Fraction
from functools import lru_cache
from typing import Any, NamedTuple

import jsonschema  # type: ignore[import-untyped]
import msgspec
from jsonschema import validators

from lighthouse.elicitation import keywords
from lighthouse.elicitation.errors import BadQuestion, BadReply
from lighthouse.elicitation.keywords import HINT, expression, told
from lighthouse.events.event import canonical

MAX_SCHEMA = 16 * 1024
MAX_DEPTH = 8
MAX_WEIGHT = 1000
MAX_CONTENT = 64 * 1024
MAX_CONTENT_DEPTH = 16
# How much all patterns may be together, in RE2's instructions: compiling them takes 30 ms.
MAX_PATTERNS = 20_000
# How often a schema may be held against a value: half a second, and 10 ms, where it is the slowest kind.
MAX_COST = 20_000
# What costs more than this is looked at on a thread, beside the event loop.
ASIDE_COST = 400
# As much as one part for one value: telling so many bytes in an error, or so many steps of a pattern's
# instruction over a byte of text.
BYTES_TOLD, STEPS = 2048, 2000

_DIALECT = "https://json-schema.org/draft/2020-12/schema"


class Form:
    """A schema that was found good. `weight` is how many schemas it is, with each reference written out."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._load = _Weighing(schema).root()
        self._validator = _Validator(schema)

    @property
    def weight(self) -> int:
        """How many parts it has."""
        return self._load.parts

    async def check(self, content: Any, turn: asyncio.Lock) -> None:
        """Raise BadReply, which says where and why, unless the content fits.

        What takes long takes its turn, for a thread that counts keeps the event loop from going on as fast.
        """
        size = len(msgspec.json.encode(content))
        if size > MAX_CONTENT:
            raise BadReply(f"the content has {size} bytes", f"at most {MAX_CONTENT} are taken")
        cost = self.cost(content, size)
        if cost > MAX_COST:
            raise BadReply(
                "the content has too many parts or too much text for this schema", "answer with less"
            )
        if cost <= ASIDE_COST:
            why = self._why_not(content)
        else:
            async with turn:
                why = await asyncio.to_thread(self._why_not, content)
        if why is not None:
            raise BadReply(why, "answer what the question's schema asks for, or decline")

    def cost(self, content: Any, size: int) -> int:
        """What it takes at most to hold content of so many bytes against all of it."""
        count, depth = _extent(content)
        values = count + depth * size // BYTES_TOLD
        load = self._load
        return values * (load.parts + load.names // 2) + size * load.patterns // STEPS

    def _why_not(self, content: Any) -> str | None:
        try:
            error = next(self._validator.iter_errors(content), None)
        except (ArithmeticError, RecursionError):
            return "the content cannot be compared with the schema"
        if error is None:
            return None
        return f"content{told(error.json_path[1:])}: {told(error.message)}"


def form(schema: dict[str, Any]) -> Form:
    """The form of a schema; raises BadQuestion, which says where and why."""
    try:
        encoded = canonical(schema)
    except (TypeError, ValueError, RecursionError) as error:
        raise BadQuestion(f"the schema is not JSON that can be kept ({error})", HINT) from error
    if len(encoded) > MAX_SCHEMA:
        raise BadQuestion(f"the schema has {len(encoded)} bytes", f"at most {MAX_SCHEMA} are taken")
    return _form(encoded)


@lru_cache(maxsize=256)  # agents ask the same kinds of questions again and again
def _form(encoded: bytes) -> Form:
    return Form(msgspec.json.decode(encoded))


class _Load(NamedTuple):
    """What is in a schema, with each reference written out: `patterns` are RE2's instructions of all."""

    parts: int
    height: int
    names: int = 0
    patterns: int = 0

    def with_part(self, part: "_Load") -> "_Load":
        """The same with a part beneath it."""
        return _Load(
            self.parts + part.parts,
            max(self.height, part.height + 1),
            self.names + part.names,
            self.patterns + part.patterns,
        )


class _Weighing:
    """Walks a schema as a validator would, and refuses what it should not meet."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._schema = schema
        self._definitions = schema.get("$defs", {})
        # What each definition weighs; None while it is being weighed.
        self._known: dict[str, _Load | None] = {}
        self._patterns: dict[str, int] = {}
        self._under_way = 0

    def root(self) -> _Load:
        """What all of it weighs."""
        dialect = self._schema.get("$schema", _DIALECT)
        if not isinstance(dialect, str) or dialect.rstrip("#") != _DIALECT:
            raise BadQuestion("schema/$schema: another dialect", f"leave it out, or use {_DIALECT}")
        keywords.check(self._schema, "")
        for name in self._definitions:
            self._definition(name, "/$defs")
        return self._weigh(self._schema, "", 0)

    def _weigh(self, schema: Any, where: str, above: int) -> _Load:
        if isinstance(schema, bool):
            return _Load(1, 1)
        if not isinstance(schema, dict):
            raise BadQuestion(f"schema{told(where)}: not a schema", HINT)
        keywords.check(schema, where)
        load = self._itself(schema, where)
        for part in self._beneath(schema, where, above):
            load = load.with_part(part)
            if above + load.height > MAX_DEPTH:
                raise BadQuestion(f"schema{told(where)}: nested deeper than {MAX_DEPTH}", "flatten it")
            if load.parts > MAX_WEIGHT:
                raise BadQuestion(f"schema{told(where)}: more than {MAX_WEIGHT} parts", "ask for less")
            _check_patterns(load.patterns, where)
        return load

    def _itself(self, schema: dict[str, Any], where: str) -> _Load:
        """The schema without its parts, ready to be held against values."""
        patterns = 0
        if "pattern" in schema:
            patterns = self._patterns[where] = expression(schema["pattern"]).programsize
            # Also of those that stand side by side in definitions which nothing refers to.
            _check_patterns(sum(self._patterns.values()), where)
        for keyword in ("enum", "const"):
            if keyword in schema:
                schema[keyword] = _Choices(schema["enum"] if keyword == "enum" else [schema["const"]])
        names = len(schema.get("required", ())) + sum(map(len, schema.get("dependentRequired", {}).values()))
        return _Load(1, 1, names, patterns)

    def _beneath(self, schema: dict[str, Any], where: str, above: int) -> Iterator[_Load]:
        if "$ref" in schema:
            yield self._definition(_named(schema["$ref"], f"{where}/$ref"), f"{where}/$ref")
        for at, part in keywords.parts(schema, where):
            # One level too deep is told by whoever asked; what lies deeper is not looked at.
            yield self._weigh(part, at, above + 1) if above < MAX_DEPTH else _Load(1, 1)

    def _definition(self, name: str, where: str) -> _Load:
        if name in self._known:
            found = self._known[name]
            if found is None:
                raise BadQuestion(f"schema{told(where)}: leads back to itself", "write it without that")
            return found
        if name not in self._definitions:
            raise BadQuestion(f"schema{told(where)}: there is no $defs/{told(name)}", HINT)
        if self._under_way > MAX_DEPTH:
            raise BadQuestion(f"schema{told(where)}: nested deeper than {MAX_DEPTH}", "flatten it")
        self._known[name] = None
        self._under_way += 1
        found = self._known[name] = self._weigh(self._definitions[name], f"/$defs/{name}", 0)
        self._under_way -= 1
        return found


def _check_patterns(size: int, where: str) -> None:
    if size > MAX_PATTERNS:
        raise BadQuestion(f"schema{told(where)}: the patterns are too large", "repeat less, or use maxLength")


def _named(reference: Any, where: str) -> str:
    name = reference.removeprefix("#/$defs/") if isinstance(reference, str) else ""
    if not name or name == reference or not name.replace("_", "a").replace("-", "a").isalnum():
        raise BadQuestion(f"schema{told(where)}: not of the form #/$defs/NAME", HINT)
    return str(name)


def _pattern(
    validator: Any, pattern: str, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    if isinstance(instance, str) and not expression(pattern).search(instance):
        yield jsonschema.ValidationError(f"{told(repr(instance))} does not match {pattern!r}")


class _Choices:
    """What a value may be: looked up, for to compare it with each of many takes long."""

    def __init__(self, values: list[Any]) -> None:
        self.values = values
        self._known = {canonical(_whole(value)) for value in values}

    def __contains__(self, value: Any) -> bool:
        return canonical(_whole(value)) in self._known


def _enum(
    validator: Any, choices: _Choices, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    if instance not in choices:
        yield jsonschema.ValidationError(f"{told(repr(instance))} is not one of {told(repr(choices.values))}")


def _const(
    validator: Any, choices: _Choices, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    if instance not in choices:
        yield jsonschema.ValidationError(f"{told(repr(choices.values[0]))} was expected")


def _multiple(
    validator: Any, factor: Any, instance: Any, schema: Any
) -> Iterator[jsonschema.ValidationError]:
    # The library divides binary fractions, to which 19.99 is no multiple of 0.01.
    if validator.is_type(instance, "number") and _exact(instance) % _exact(factor):
        yield jsonschema.ValidationError(f"{told(repr(instance))} is not a multiple of {told(repr(factor))}")


def _exact(number: float) -> Fraction:
    return Fraction(repr(number)) if isinstance(number, float) else Fraction(number)


def _unique(validator: Any, unique: bool, instance: Any, schema: Any) -> Iterator[jsonschema.ValidationError]:
    # The library's own takes time by the square of the length.
    if unique and isinstance(instance, list):
        seen = {canonical(_whole(one)) for one in instance}
        if len(seen) < len(instance):
            yield jsonschema.ValidationError("it holds something twice")


def _whole(value: Any) -> Any:
    """The value with 1.0 written as 1, for to JSON Schema they are the same number."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: _whole(one) for key, one in value.items()}
    return [_whole(one) for one in value] if isinstance(value, list) else value


def _extent(content: Any) -> tuple[int, int]:
    """How many values the content is made of, and how deep it is."""
    count, level = 0, [content]
    for depth in range(1, MAX_CONTENT_DEPTH + 1):
        count += len(level)
        below: list[Any] = []
        for value in level:
            if isinstance(value, Mapping):
                below += value.values()
            elif isinstance(value, list):
                below += value
        if not below:
            return count, depth
        level = below
    raise BadReply(f"the content is nested deeper than {MAX_CONTENT_DEPTH}", "flatten it")


_Validator = validators.extend(
    validators.Draft202012Validator,
    {
        "pattern": _pattern,
        "uniqueItems": _unique,
        "multipleOf": _multiple,
        "enum": _enum,
        "const": _const,
    },
)
