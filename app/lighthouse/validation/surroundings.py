"""What else whoever answers should see: the diff, what happened to its files, how the asker did lately."""

import asyncio
from collections.abc import Sequence
from typing import Any

import msgspec

from lighthouse.errors import LighthouseError
from lighthouse.events import Event, EventStore, Query
from lighthouse.policy import Call, Judgement
from lighthouse.shadow import Shadow
from lighthouse.validation.bounded import clipped, what
from lighthouse.validation.facts import Needs
from lighthouse.validation.proposed import EDITORS, NoDiff, diff
from lighthouse.validation.request import VERDICTS, Validation

# How far back it is looked, in events, and how much of it is told.
LOOK_BACK = 300
MAX_TOLD = 5
MAX_TEXT = 300


class Surroundings:
    """Gathers the context of requests. What cannot be had is left out, and said."""

    def __init__(self, shadow: Shadow, store: EventStore, roots: tuple[str, ...]) -> None:
        self._shadow = shadow
        self._store = store
        self._roots = roots

    async def of(
        self, call: Call, judged: Judgement, needs: Needs, ended: Sequence[Validation]
    ) -> dict[str, Any]:
        """`diff` where the call edits a file, and `context`. `ended` are the last requests, latest first."""
        context: dict[str, Any] = {}
        found: dict[str, Any] = {"context": context}
        if call.tool in EDITORS:
            try:
                found["diff"] = await asyncio.to_thread(diff, judged, call.fields, self._roots, self._shadow)
            except NoDiff as error:
                context["no_diff"] = str(error)
        try:
            context["changes"] = await self._changes(set(needs.paths))
            context["verdicts"] = await self._verdicts(call.agent)
        except LighthouseError as error:
            context["no_history"] = str(error)
        context["requests"] = [_ended(one) for one in ended if one.agent_id == call.agent][:MAX_TOLD]
        return found

    async def _changes(self, paths: set[str]) -> list[dict[str, Any]]:
        """What happened lately to the files that the call is about, the latest first."""
        if not paths:
            return []
        events = await self._latest("shadow.changed")
        return await asyncio.to_thread(_touching, events, paths)

    async def _verdicts(self, agent_id: str) -> list[dict[str, Any]]:
        """The last verdicts that the asker got, the latest first."""
        events = await self._latest(None, VERDICTS, agent_id)
        return [_verdict(event) for event in reversed(events[-MAX_TOLD:])]

    async def _latest(
        self, kind: str | None, stream: str | None = None, agent_id: str | None = None
    ) -> list[Event]:
        first = max(1, self._store.head.seq - LOOK_BACK)
        page = await self._store.query(
            Query(type=kind, stream=stream, agent_id=agent_id, from_seq=first, limit=LOOK_BACK + 1)
        )
        return page.events


class _Change(msgspec.Struct):
    path: str
    op: str


class _Changed(msgspec.Struct):
    changes: list[_Change] = []


def _touching(events: Sequence[Event], paths: set[str]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for event in reversed(events):
        for change in msgspec.json.decode(event.data, type=_Changed).changes:
            if change.path in paths:
                found.append(
                    {
                        "seq": event.seq,
                        "at": event.ts,
                        "op": change.op,
                        "path": clipped(change.path, MAX_TEXT),
                    }
                )
                if len(found) == MAX_TOLD:
                    return found
    return found


def _verdict(event: Event) -> dict[str, Any]:
    told = event.value
    return {
        "id": f"v{event.seq}",
        "at": event.ts,
        "decision": told["decision"],
        "rule": told["rule"],
        "tool_name": told["tool_name"],
        "what": what(told["tool_input"], MAX_TEXT),
    }


def _ended(validation: Validation) -> dict[str, Any]:
    return {
        "id": validation.id,
        "at": validation.asked_at,
        "decision": validation.decision,
        "reason": clipped(validation.reason, MAX_TEXT),
        "tool_name": validation.tool_name,
        "what": what(validation.tool_input, MAX_TEXT),
    }
