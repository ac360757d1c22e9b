"""Which schemas are taken, and which answers fit them."""

import asyncio
import json
import random
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator  # type: ignore[import-untyped]

from lighthouse.elicitation import BadQuestion, BadReply
from lighthouse.elicitation.form import ASIDE_COST, MAX_COST, MAX_DEPTH, form
from lighthouse.elicitation.keywords import RULES


async def check(schema: dict[str, Any], content: Any) -> None:
    await form(schema).check(content, asyncio.Lock())


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth - 1):
        schema = {"items": schema}
    return schema


def bomb(levels: int) -> dict[str, Any]:
    """Each definition stands for two of the next: short to write, endless to check."""
    several = {f"d{n}": {"allOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(levels)}
    return {"$ref": "#/$defs/d0", "$defs": several | {f"d{levels}": {"type": "string"}}}


@pytest.mark.parametrize(
    ("schema", "good", "bad", "why"),
    [
        ({"type": "string"}, "x", 1, "content: 1 is not of type 'string'"),
        ({"enum": ["a", "b"]}, "a", "c", "content: 'c' is not one of ['a', 'b']"),
        ({"type": "string", "pattern": "^v[0-9]+$"}, "v12", "w", "content: 'w' does not match"),
        ({"type": "array", "uniqueItems": True}, [1, 2, True], [1, 1.0], "it holds something twice"),
        (
            {"properties": {"a": {"items": {"properties": {"n": {"type": "integer"}}}}}},
            {"a": [{"n": 1}]},
            {"a": [{"n": 1}, {"n": "one"}]},
            "content.a[1].n: 'one' is not of type 'integer'",
        ),
        (
            {"$ref": "#/$defs/name", "$defs": {"name": {"type": "string", "maxLength": 2}}},
            "ab",
            "abc",
            "content: 'abc' is too long",
        ),
        ({"additionalProperties": False, "properties": {"a": {}}}, {"a": 1}, {"b": 1}, "'b' was unexpected"),
        ({"properties": {"$ref": {"type": "null"}}}, {"$ref": None}, {"$ref": 1}, "content"),
        (nested(MAX_DEPTH), [], "x" if MAX_DEPTH == 1 else [[[[[[[1]]]]]]], "is not of type 'string'"),
    ],
)
async def test_answers(schema: dict[str, Any], good: Any, bad: Any, why: str) -> None:
    await check(schema, good)
    with pytest.raises(BadReply) as raised:
        await check(schema, bad)
    assert why in str(raised.value)


@pytest.mark.parametrize(
    ("schema", "why"),
    [
        ({"type": "strnig"}, "schema/type: "),
        ({"properties": {"a": {"minimum": "x"}}}, "schema/properties/a/minimum: not a number"),
        ({"requierd": ["a"]}, "schema/requierd: this keyword is not known"),
        ({"properties": {"a": {"patternProperties": {}}}}, "schema/properties/a/patternProperties: "),
        ({"$ref": "https://example.org/schema"}, "schema/$ref: not of the form"),
        ({"$ref": "#/$defs/none"}, "schema/$ref: there is no $defs/none"),
        ({"$ref": "#/properties/a", "properties": {"a": {}}}, "schema/$ref: not of the form"),
        ({"$ref": 1}, "schema/$ref: not of the form"),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, "leads back to itself"),
        ({"$defs": 1}, "schema/$defs: not an object"),
        ({"items": {"$defs": {}}}, "schema/items/$defs: only taken at the top"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "another dialect"),
        ({"$id": "x"}, "schema/$id: "),
        ({"pattern": "(a"}, "schema/pattern: RE2 does not take it"),
        ({"pattern": "(a)\\1"}, "schema/pattern: RE2 does not take it"),
        ({"items": "x"}, "schema/items: not a schema"),
        (nested(MAX_DEPTH + 1), "nested deeper"),
        (nested(300), "nested deeper"),
        (bomb(7), "nested deeper"),
        ({"prefixItems": [{}] * 1001}, "more than 1000 parts"),
        ({"enum": ["x" * 17000]}, "bytes"),
        ({"$defs": {f"d{n}": {"$ref": f"#/$defs/d{n + 1}"} for n in range(400)}}, "nested deeper"),
    ],
)
def test_schemas_that_are_refused(schema: dict[str, Any], why: str) -> None:
    with pytest.raises(BadQuestion) as raised:
        form(schema)
    assert why in str(raised.value)
    assert len(str(raised.value)) < 1000


def test_a_schema_that_grows_by_its_references_is_refused() -> None:
    parts = {f"d{n}": {"prefixItems": [{"$ref": f"#/$defs/d{n + 1}"}] * 20} for n in range(4)}
    with pytest.raises(BadQuestion, match="more than 1000 parts"):
        form({"$ref": "#/$defs/d0", "$defs": parts | {"d4": {}}})


async def test_what_would_take_long_is_refused_or_looked_at_aside() -> None:
    many = {"items": {"anyOf": [{"const": n} for n in range(200)]}}
    assert ASIDE_COST < 202 * 50 < MAX_COST < 202 * 100
    await check(many, [199] * 49)
    with pytest.raises(BadReply, match="too many parts"):
        await check(many, [199] * 99)
    with pytest.raises(BadReply, match="bytes"):
        await check({}, "x" * 70_000)
    with pytest.raises(BadReply, match="nested deeper"):
        await check({}, json.loads("[" * 40 + "]" * 40))


TEXT = "".join(random.Random(1).choice("ab") for _ in range(60_000))


@pytest.mark.parametrize(
    ("schema", "content"),
    [
        ({"allOf": [{"not": {"pattern": f"(?:[ab]*a[ab]{{{n}}}c)"}} for n in range(200, 240)]}, TEXT),
        ({"allOf": [{"not": {"pattern": "(?:[ab]*a[ab]{50}c)"}}] * 199}, TEXT),
        ({"propertyNames": {"allOf": [{"not": {"pattern": "[ab]*a[ab]{90}c"}}] * 100}}, {TEXT: 1}),
        ({"items": {"enum": list(range(3000))}}, [2999] * 9000),
        ({"items": {"enum": [{"a": 1}] * 1500 + [{"b": 1}]}}, [{"b": 1}] * 5000),
        ({"anyOf": [*[{"type": "number"}] * 390, True]}, TEXT),
        ({"items": {"anyOf": [{"required": [f"p{n}" for n in range(1500)]}, True]}}, [{}] * 90),
    ],
)
async def test_nothing_in_a_schema_is_dear_unless_it_is_counted(schema: dict[str, Any], content: Any) -> None:
    began = time.process_time()
    try:
        taken = form(schema)
        await taken.check(content, asyncio.Lock())
    except (BadQuestion, BadReply):
        pass
    assert time.process_time() - began < 2.0


def test_patterns_that_are_large_together_are_refused() -> None:
    with pytest.raises(BadQuestion, match="the patterns are too large"):
        form({"allOf": [{"pattern": f"\\pL{{9}}{n}"} for n in range(100)]})
    with pytest.raises(BadQuestion, match="the patterns are too large"):
        form({"$defs": {f"d{n}": {"pattern": f"\\pL{{9}}{n}"} for n in range(100)}})
    with pytest.raises(BadQuestion, match="the patterns are too large"):
        form({"$defs": {"d": {"pattern": ".{1,500}"}}, "prefixItems": [{"$ref": "#/$defs/d"}] * 9})


@pytest.mark.parametrize("choice", [1e300, 10**30, -(10**400), True, {"a": [1.0, None]}])
async def test_choices_are_values_and_not_their_spelling(choice: Any) -> None:
    schema = json.loads(json.dumps({"enum": [choice, 0]}))
    try:
        taken = form(schema)
    except BadQuestion:
        return  # a number that cannot be kept
    await taken.check(schema["enum"][0], asyncio.Lock())
    with pytest.raises(BadReply):
        await taken.check(False, asyncio.Lock())


@pytest.mark.parametrize(
    ("factor", "good", "bad"),
    [
        (0.01, 19.99, 19.995),
        (0.1, 0.3, 0.35),
        (3, 9.0, 10),
        (0.5, 10**30, 0.7),
        (1e300, 1e300, 1),
        (2, 4, 4.5),
    ],
)
async def test_multiples_are_told_in_decimals(factor: float, good: float, bad: float) -> None:
    await check({"multipleOf": factor}, good)
    with pytest.raises(BadReply, match="is not a multiple of"):
        await check({"multipleOf": factor}, bad)


async def test_a_pattern_that_backtracks_elsewhere_does_not_here() -> None:
    with pytest.raises(BadReply):
        await check({"pattern": "^(a+)+$"}, "a" * 60_000 + "!")


@pytest.mark.parametrize("number", [10**400, -(10**400), 1e308, 5e-324])
async def test_numbers_beyond_measure(number: float) -> None:
    for schema in (
        {"multipleOf": 0.1},
        {"multipleOf": 1e-320},
        {"multipleOf": 10**400},
        {"type": "integer"},
        {"maximum": 1.5},
        {"maximum": 10**400},
    ):
        try:
            await check(schema, number)
        except BadReply as refusal:
            told = str(refusal)
        else:
            told = ""
        assert len(told) < 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)
KEYWORDS = st.sampled_from(sorted(RULES))
SCHEMAS = st.dictionaries(
    KEYWORDS,
    st.recursive(
        JSON | st.sampled_from(["string", "object", "#/$defs/a"]),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(KEYWORDS | st.sampled_from(["a", "b"]), inner, max_size=3)
        ),
        max_leaves=10,
    ),
    max_size=4,
)


@settings(max_examples=300, deadline=None)
@given(schema=SCHEMAS, content=JSON)
async def test_whatever_is_sent_is_taken_or_refused(schema: dict[str, Any], content: Any) -> None:
    try:
        taken = form(schema)
    except BadQuestion:
        return
    Draft202012Validator.check_schema(schema)
    told = ""
    try:
        await taken.check(content, asyncio.Lock())
    except BadReply as refusal:
        told = str(refusal)
    assert told.isprintable()
