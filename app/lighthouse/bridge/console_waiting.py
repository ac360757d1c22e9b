"""The console's first page: what waits for a person, the answer to it, and what was decided before."""

import asyncio
import time
from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import HOME, Form, page, redirect
from lighthouse.bridge.schemas import Sequence
from lighthouse.bridge.validation import validations
from lighthouse.console.asked import Asked, asked
from lighthouse.console.recent import Recent, recent
from lighthouse.events import Event
from lighthouse.sessions import NotAllowed
from lighthouse.validation import Remember, Validation

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

SHOWN = 50
# On the first page; the next come up as these are answered.
MOST_WAITING = 50

Id = Annotated[str, msgspec.Meta(min_length=2, max_length=20)]


class WaitingQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`answered` is the request that was just answered."""

    answered: Annotated[str, msgspec.Meta(max_length=20)] = ""


class HistoryQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which decisions, the newest first; `before` an event's number."""

    decision: Literal["", "allow", "deny"] = ""
    by: Literal["", "policy", "answer"] = ""
    before: Sequence | None = None


class ConsoleAnswer(Form):
    """An answer to the request `id`; `remember` makes a rule of it, for so many `seconds`."""

    id: Id
    verdict: Literal["approve", "deny"]
    # Browsers count a line's end as one character and send two; how long it may be the answer itself says.
    reason: Annotated[str, msgspec.Meta(max_length=2000)] = ""
    remember: Literal["", "exact", "similar"] = ""
    seconds: Annotated[int, msgspec.Meta(ge=60, le=2592000)] = 86400
    whom: Literal["asker", "anyone"] = msgspec.field(default="asker", name="for")


async def waiting(bridge: "Bridge", call: Call) -> web.Response:
    """The requests that wait, the oldest first, each with the form that answers it."""
    wanted: WaitingQuery = call.query
    room = validations(bridge)
    answered = await room.get(wanted.answered) if wanted.answered else None
    values = {
        "title": "Waiting",
        "here": "waiting",
        "requests": await _asked(room.pending()[:MOST_WAITING]),
        "more": max(0, bridge.waiting - MOST_WAITING),
        "answered": answered,
        "now": time.time(),
    }
    return await page(bridge, call.caller, "waiting.html", values)


async def request(bridge: "Bridge", call: Call) -> web.Response:
    """One call with all that is known of it, whatever became of it."""
    found = await validations(bridge).get(call.request.match_info["id"])
    [one] = await _asked([found])
    values = {"title": f"Request {found.id}", "here": "", "request": one, "now": time.time()}
    return await page(bridge, call.caller, "request.html", values)


async def answer(bridge: "Bridge", call: Call) -> web.Response:
    """Take a person's answer; on disk before the page goes on."""
    form: ConsoleAnswer = call.body
    remember = Remember(form.remember, form.seconds, form.whom == "anyone") if form.remember else None
    reason = " ".join(form.reason.split()) or "no reason was given"
    try:
        answered = await validations(bridge).answer(form.id, call.caller, form.verdict, reason, remember)
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise
    return redirect(f"{HOME}?answered={answered.id}")


async def history(bridge: "Bridge", call: Call) -> web.Response:
    """What was decided, by the policies at once or by somebody's answer, the newest first."""
    wanted: HistoryQuery = call.query
    found = await _decisions(bridge, wanted)
    room = validations(bridge)
    decisions = [
        await room.get(event.value["id"] if event.type == "validation.resolved" else f"v{event.seq}")
        for event in found.events
    ]
    values = {
        "title": "History",
        "here": "history",
        "wanted": wanted,
        "decisions": await _asked(decisions),
        "older": found.before,
    }
    return await page(bridge, call.caller, "history.html", values)


async def _asked(calls: list[Validation]) -> list[Asked]:
    # Each may have a long difference, and others wait on the loop.
    return await asyncio.to_thread(lambda: [asked(one) for one in calls])


_VERDICTS = {"": "verdict.*", "allow": "verdict.allowed", "deny": "verdict.denied"}


async def _decisions(bridge: "Bridge", wanted: HistoryQuery) -> Recent:
    def takes(event: Event) -> bool:
        return wanted.decision in ("", event.value["decision"])

    look = partial(recent, bridge.store, wanted=SHOWN, before=wanted.before)
    found = []
    if wanted.by != "answer":
        found.append(await look(type=_VERDICTS[wanted.decision]))
    if wanted.by != "policy":
        found.append(await look(type="validation.resolved", takes=takes))
    events = sorted((event for one in found for event in one.events), key=lambda event: -event.seq)
    older = max((one.before for one in found if one.before is not None), default=None)
    if len(events) > SHOWN:
        events = events[:SHOWN]
        older = events[-1].seq
    return Recent(events, older)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/",
        "console",
        "The console, for people: what waits for an answer",
        waiting,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        query=WaitingQuery,
        errors=(404,),
        face="console",
    ),
    Route(
        "GET",
        "/console/request/{id}",
        "console_request",
        "One judged call with all that is known of it",
        request,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        errors=(404,),
        path_parameters={"id": "the verdict's id"},
        face="console",
    ),
    Route(
        "POST",
        "/console/answer",
        "console_answer",
        "Approve or deny what waits, and have it remembered",
        answer,
        {
            303: Answer(
                "It is on disk; to the first page", media_type="", headers={"Location": "the first page"}
            )
        },
        permission="console.use",
        body=ConsoleAnswer,
        errors=(404, 409, 507),
        face="console",
    ),
    Route(
        "GET",
        "/console/history",
        "console_history",
        "What was decided, the newest first",
        history,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        query=HistoryQuery,
        errors=(404,),
        face="console",
    ),
)
