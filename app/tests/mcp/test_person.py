"""Which questions a client's person can be asked, and by which clients."""

from types import SimpleNamespace
from typing import Any

import pytest
from mcp.server.mcpserver.exceptions import ToolError
from mcp_types import ClientCapabilities

from lighthouse.mcp import person

YES_OR_NO = {"type": "boolean"}


@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28"])
@pytest.mark.parametrize("able", [{}, {"elicitation": {"url": {}}}])
async def test_a_client_without_forms_is_not_sent_one(able: dict[str, Any], version: str) -> None:
    context: Any = SimpleNamespace(
        input_responses=None,
        client_capabilities=ClientCapabilities.model_validate(able),
        protocol_version=version,
    )
    with pytest.raises(ToolError, match="this client cannot ask its person"):
        await person.ask(context, "Really?", YES_OR_NO)
