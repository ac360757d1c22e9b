"""The console's live events: the newest of the log as a list, and what happens while somebody looks."""

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from lighthouse.bridge import lasting
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import page
from lighthouse.bridge.lasting import Why
from lighthouse.bridge.schemas import Sequence
from lighthouse.bridge.stream import follow, resumed_at
from lighthouse.console.recent import recent
from lighthouse.console.row import row
from lighthouse.events import Event

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

SHOWN = 100
# What a person can follow, and what a page is sent at most, however busy the log is.
FLUSH_SECONDS = 0.25
FLUSHED = 40

Filter = Annotated[str, msgspec.Meta(max_length=200)]


class EventsQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Which events, the newest first: `type` may end in `.*`; `before` an event's number."""

    type: Filter = ""
    agent: Filter = ""
    before: Sequence | None = None


class StreamQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`rows`: events too, as `type` and `agent` say, from `from_seq` on; else only how much waits."""

    rows: bool = False
    type: Filter = ""
    agent: Filter = ""
    from_seq: Sequence | None = None


async def events(bridge: "Bridge", call: Call) -> web.Response:
    """The newest events, and the form that chooses among them."""
    wanted: EventsQuery = call.query
    head = bridge.store.head.seq
    found = await recent(
        bridge.store,
        wanted=SHOWN,
        before=wanted.before,
        type=wanted.type or None,
        agent_id=wanted.agent or None,
    )
    values = {
        "title": "Events",
        "here": "events",
        "rows": await asyncio.to_thread(lambda: [row(event) for event in found.events]),
        "older": found.before,
        "wanted": wanted,
        "next_seq": head + 1,
        "most": SHOWN * 2,
    }
    return await page(bridge, call.caller, "events.html", values)


async def stream(bridge: "Bridge", call: Call) -> web.StreamResponse:
    """Server-sent events for an open page: `waiting` when that changes, `rows` of the log if asked for."""
    wanted: StreamQuery = call.query
    with bridge.streams.of(call.caller.agent_id):
        return await _told(bridge, call, wanted, resumed_at(bridge, call.request, wanted.from_seq))


async def _told(bridge: "Bridge", call: Call, wanted: StreamQuery, from_seq: int) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await response.prepare(call.request)
    feed = _Feed(bridge, response, wanted)
    if wanted.rows:
        await follow(bridge, call, from_seq, feed.take, feed.beat, feed.tell_waiting(), feed.tell_rows())
    else:
        await lasting.first_end(lasting.guard(bridge, call, feed.beat), feed.tell_waiting())
    await lasting.finish(response, call.request)
    return response


class _Feed:
    """What one open page is told."""

    def __init__(self, bridge: "Bridge", response: web.StreamResponse, wanted: StreamQuery) -> None:
        self._bridge = bridge
        self._response = response
        self._wanted = wanted
        self._fresh: deque[Event] = deque(maxlen=FLUSHED)
        self._passed_over = 0

    async def beat(self) -> None:
        await self._response.write(b": still here\n\n")

    async def take(self, event: Event) -> None:
        """Keep the event for the next time that rows are told, if it is wanted."""
        if not _matches(event, self._wanted):
            return
        self._passed_over += len(self._fresh) == FLUSHED
        self._fresh.append(event)

    async def tell_waiting(self) -> Why:
        """Tell how many requests wait for a person: now, and whenever the bell is rung."""
        while True:
            count = self._bridge.bell.count
            told = {"waiting": self._bridge.waiting}
            if (why := await lasting.sent(self._say("waiting", told))) is not None:
                return why
            await asyncio.sleep(FLUSH_SECONDS)
            await self._bridge.bell.after(count)

    async def tell_rows(self) -> Why:
        """Tell what was taken, a few times a second: the newest, and how many more there were."""
        while True:
            await asyncio.sleep(FLUSH_SECONDS)
            if not self._fresh:
                continue
            events, passed_over = list(self._fresh), self._passed_over
            self._fresh.clear()
            self._passed_over = 0
            rows = await asyncio.to_thread(self._rendered, events)
            told = {"rows": rows, "passed_over": passed_over}
            if (why := await lasting.sent(self._say("rows", told, events[-1].seq))) is not None:
                return why

    def _rendered(self, events: list[Event]) -> list[str]:
        return [self._bridge.pages.render("event.html", {"event": row(event)}) for event in events]

    async def _say(self, name: str, told: object, seq: int | None = None) -> None:
        number = b"" if seq is None else b"id: %d\n" % seq
        data = msgspec.json.encode(told)
        await self._response.write(b"%sevent: %s\ndata: %s\n\n" % (number, name.encode(), data))


def _matches(event: Event, wanted: StreamQuery) -> bool:
    if wanted.agent not in ("", event.agent_id):
        return False
    if wanted.type.endswith(".*"):
        return event.type.startswith(wanted.type[:-1])
    return wanted.type in ("", event.type)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/console/events",
        "console_events",
        "Events, the newest first, and what happens while the page is open",
        events,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        query=EventsQuery,
        face="console",
    ),
    Route(
        "GET",
        "/console/stream",
        "console_stream",
        "Server-sent events for an open page: `waiting`, and `rows` where they are asked for",
        stream,
        {200: Answer("Server-sent events", media_type="text/event-stream")},
        permission="console.use",
        query=StreamQuery,
        face="console",
    ),
)
