"""/shadow/annotate, /shadow/annotations/{path} and what ends a note: notes that follow the code."""

from typing import TYPE_CHECKING, Annotated

import msgspec

from lighthouse import paths
from lighthouse.annotations import Annotation, Annotations, Target, told
from lighthouse.annotations.note import Ending, Severity
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import At, Request
from lighthouse.bridge.shadow import raw_path
from lighthouse.sessions import NotAllowed, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

PREFIX = "/shadow/annotations/"

Line = Annotated[int, msgspec.Meta(ge=1)]


class Annotate(Request):
    """A note on a declaration (`symbol`, its name or dotted path), on lines from 1, or on the whole file.

    `path_b64`, where given, wins over `path`: for names that are not UTF-8. `at` is the version meant.
    """

    path: Annotated[str, msgspec.Meta(max_length=4096)]
    text: str
    path_b64: Annotated[str, msgspec.Meta(max_length=6000)] | None = None
    line: Line | None = None
    end_line: Line | None = None
    symbol: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)] | None = None
    severity: Severity = "info"
    category: str = "note"
    at: At | None = None


class AnnotationMade(msgspec.Struct):
    """The note, and where it stands in version `seq`, the present one."""

    seq: int
    annotation: Annotation


class AnnotationQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`at`: the notes that were open then, where they stood then."""

    at: At | None = None
    offset: Annotated[int, msgspec.Meta(ge=0)] = 0
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 200


class AnnotationList(msgspec.Struct):
    """Notes by path and line, as they stand in version `seq`; `total` counts those on other pages too."""

    seq: int
    total: int
    annotations: list[Annotation]


class AnnotationEnd(Request):
    reason: str = ""


class AnnotationEnded(msgspec.Struct):
    """The event `seq` ended the note."""

    id: str
    ending: Ending
    reason: str
    agent_id: str
    at: str
    seq: int


async def annotate(bridge: "Bridge", call: Call) -> AnnotationMade:
    """A new note; answered once it is on disk."""
    asked: Annotate = call.body
    path = paths.from_json({"path": asked.path, "path_b64": asked.path_b64})
    target = Target(paths.to_bytes(path), asked.line, asked.end_line, asked.symbol)
    seq, placed = await _annotations(bridge).annotate(
        target,
        asked.text,
        severity=asked.severity,
        category=asked.category,
        at=asked.at,
        agent_id=call.caller.agent_id,
    )
    return AnnotationMade(seq, told(placed))


async def listed(bridge: "Bridge", call: Call) -> AnnotationList:
    """The open notes at and beneath a path."""
    wanted: AnnotationQuery = call.query
    found = await _annotations(bridge).listed(
        raw_path(call.request, PREFIX), at=wanted.at, offset=wanted.offset, limit=wanted.limit
    )
    return AnnotationList(found.seq, found.total, [told(one) for one in found.placed])


async def withdraw(bridge: "Bridge", call: Call) -> AnnotationEnded:
    """Take a note back: whoever made it may, and operators."""
    caller, note = call.caller, _annotations(bridge).get(call.request.match_info["id"])
    if note.agent_id != caller.agent_id and not allows(caller.role, "annotation.withdraw_any"):
        reason = f"the note is {note.agent_id}'s"
        bridge.audit.rejected(403, reason, call.request.path, call.peer, caller.agent_id)
        raise NotAllowed(reason, "ask them or an operator to withdraw it, or resolve it")
    return await _end(bridge, call, "withdrawn")


async def resolve(bridge: "Bridge", call: Call) -> AnnotationEnded:
    """What the note asks for is done."""
    return await _end(bridge, call, "resolved")


async def _end(bridge: "Bridge", call: Call, ending: Ending) -> AnnotationEnded:
    asked: AnnotationEnd = call.body
    note_id = call.request.match_info["id"]
    closed = await _annotations(bridge).end(note_id, ending, asked.reason, agent_id=call.caller.agent_id)
    return AnnotationEnded(note_id, closed.ending, closed.reason, closed.agent_id, closed.at, closed.seq)


def _annotations(bridge: "Bridge") -> Annotations:
    if bridge.annotations is None:
        raise Rejected(503, "the project is not captured yet", "try again in a moment")
    return bridge.annotations


_ID = {"id": "the note's id"}
_PATH = {"path": "the path from the project's root, its bytes percent-encoded; empty for all"}

ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/shadow/annotate",
        "shadow_annotate",
        "Make a note on a file, on lines of it or on a declaration; it is found again after changes",
        annotate,
        {200: Answer("The note and where it stands", AnnotationMade)},
        permission="annotation.write",
        body=Annotate,
        errors=(404, 409, 507),
    ),
    Route(
        "GET",
        "/shadow/annotations/{path}",
        "shadow_annotations",
        "The open notes at and beneath a path, where they stand now or stood at a moment",
        listed,
        {200: Answer("A page of notes", AnnotationList)},
        permission="shadow.read",
        query=AnnotationQuery,
        errors=(400, 404),
        path_parameters=_PATH,
    ),
    Route(
        "POST",
        "/annotation/{id}/withdraw",
        "annotation_withdraw",
        "Take a note back: one's own, or as operator or admin anyone's",
        withdraw,
        {200: Answer("It is withdrawn; the log keeps it", AnnotationEnded)},
        permission="annotation.write",
        body=AnnotationEnd,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
    Route(
        "POST",
        "/annotation/{id}/resolve",
        "annotation_resolve",
        "Say that what a note asks for is done",
        resolve,
        {200: Answer("It is resolved; the log keeps it", AnnotationEnded)},
        permission="annotation.write",
        body=AnnotationEnd,
        errors=(404, 409, 507),
        path_parameters=_ID,
    ),
)
