"""POST /hooks/claude-code: Claude Code asks before each tool call, and tells after it.

What goes wrong with a call that is asked about is answered 200 with `deny`, once it is known who asks: that
blocks it in every version of the client, and tells the agent why. Another status blocks only where the hook
was installed with `onFailure`, and tells nothing.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, TypeVar

import msgspec
from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.door import BODY_SECONDS
from lighthouse.bridge.hooks_schemas import AFTER, BEFORE, Hook, HookAnswer, HookDecision, HookName
from lighthouse.bridge.tool_uses import tell_use
from lighthouse.bridge.validation import validations
from lighthouse.errors import LighthouseError
from lighthouse.hook import HEADER, MOST_INPUT
from lighthouse.policy import Call as ToolCall
from lighthouse.sessions import Identity
from lighthouse.validation import Outcome

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

MAX_WORD = 200
# A request ends by itself at its deadline; only a bridge that hangs would need this.
PATIENCE_SECONDS = 10.0

T = TypeVar("T")

log = logging.getLogger("lighthouse.hooks")


class Malformed(LighthouseError):
    """A hook's JSON that is none."""


async def claude_code(bridge: "Bridge", call: Call) -> web.Response:
    """The verdict on a call, or thanks for the news."""
    try:
        raw = await _body(call.request)
        name = _decoded(raw, HookName).hook_event_name
    except Malformed as error:
        return _denied(str(error))
    if name == BEFORE:
        return await _before(bridge, call.caller, raw)
    if name == AFTER and bridge.serving:
        await _after(bridge, call.caller, raw)
    return _answer("none", HookAnswer())


async def _before(bridge: "Bridge", caller: Identity, raw: bytes) -> web.Response:
    try:
        if not bridge.serving:
            return _denied(f"Lighthouse is {bridge.phase}: try again in a moment.")
        asked = _tool_call(_decoded(raw, Hook), caller)
        outcome = await validations(bridge).judge(
            asked, wait_seconds=bridge.settings.person_seconds + PATIENCE_SECONDS
        )
    except LighthouseError as error:
        return _denied(f"Lighthouse could not judge this call: {error}.")
    except Exception:
        log.exception("a call could not be judged")
        return _denied("Lighthouse failed over this call, and its log says more: tell the person.")
    bridge.metrics.verdict_seconds.observe(outcome.latency_us / 1e6)
    if outcome.decision != "allow":
        return _denied(_why_not(outcome))
    if not bridge.settings.hook_allows:
        # No decision: the person's own settings and prompts decide further.
        return _answer("allow", HookAnswer())
    told = f"{outcome.reason} ({outcome.id})"
    return _answer("allow", HookAnswer(HookDecision(BEFORE, "allow", told)))


async def _after(bridge: "Bridge", caller: Identity, raw: bytes) -> None:
    """The call was made; nothing that goes wrong here could undo it."""
    try:
        hook = _decoded(raw, Hook)
        await tell_use(bridge, _tool_call(hook, caller))
    except LighthouseError as error:
        log.warning("a call that was made is not in the log: %s", error)
    except Exception:
        log.exception("a call that was made could not be looked at")


async def _body(request: web.Request) -> bytes:
    """The body; larger than other routes take, as files and pictures travel in it."""
    parts, size = [], 0
    try:
        async with asyncio.timeout(BODY_SECONDS):
            async for part in request.content.iter_any():
                parts.append(part)
                size += len(part)
                if size > MOST_INPUT:
                    raise Malformed(f"Lighthouse takes calls of at most {MOST_INPUT >> 20} MiB")
    except (TimeoutError, web.HTTPException, ValueError) as error:
        raise Malformed("Lighthouse did not get the whole call: try again") from error
    return b"".join(parts)


def _decoded(raw: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Malformed(f"this is no hook of {BEFORE} as Lighthouse knows it ({error})") from error


def _tool_call(hook: Hook, caller: Identity) -> ToolCall:
    origin = {
        "session_id": hook.session_id,
        "tool_use_id": hook.tool_use_id,
        "subagent": hook.agent_id,
        "permission_mode": hook.permission_mode,
    }
    told = {name: value[:MAX_WORD] for name, value in origin.items() if value}
    return ToolCall(
        hook.tool_name,
        hook.tool_input,
        hook.cwd,
        caller.agent_id,
        caller.role.value,
        {"hook": "claude-code"} | told,
    )


def _why_not(outcome: Outcome) -> str:
    """What the agent is told, who shall do something else now and not the same in another way."""
    said = f"{outcome.reason.rstrip('.')}."
    if outcome.decision == "escalate":
        said = "nobody decided before Lighthouse was stopped."
    safer = f" Instead: {outcome.suggestion.rstrip('.')}." if outcome.suggestion else ""
    return (
        f"Lighthouse denied this call ({outcome.id}, rule {outcome.rule}, {outcome.tier} risk): {said}{safer}"
        " Do not try the same in another way. If it is needed, tell the person, who finds it under that id."
    )


def _denied(reason: str) -> web.Response:
    return _answer("deny", HookAnswer(HookDecision(BEFORE, "deny", reason)))


def _answer(word: str, answer: HookAnswer) -> web.Response:
    headers = {HEADER.decode(): word}
    return web.Response(body=msgspec.json.encode(answer), content_type="application/json", headers=headers)


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/hooks/claude-code",
        "claude_code_hook",
        "Claude Code's hooks: judge a tool call before it is made, look at the project after it",
        claude_code,
        {
            200: Answer(
                "The answer in the client's own form",
                HookAnswer,
                headers={"X-Lighthouse-Hook": "`allow`, `deny`, or `none` after a call"},
            )
        },
        permission="validation.ask",
        body=Hook,
        body_as_it_comes=True,
        while_starting=True,
    ),
)
