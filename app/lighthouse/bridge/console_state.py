"""The console's pages on who is at work, and on how the bridge is."""

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import page
from lighthouse.bridge.state import resident_bytes
from lighthouse.console.recent import recent
from lighthouse.events import BRIDGE, Event
from lighthouse.experts import Expert
from lighthouse.sessions import Identity

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

LOOKED_AT = 500
LAST = 3
MOST_AGENTS = 200


@dataclass(slots=True)
class Agent:
    """What is known of an agent: its sessions, and what it did last."""

    agent_id: str
    sessions: list[Identity] = field(default_factory=list)
    expert: Expert | None = None
    last: Event | None = None
    verdicts: list[Event] = field(default_factory=list)


async def agents(bridge: "Bridge", call: Call) -> web.Response:
    """Who has a session or did something lately."""
    found: dict[str, Agent] = {}
    for session in bridge.sessions.active():
        found.setdefault(session.agent_id, Agent(session.agent_id)).sessions.append(session)
    for expert in bridge.experts.all() if bridge.experts is not None else ():
        found.setdefault(expert.agent_id, Agent(expert.agent_id)).expert = expert
    latest = await recent(bridge.store, wanted=LOOKED_AT, with_data=False)
    for event in latest.events:
        if event.agent_id != BRIDGE:
            known = found.setdefault(event.agent_id, Agent(event.agent_id))
            known.last = known.last or event
    verdicts = await recent(bridge.store, wanted=LOOKED_AT, type="verdict.*", with_data=False)
    for event in verdicts.events:
        known = found.setdefault(event.agent_id, Agent(event.agent_id))
        known.last = known.last or event
        if len(known.verdicts) < LAST:
            known.verdicts.append(event)
    ordered = sorted(found.values(), key=lambda one: one.last.seq if one.last else 0, reverse=True)
    values = {
        "title": "Agents",
        "here": "agents",
        "agents": ordered[:MOST_AGENTS],
        "more": max(0, len(ordered) - MOST_AGENTS),
        "looked_at": LOOKED_AT,
        "now": time.time(),
    }
    return await page(bridge, call.caller, "agents.html", values)


async def health(bridge: "Bridge", call: Call) -> web.Response:
    """What /health and /status tell, for people."""
    report = await bridge.health()
    parts = report.components
    values = {
        "title": "Health",
        "here": "health",
        "report": report,
        "parts": [(name.replace("_", " "), getattr(parts, name)) for name in parts.__struct_fields__],
        "summary": bridge.summary(report),
        "head": bridge.store.head,
        "uptime": bridge.uptime_seconds,
        "memory": resident_bytes(),
        "project": str(bridge.settings.project_path),
        "shadow": bridge.shadow.status() if bridge.shadow is not None else None,
    }
    return await page(bridge, call.caller, "health.html", values)


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/console/agents",
        "console_agents",
        "Who is at work: sessions, experts, and what each did last",
        agents,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        face="console",
    ),
    Route(
        "GET",
        "/console/health",
        "console_health",
        "How the bridge is, for people",
        health,
        {200: Answer("The page", media_type="text/html")},
        permission="console.use",
        face="console",
    ),
)
