"""The keywords of JSON Schema (2020-12) that a question's schema may have, and what each may hold."""

import math
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

import re2  # type: ignore[import-untyped]

from lighthouse.elicitation.errors import BadQuestion

MAX_PATTERN = 1000
MAX_TOLD = 300
HINT = "see docs/elicitation.md"

TYPES = {"null", "boolean", "object", "array", "number", "string", "integer"}
# They hold a schema, a list of schemas, or schemas by name.
ONE = {"items", "additionalProperties", "contains", "propertyNames", "not", "if", "then", "else"}
SEVERAL = {"allOf", "anyOf", "oneOf", "prefixItems"}
NAMED = {"properties", "dependentSchemas"}


def _number(value: Any) -> bool:
    # A whole number may be larger than any float.
    return not isinstance(value, bool) and (
        isinstance(value, int) or (isinstance(value, float) and math.isfinite(value))
    )


def _count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _text(value: Any) -> bool:
    return isinstance(value, str)


def _names(value: Any) -> bool:
    return isinstance(value, list) and all(map(_text, value)) and len(set(value)) == len(value)


def _types(value: Any) -> bool:
    several = [value] if isinstance(value, str) else value
    return _names(several) and bool(several) and TYPES.issuperset(several)


def _dependent(value: Any) -> bool:
    return isinstance(value, dict) and all(map(_names, value.values()))


def _anything(value: Any) -> bool:
    return True


Rule = tuple[Callable[[Any], bool], str]

_ANYTHING: Rule = _anything, ""
_NUMBER: Rule = _number, "a number"
_COUNT: Rule = _count, "a whole number that is not negative"
_TEXT: Rule = _text, "a text"
_SWITCH: Rule = (lambda value: isinstance(value, bool)), "true or false"
_LIST: Rule = (lambda value: isinstance(value, list)), "a list"
_SCHEMAS: Rule = (lambda value: isinstance(value, list) and bool(value)), "a list of schemas"
_BY_NAME: Rule = (lambda value: isinstance(value, dict)), "an object"

RULES: dict[str, Rule] = {
    **dict.fromkeys(("$schema", "$ref", "const", "default", *ONE), _ANYTHING),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum"), _NUMBER),
    **dict.fromkeys(("minLength", "maxLength", "minItems", "maxItems"), _COUNT),
    **dict.fromkeys(("minContains", "maxContains", "minProperties", "maxProperties"), _COUNT),
    **dict.fromkeys(("$comment", "title", "description", "format", "pattern"), _TEXT),
    **dict.fromkeys(("uniqueItems", "deprecated", "readOnly", "writeOnly"), _SWITCH),
    **dict.fromkeys(("enum", "examples", "enumNames"), _LIST),
    **dict.fromkeys(SEVERAL, _SCHEMAS),
    **dict.fromkeys(("$defs", *NAMED), _BY_NAME),
    "type": (_types, f"one of {', '.join(sorted(TYPES))}, or a list of some"),
    "multipleOf": ((lambda value: _number(value) and value > 0), "a number above 0"),
    "required": (_names, "a list of names, each once"),
    "dependentRequired": (_dependent, "an object of lists of names, each once"),
}


def check(schema: dict[str, Any], where: str) -> None:
    """Raise BadQuestion unless all keywords right here are known and hold what they may."""
    for keyword, value in schema.items():
        at = f"{where}/{keyword}"
        if keyword not in RULES:
            raise BadQuestion(f"schema{told(at)}: this keyword is not known here", HINT)
        if where and keyword in ("$defs", "$schema"):
            raise BadQuestion(f"schema{told(at)}: only taken at the top", HINT)
        fits, what = RULES[keyword]
        if not fits(value):
            raise BadQuestion(f"schema{told(at)}: not {what}", HINT)
        if keyword == "pattern":
            _check_pattern(value, at)


def parts(schema: dict[str, Any], where: str) -> Iterator[tuple[str, Any]]:
    """The schemas right beneath this one, and where they are."""
    for keyword, value in schema.items():
        at = f"{where}/{keyword}"
        if keyword in ONE:
            yield at, value
        elif keyword in SEVERAL:
            yield from ((f"{at}/{n}", one) for n, one in enumerate(value))
        elif keyword in NAMED:
            yield from ((f"{at}/{name}", one) for name, one in value.items())


@lru_cache(maxsize=256)
def expression(pattern: str) -> Any:
    """The pattern as RE2 takes it, which never takes longer than the text is long; raises re2.error."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = 1024 * 1024
    return re2.compile(pattern, options)


def told(text: str) -> str:
    """As much of it as an error should repeat."""
    return text if len(text) <= MAX_TOLD else f"{text[: MAX_TOLD - 1]}…"


def _check_pattern(pattern: str, where: str) -> None:
    if len(pattern) > MAX_PATTERN:
        raise BadQuestion(f"schema{told(where)}: longer than {MAX_PATTERN} characters", HINT)
    try:
        expression(pattern)
    except re2.error as error:
        raise BadQuestion(f"schema{told(where)}: RE2 does not take it ({error})", HINT) from error
