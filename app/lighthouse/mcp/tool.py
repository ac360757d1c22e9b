"""How a function becomes a tool. A tool's docstring is what the model reads: short."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any

from mcp.server.mcpserver.tools import Tool
from mcp_types import ToolAnnotations
from pydantic import ConfigDict, Field, create_model

Seq = Annotated[int, Field(ge=0)]
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
    made.parameters = strict.model_json_schema(by_alias=True)
    return made
