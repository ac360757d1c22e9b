"""Puts a question to the person in front of the client, where the client can: as a form of plain fields."""

from typing import Any

from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import (
    ClientCapabilities,
    ElicitRequest,
    ElicitRequestFormParams,
    ElicitResult,
    InputRequiredResult,
)
from mcp_types.version import is_version_at_least

# From this version on a call that needs input ends, and is made again with the answers.
ENDS_AND_COMES_AGAIN = "2026-07-28"
KEY = "person"
ANSWER = "answer"

# What MCP's forms know of JSON Schema. What is left out is checked by the bridge with the answer.
PLAIN = ("string", "number", "integer", "boolean")
KEYWORDS = ("type", "title", "description", "default", "enum", "minLength", "maxLength", "minimum", "maximum")
FORMATS = ("email", "uri", "date", "date-time")


async def ask(
    context: Context[Any, Any], message: str, schema: dict[str, Any]
) -> ElicitResult | InputRequiredResult:
    """The person's answer; or, where the call has to come again with it, what the call is to answer now."""
    said = (context.input_responses or {}).get(KEY)
    if isinstance(said, ElicitResult):
        return said
    if not _takes_forms(context.client_capabilities):
        raise ToolError("this client cannot ask its person: answer it yourself, or decline")
    fields = form(schema)
    if is_version_at_least(context.protocol_version or "", ENDS_AND_COMES_AGAIN):
        params = ElicitRequestFormParams(message=message, requested_schema=fields)
        return InputRequiredResult(input_requests={KEY: ElicitRequest(params=params)})
    found: ElicitResult = await context.session.elicit_form(
        message, fields, related_request_id=context.request_id
    )
    return found


def _takes_forms(able: ClientCapabilities | None) -> bool:
    """A client that names neither kind takes forms, as the first ones did; one may only open addresses."""
    kinds = None if able is None else able.elicitation
    return kinds is not None and (kinds.form is not None or kinds.url is None)


def form(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema as a form's. A plain value becomes the one field `answer`. Raises ToolError for no form."""
    if schema.get("type") in PLAIN:
        return {"type": "object", "properties": {ANSWER: _field(ANSWER, schema)}, "required": [ANSWER]}
    fields = schema.get("properties")
    if schema.get("type") != "object" or not isinstance(fields, dict):
        raise ToolError("its schema is no form of plain fields: answer it yourself, or decline")
    asked = {name: _field(name, field) for name, field in fields.items()}
    required = [name for name in schema.get("required", []) if name in asked]
    return {"type": "object", "properties": asked, "required": required}


def answer(schema: dict[str, Any], content: dict[str, Any] | None) -> Any:
    """What the form's content says to the question."""
    said = content or {}
    return said.get(ANSWER) if schema.get("type") in PLAIN else said


def _field(name: str, schema: Any) -> dict[str, Any]:
    if not isinstance(schema, dict) or schema.get("type") not in PLAIN:
        raise ToolError(f"its field {name} is no plain value: answer it yourself, or decline")
    field = {key: schema[key] for key in KEYWORDS if key in schema}
    if schema.get("format") in FORMATS:
        field["format"] = schema["format"]
    return field
