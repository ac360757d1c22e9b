"""How a function becomes a tool. A tool's docstring is what the model reads: short."""

from collections.abc import Awaitable, Callable
from inspect import cleandoc
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, create_model

Seq = Annotated[int, Field(ge=0)]
# A number is as good as its digits; to say so would cost every tool that takes a moment.
Moment = Annotated[str, BeforeValidator(str), Field(description="Seq, time, snapshot or current.")]
Wait = Annotated[float, Field(ge=0, le=600)]
# Any JSON value, said in words: clients that translate schemas refuse one that says nothing.
Json = Annotated[
    Any,
    WithJsonSchema(
        {"anyOf": [{"type": kind} for kind in ("object", "array", "string", "number", "boolean", "null")]}
    ),
]
OwnId = str | None
"""Any other than the agent's own is refused by the bridge; it is left out."""

# One hint each: a model pays for every one, in every talk.
READS = ToolAnnotations(read_only_hint=True)
ADDS = ToolAnnotations(destructive_hint=False)
CHANGES = ToolAnnotations(destructive_hint=True)


def tool(function: Callable[..., Awaitable[Any]], annotations: ToolAnnotations) -> Tool:
    """The tool of `function`, which refuses arguments it does not know: no misspelt one is ignored.

    Its schemas are told in as few words as they can be: a client's model pays for each of them in every talk.
    """
    made = Tool.from_function(function, description=cleandoc(function.__doc__ or ""), annotations=annotations)
    known = made.fn_metadata.arg_model
    strict = create_model(known.__name__, __base__=known, __config__=ConfigDict(extra="forbid"))
    made.fn_metadata.arg_model = strict
    made.parameters = given(strict.model_json_schema(by_alias=True))
    if known_answer := made.fn_metadata.output_schema:
        made.fn_metadata.output_schema = answered(known_answer)
    return made


def given(schema: Any) -> Any:
    """What a tool takes, without titles, "or null", and what is said by saying nothing or by a name."""
    if isinstance(schema, list):
        return [given(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: given(value)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (key in ("default", "minimum") and not isinstance(value, dict) and not value)
    }
    choices = kept.get("anyOf")
    if isinstance(choices, list) and {"type": "null"} in choices:
        kept["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
        if len(kept["anyOf"]) == 1:
            kept |= kept.pop("anyOf")[0]
    return kept


def answered(schema: Any) -> Any:
    """What a tool answers, to its first level: what is inside of that tells itself by its names."""
    if isinstance(schema, list):
        return [answered(value) for value in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {"type": "object"}
    return {
        key: answered(value)
        for key, value in schema.items()
        if key not in ("$defs", "default")
        and not (key in ("title", "description") and isinstance(value, str))
        and not (key == "additionalProperties" and value is True)
        and not (key == "required" and isinstance(value, list))
        # A value of any kind, an answer or a result, says so by its name.
        and not (isinstance(value, dict) and "anyOf" in value)
    }
