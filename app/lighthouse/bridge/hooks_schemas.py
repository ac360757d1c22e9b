"""The hooks of Claude Code on the wire, as far as they are looked at: its names, and no others of ours."""

from typing import Annotated, Any, Final, Literal

import msgspec

from lighthouse.bridge.validation_schemas import MAX_CWD, MAX_TOOL

BEFORE: Final = "PreToolUse"
AFTER: Final = "PostToolUse"


class HookName(msgspec.Struct):
    """What can be told of any hook."""

    hook_event_name: str


class Hook(msgspec.Struct, kw_only=True):
    """A tool call, before or after it is carried out.

    More fields come with every version of the client; they are let be. `agent_id` is its own name for a
    subagent, and says nothing about whom the token belongs to.
    """

    hook_event_name: str
    tool_name: Annotated[str, msgspec.Meta(min_length=1, max_length=MAX_TOOL)]
    tool_input: dict[str, Any]
    cwd: Annotated[str, msgspec.Meta(max_length=MAX_CWD)]
    tool_use_id: str | None = None
    session_id: str | None = None
    agent_id: str | None = None
    permission_mode: str | None = None


class HookDecision(msgspec.Struct, rename="camel"):
    """What becomes of the call, and what the agent is told."""

    hook_event_name: Literal["PreToolUse"]
    permission_decision: Literal["allow", "deny"]
    permission_decision_reason: str


class HookAnswer(msgspec.Struct, rename="camel", omit_defaults=True):
    """Empty where the client shall go on as it would without us."""

    hook_specific_output: HookDecision | None = None
