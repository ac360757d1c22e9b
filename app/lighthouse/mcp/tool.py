"""How a function becomes a tool. A tool's docstring is what the model reads: short."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ConfigDict, Field, create_model

Seq = Annotated[int, Field(ge=0)]
Moment = Annotated[int | str, Field(description="A seq, an RFC 3339 time, a snapshot's name, or current.")]
OwnId = Annotated[str | None, Field(description="Only your own id is accepted; leave it out.")]

READS = ToolAnnotations(read_only_hint=True, idempotent_hint=True, open_world_hint=False)
ADDS = ToolAnnotations(
    read_only_hint=False, destructive_hint=False, idempotent_hint=False, open_world_hint=False
)
CHANGES = ToolAnnotations(
    read_only_hint=False, destructive_hint=True, idempotent_hint=False, open_world_hint=False
)


def tool(function: Callable[..., Awaitable[Any]], annotations: ToolAnnotations) -> Tool:
    """The tool of `function`, which refuses arguments it does not know: no misspelt one is ignored."""
    made = Tool.from_function(function, annotations=annotations)
    known = made.fn_metadata.arg_model
    strict = create_model(known.__name__, __base__=known, __config__=ConfigDict(extra="forbid"))
    made.fn_metadata.arg_model = strict
    made.parameters = _untitled(strict.model_json_schema(by_alias=True))
    if known_answer := made.fn_metadata.output_schema:
        made.fn_metadata.output_schema = _untitled(known_answer)
    return made


def _untitled(schema: Any) -> Any:
    """The schema without the titles that pydantic makes of names: a model pays for each of them."""
    if isinstance(schema, dict):
        return {
            key: _untitled(value)
            for key, value in schema.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_untitled(value) for value in schema] if isinstance(schema, list) else schema
