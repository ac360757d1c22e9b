"""What a tool call changed: the shadow looks there before the agent goes on, and the log says who did it."""

import asyncio
import logging
from typing import TYPE_CHECKING, Any

from lighthouse import paths
from lighthouse.bridge.validation import validations
from lighthouse.events import Draft
from lighthouse.paths import ProjectPath
from lighthouse.policy import Act, Call
from lighthouse.turns import Turns

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

USED = "tool.used"
STREAM = "tools"
LOOK_SECONDS = 5.0
MAX_PATHS = 100
MAX_WORD = 200

# What these do leaves the project as it is.
_HARMLESS = frozenset(("read", "query", "fetch", "send"))
_NAMED = frozenset(("write", "delete"))
# The shell may mean a pattern by these; a tool that is given one file means the name.
_PATTERNS = frozenset("*?[{…")

log = logging.getLogger("lighthouse.hooks")
_looks: set[asyncio.Task[Any]] = set()
_turns = Turns()


async def tell_use(bridge: "Bridge", call: Call) -> None:
    """A call was carried out. On return the mount shows what it wrote, and the log names who wrote it.

    Nothing is told of calls that change nothing. Raises what the event store raises.
    """
    judging = validations(bridge).judging
    judged = judging.at_once(call) or await judging.aside(call)
    changing = [act for act in judged.facts.acts if act.action not in _HARMLESS]
    if not changing:
        return
    named = _in_project(changing, judging.roots, patterns=call.tool == "Bash")
    # One look of each agent at a time: they take turns with everybody's at the project.
    async with _turns.of(call.agent):
        seq = await _look(bridge, named)
    data: dict[str, Any] = {
        "tool_name": call.tool[:MAX_WORD],
        "actions": sorted({act.action for act in changing}),
        "paths": [paths.to_json(path) for path in named[:MAX_PATHS]],
        "version": seq,
        **call.origin,
    }
    await bridge.store.append([Draft(USED, data, STREAM)], agent_id=call.agent)
    await bridge.shown()


def _in_project(acts: list[Act], roots: tuple[str, ...], *, patterns: bool) -> list[ProjectPath]:
    """The paths that the acts name, as the project has them: links on the way are followed already."""
    found: dict[ProjectPath, None] = {}
    for act in acts:
        root = next((root for root in roots if act.target.startswith(root + "/")), None)
        if act.action not in _NAMED or root is None or (patterns and _PATTERNS & set(act.target)):
            continue
        try:
            found[paths.parse(act.target[len(root) + 1 :])] = None
        except paths.BadPath:
            continue
    return list(found)


async def _look(bridge: "Bridge", named: list[ProjectPath]) -> int:
    """Look there, and at all that the watcher tells of; the version that holds it.

    The kernel told the watcher of every change before the call was over. Where it cannot watch everything,
    everything is looked at. An agent does not wait long for a large project.
    """
    shadow = bridge.shadow
    if shadow is None:
        return 0
    watched, _ = shadow.health()
    task = asyncio.create_task(shadow.update(named if watched else None))
    _looks.add(task)
    task.add_done_callback(_looked)
    done, _ = await asyncio.wait({task}, timeout=LOOK_SECONDS)
    return task.result().seq if done else shadow.current.seq


def _looked(task: "asyncio.Task[Any]") -> None:
    _looks.discard(task)
    if not task.cancelled() and (error := task.exception()) is not None:
        log.warning("the shadow could not look at what a call wrote: %s", error)
