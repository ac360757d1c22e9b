"""How a function becomes a tool. A tool's docstring is what the model reads: short."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import BeforeValidator, ConfigDict, Field, create_model

Seq = Annotated[int, Field(ge=0)]
# A number is as good as its digits; to say so would cost every tool that takes a moment.
Moment = Annotated[
    str, BeforeValidator(str), Field(description="A seq, RFC 3339 time, snapshot's name, or current.")
]
Wait = Annotated[float, Field(ge=0, le=600, description="Wait so long for one.")]
OwnId = Annotated[str | None, Field(description="Only your own id is accepted; leave it out.")]

# What a hint is when it is left out need not be said: not read-only, destructive, not idempotent, open world.
READS = ToolAnnotations(read_only_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(destructive_hint=False, open_world_hint=False)
CHANGES = ToolAnnotations(open_world_hint=False)


def tool(function: Callable[..., Awaitable[Any]], annotations: ToolAnnotations) -> Tool:
    """The tool of `function`, which refuses arguments it does not know: no misspelt one is ignored."""
    made = Tool.from_function(function, annotations=annotations)
    known = made.fn_metadata.arg_model
    strict = create_model(known.__name__, __base__=known, __config__=ConfigDict(extra="forbid"))
    made.fn_metadata.arg_model = strict
    made.parameters = lean(strict.model_json_schema(by_alias=True), given=True)
    if known_answer := made.fn_metadata.output_schema:
        made.fn_metadata.output_schema = lean(known_answer)
    return made


def lean(schema: Any, *, given: bool = False) -> Any:
    """The schema without what a model pays for and has no use for: titles that pydantic makes of names.

    Of what is `given` to a tool, also without "or null" and a default that is nothing: one leaves it out.
    """
    if isinstance(schema, list):
        return [lean(value, given=given) for value in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {
        key: lean(value, given=given)
        for key, value in schema.items()
        if not (key == "title" and isinstance(value, str))
        and not (given and key == "default" and not isinstance(value, dict) and not value)
    }
    choices = kept.get("anyOf")
    if given and isinstance(choices, list) and {"type": "null"} in choices:
        kept["anyOf"] = [choice for choice in choices if choice != {"type": "null"}]
        if len(kept["anyOf"]) == 1:
            kept |= kept.pop("anyOf")[0]
    return kept
