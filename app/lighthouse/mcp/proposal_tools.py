"""Proposals: writable copies of the project, to be looked at and applied. Told as text, which is short."""

import os
from typing import Annotated, Literal

from mcp.server.mcpserver.tools import Tool
from pydantic import Field
from typing_extensions import TypedDict

from lighthouse.client.answers_proposals import Proposal, ProposalFile
from lighthouse.mcp.link import Link
from lighthouse.mcp.tool import ADDS, READS, Moment, tool

MAX_PATCH = 64 * 1024
MAX_FILES = 300
MAX_LISTED = 100
LETTERS = {"created": "A", "modified": "M", "deleted": "D", "renamed": "R", "mode": "M"}


class ProposalText(TypedDict, total=False):
    text: str
    next_offset: int


def tools(link: Link) -> list[Tool]:
    """The tools, their calls going over `link`."""

    async def lighthouse_create_proposal(
        name: str,
        title: str = "",
        base: Moment | None = None,
        uid: Annotated[int | None, Field(description="Who edits; left out: you.")] = None,
    ) -> ProposalText:
        """A writable copy of the project: edit it with any tool, the project stays as it is."""
        async with link.bridge() as bridge:
            # The adapter runs as the user whom the agent's own programs run as.
            user = os.getuid() if uid is None else uid
            made = await bridge.create_proposal(name, base=base, title=title, uid=user)
        where = f"edit in {made.path}" if made.path else "this bridge has no mount to edit it in"
        return ProposalText(text=f"{_line(made)}\n{where}\n")

    async def lighthouse_show_proposal(
        name: Annotated[str | None, Field(description="Left out: all that are open.")] = None,
        patch: Annotated[bool, Field(description="The diff, from byte `offset`.")] = False,
        offset: int = 0,
    ) -> ProposalText:
        """The files that a proposal changes, like git's --name-status, or its diff."""
        async with link.bridge() as bridge:
            if name is None:
                opened = [_line(one) for one in await bridge.proposals() if one.state == "open"]
                return ProposalText(text="\n".join(opened[-MAX_LISTED:]) or "none")
            if patch:
                text = await bridge.proposal_patch(name)
                end = max(offset, 0) + MAX_PATCH
                part = ProposalText(text=text[max(offset, 0) : end].decode("utf-8", "replace"))
                if end < len(text):
                    part["next_offset"] = end
                return part
            shown = await bridge.proposal(name)
        lines = [_line(shown.proposal), *(_file(file) for file in shown.files[:MAX_FILES])]
        left = shown.total - len(lines) + 1
        return ProposalText(text="\n".join([*lines, f"and {left} files more"] if left else lines))

    async def lighthouse_change_proposal(
        name: str, action: Literal["rebase", "withdraw", "applied"], reason: str = ""
    ) -> ProposalText:
        """Put your proposal on the present version, withdraw it, or mark it as applied."""
        async with link.bridge() as bridge:
            if action == "rebase":
                standing = await bridge.rebase_proposal(name)
            elif action == "withdraw":
                standing = await bridge.withdraw_proposal(name, reason)
            else:
                standing = await bridge.mark_proposal_applied(name)
        return ProposalText(text=f"{standing.name}: {standing.state}, on version {standing.base}")

    return [
        tool(lighthouse_create_proposal, ADDS),
        tool(lighthouse_show_proposal, READS),
        tool(lighthouse_change_proposal, ADDS),
    ]


def _line(one: Proposal) -> str:
    by = one.agent_id or f"uid {one.uid}"
    behind = f", {one.behind} behind" if one.behind else ""
    ended = f" ({one.reason})" if one.reason else ""
    title = f": {one.title}" if one.title else ""
    return f"{one.name}, {one.state}{ended}, by {by}, on version {one.base}{behind}{title}"


def _file(file: ProposalFile) -> str:
    old = f"{file.old_path} -> " if file.old_path is not None else ""
    modes = f" ({file.old_mode} -> {file.mode})" if file.op == "mode" else ""
    return f"{LETTERS[file.op]} {old}{file.path}{modes}"
