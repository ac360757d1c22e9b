"""/context/create, /contexts, /context/{name} and its removal: packages of files and notes for one review."""

import asyncio
from typing import TYPE_CHECKING

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.context_schemas import (
    ContextCreate,
    ContextFound,
    ContextList,
    ContextNote,
    ContextRemove,
    ContextRemoved,
    ContextSummary,
)
from lighthouse.bridge.problems import Rejected
from lighthouse.context import Contexts, Note, Package
from lighthouse.sessions import NotAllowed, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def create(bridge: "Bridge", call: Call) -> ContextSummary:
    """A new context; answered once it is on disk."""
    asked: ContextCreate = call.body
    package = await _contexts(bridge).create(
        asked.name,
        asked.files,
        agent_id=call.caller.agent_id,
        at=asked.at,
        notes=[Note(note.title, note.text) for note in asked.notes],
        annotations=asked.annotations,
        purpose=asked.purpose,
    )
    await bridge.shown()
    return _summary(package)


async def listed(bridge: "Bridge", call: Call) -> ContextList:
    """All contexts, the oldest first."""
    return ContextList([_summary(package) for package in _contexts(bridge).all()])


async def show(bridge: "Bridge", call: Call) -> ContextFound:
    """One context with its files and notes."""
    contexts = _contexts(bridge)
    package = contexts.get(call.request.match_info["name"])
    manifest, notes = await asyncio.to_thread(contexts.contents, package)
    return ContextFound(
        name=package.name,
        seq=package.seq,
        root=package.root.hex(),
        purpose=package.purpose,
        created_at=package.created_at,
        agent_id=package.agent_id,
        bytes=package.bytes,
        files=manifest.files,
        notes=[
            ContextNote(entry.path, note.title, note.text)
            for entry, note in zip(manifest.notes, notes, strict=True)
        ],
        annotations=manifest.annotations,
    )


async def remove(bridge: "Bridge", call: Call) -> ContextRemoved:
    """Take a context away: whoever made it may, and operators."""
    contexts, caller = _contexts(bridge), call.caller
    package = contexts.get(call.request.match_info["name"])
    if package.agent_id != caller.agent_id and not allows(caller.role, "context.remove_any"):
        reason = f"the context {package.name} is {package.agent_id}'s"
        bridge.audit.rejected(403, reason, call.request.path, call.peer, caller.agent_id)
        raise NotAllowed(reason, "ask them or an operator to remove it")
    seq = await contexts.remove(package.name, agent_id=caller.agent_id)
    await bridge.shown()
    return ContextRemoved(package.name, seq)


def _contexts(bridge: "Bridge") -> Contexts:
    if bridge.contexts is None:
        raise Rejected(503, "the project is not captured yet", "try again in a moment")
    return bridge.contexts


def _summary(package: Package) -> ContextSummary:
    return ContextSummary(
        name=package.name,
        seq=package.seq,
        root=package.root.hex(),
        files=package.files,
        bytes=package.bytes,
        notes=package.notes,
        annotations=package.annotations,
        purpose=package.purpose,
        created_at=package.created_at,
        agent_id=package.agent_id,
    )


_NAME = {"name": "the context's name"}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/context/create",
        "context_create",
        "Put files of one version and notes together under a name, for one review",
        create,
        {200: Answer("The context", ContextSummary)},
        permission="context.write",
        body=ContextCreate,
        errors=(404, 409, 507),
    ),
    Route(
        "GET",
        "/contexts",
        "contexts",
        "All contexts, the oldest first",
        listed,
        {200: Answer("The contexts", ContextList)},
        permission="shadow.read",
    ),
    Route(
        "GET",
        "/context/{name}",
        "context",
        "A context with the files it lists and its notes",
        show,
        {200: Answer("The context", ContextFound)},
        permission="shadow.read",
        errors=(404,),
        path_parameters=_NAME,
    ),
    Route(
        "POST",
        "/context/{name}/remove",
        "context_remove",
        "Take a context away: one's own, or as operator or admin anyone's",
        remove,
        {200: Answer("It is gone from the mount; the log keeps it", ContextRemoved)},
        permission="context.write",
        body=ContextRemove,
        errors=(404, 507),
        path_parameters=_NAME,
    ),
)
