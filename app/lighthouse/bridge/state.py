"""GET /health, /status, /metrics and /openapi.json: how the bridge is, and what it can be asked."""

import importlib.metadata
import os
import platform
import sqlite3
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from lighthouse.bridge import confinement, metrics
from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.schemas import HeadSummary, Health, MountSummary, SessionSummary, Status
from lighthouse.events.event import timestamp
from lighthouse.sessions import Identity

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

DESCRIPTION = web.AppKey("description", bytes)
_PACKAGES = ("aiohttp", "cryptography", "msgspec", "pyfuse3", "sqlite-utils", "zstandard")


async def health(bridge: "Bridge", call: Call) -> web.Response:
    """200 exactly when every promise can be kept."""
    report = await bridge.health()
    return web.Response(
        status=200 if report.status == "ok" else 503,
        body=msgspec.json.encode(report),
        content_type="application/json",
    )


async def status(bridge: "Bridge", call: Call) -> Status:
    """All there is to know, for people and `lighthouse doctor`."""
    report = await bridge.health()
    head, mount = bridge.store.head, bridge.mount
    return Status(
        status=report.status,
        summary=bridge.summary(report),
        version=bridge.settings.version,
        pid=os.getpid(),
        started_at=timestamp(bridge.started_at),
        uptime_seconds=round(bridge.uptime_seconds, 3),
        rss_bytes=resident_bytes(),
        project=str(bridge.settings.project_path),
        head=HeadSummary(head.seq, head.mac),
        store=bridge.store.stats(),
        sessions=[summarized(session) for session in bridge.sessions.active()],
        subscribers=len(bridge.streams),
        shadow=bridge.shadow.status() if bridge.shadow is not None else {},
        mount=MountSummary(
            enabled=bridge.settings.mount,
            alive=all(part is not None and part.alive for part in (mount, bridge.proposals_mount)),
            target=bridge.mount_target if bridge.settings.mount else None,
            proposals=bridge.proposals_target if bridge.settings.mount else None,
            detail=report.components.mount.detail,
        ),
        validations=bridge.validations.status() if bridge.validations is not None else {},
        collaborations=bridge.collaborations.status() if bridge.collaborations is not None else {},
        elicitations=bridge.questions.status() if bridge.questions is not None else {},
        leases=bridge.leases.status() if bridge.leases is not None else {},
        tasks=bridge.tasks.status() if bridge.tasks is not None else {},
        messages=bridge.messages.status() if bridge.messages is not None else {},
        confinement=confinement.observe(),
        components=report.components,
        versions=versions(),
    )


async def figures(bridge: "Bridge", call: Call) -> web.Response:
    """Prometheus' text."""
    await bridge.health()
    return web.Response(body=bridge.metrics.render(), headers={"Content-Type": metrics.CONTENT_TYPE})


async def openapi(bridge: "Bridge", call: Call) -> web.Response:
    """The API's own description."""
    return web.Response(body=call.request.app[DESCRIPTION], content_type="application/json")


def summarized(session: Identity) -> SessionSummary:
    """A session as /status lists it."""
    return SessionSummary(session.token_id, session.agent_id, session.role.value, moment(session.expires_at))


def moment(seconds: float) -> str:
    """Seconds since 1970 as RFC 3339."""
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def resident_bytes() -> int:
    """The memory that this process holds now."""
    pages = Path("/proc/self/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE")


@cache
def versions() -> dict[str, str]:
    """What the bridge is built from."""
    found = {name: importlib.metadata.version(name) for name in _PACKAGES}
    return found | {"python": platform.python_version(), "sqlite": sqlite3.sqlite_version}


ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/health",
        "health",
        "Whether every promise can be kept now",
        health,
        {
            200: Answer("All is well", Health),
            503: Answer("Something is not; the components say what", Health),
        },
        permission=None,
        while_starting=True,
    ),
    Route(
        "GET",
        "/openapi.json",
        "openapi",
        "This description",
        openapi,
        {200: Answer("OpenAPI 3.1", dict[str, Any])},
        permission=None,
        while_starting=True,
    ),
    Route(
        "GET",
        "/status",
        "status",
        "What runs, in detail",
        status,
        {200: Answer("The details", Status)},
        permission="status.read",
        while_starting=True,
    ),
    Route(
        "GET",
        "/metrics",
        "metrics",
        "Figures for Prometheus",
        figures,
        {200: Answer("Prometheus text", media_type="text/plain")},
        permission="metrics.read",
        while_starting=True,
    ),
)
