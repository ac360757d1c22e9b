"""All tools of the adapter, one for each thing that the bridge does today."""

from mcp.server.mcpserver.tools import Tool

from lighthouse.mcp import (
    annotation_tools,
    collaboration_tools,
    context_tools,
    elicitation_tools,
    event_tools,
    lease_tools,
    message_tools,
    proposal_tools,
    search_tools,
    session_tools,
    shadow_tools,
    state_tools,
    task_tools,
    validation_tools,
    version_tools,
)
from lighthouse.mcp.link import Link

FEATURES = (
    state_tools,
    session_tools,
    event_tools,
    shadow_tools,
    search_tools,
    version_tools,
    context_tools,
    proposal_tools,
    annotation_tools,
    validation_tools,
    elicitation_tools,
    task_tools,
    lease_tools,
    message_tools,
    collaboration_tools,
)


def tools(link: Link) -> list[Tool]:
    """Every tool, its calls going over `link`."""
    return [made for feature in FEATURES for made in feature.tools(link)]
