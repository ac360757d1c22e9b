"""Validations in the log: what their events say, and how they are found again from them."""

from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

import msgspec

from lighthouse.events import Draft, Event, EventStore, Query, events_of
from lighthouse.events.event import timestamp
from lighthouse.policy import Call, Judgement, Verdict
from lighthouse.validation import quorum
from lighthouse.validation.bounded import bounded, clipped, without_tokens
from lighthouse.validation.facts import Needs, kept, programs
from lighthouse.validation.request import REQUESTED, RESOLVED, STREAM, VERDICTS, Validation, from_event

# Longer than any request waits and any rule lasts.
KEPT_DAYS = 32
MAX_REASON = 2000
MAX_CWD = 4096
# A look-up of a request that nobody keeps in memory any more ends after so many pages of the log.
MAX_PAGES = 20
BEGINNINGS = (REQUESTED, "verdict.allowed", "verdict.denied")

By = Literal["policy", "rule", "lease"]


def judged_data(
    call: Call, judged: Judgement, verdict: Verdict, policy: str, latency_us: int, by: By = "policy"
) -> dict[str, Any]:
    """What every verdict's event says."""
    data: dict[str, Any] = {
        "tool_name": call.tool,
        "tool_input": bounded(dict(call.fields)),
        "cwd": clipped(call.cwd, MAX_CWD),
        "decision": verdict.decision,
        "reason": clipped(verdict.reason.encode("utf-8", "replace").decode(), MAX_REASON),
        "rule": verdict.rule,
        "tier": verdict.tier,
        "policy": policy,
        "by": by,
        "latency_us": latency_us,
        "programs": programs(judged),
    }
    if call.origin:
        data["origin"] = dict(call.origin)
    if verdict.suggestion:
        data["suggestion"] = verdict.suggestion
    return data


def doubt_data(judged: Judgement, needs: Needs, digest: str) -> dict[str, Any]:
    """What a request's event says besides."""
    facts = kept(judged)
    return {
        "facts": msgspec.to_builtins(facts),
        "facts_left_out": len(judged.acts) - len(facts),
        "needs": msgspec.to_builtins(needs),
        "quorum": quorum.needed(judged.verdict.tier),
        "digest": digest,
    }


def verdict_draft(data: dict[str, Any]) -> Draft:
    """The event of a call that was decided at once."""
    kind = "verdict.allowed" if data["decision"] == "allow" else "verdict.denied"
    return Draft(kind, without_tokens(data), VERDICTS)


def draft(kind: str, data: dict[str, Any]) -> Draft:
    """An event about a request or a rule."""
    return Draft(kind, without_tokens(data), STREAM)


def history(store: EventStore) -> AsyncIterator[Event]:
    """The events of all requests that may still wait and rules that may still hold, in their order."""
    since = timestamp(datetime.now(UTC) - timedelta(days=KEPT_DAYS))
    return events_of(store, Query(stream=STREAM, type="validation.*", since=since, limit=1000))


async def look_up(store: EventStore, seq: int) -> Validation | None:
    """The validation that event `seq` began, as the log tells it; None where it began none."""
    first = await store.query(Query(from_seq=seq, to_seq=seq, limit=1))
    if not first.events or first.events[0].type not in BEGINNINGS:
        return None
    validation = from_event(first.events[0])
    if validation.state == "pending":
        for event in await about(store, validation):
            validation.take(event)
    return validation


async def about(store: EventStore, validation: Validation) -> list[Event]:
    """What the log tells of a request after it was made, up to its end."""
    found: list[Event] = []
    query = Query(stream=STREAM, type="validation.*", from_seq=validation.seq + 1, limit=1000)
    async with aclosing(events_of(store, query, MAX_PAGES)) as events:
        async for event in events:
            told = event.value
            if told.get("from_id", told.get("id")) == validation.id:
                found.append(event)
            elif any(one.type == RESOLVED for one in found):
                # What was remembered at its end was stored together with that.
                break
    return found
