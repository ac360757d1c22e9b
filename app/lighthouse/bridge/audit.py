"""Who was turned away, kept as events: at most one a second, counted, so that no flood fills the log."""

import asyncio
import logging
from collections import Counter

from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, EventStore

REJECTED = "session.rejected"
STREAM = "sessions"
INTERVAL_SECONDS = 1.0
MAX_KINDS = 20

log = logging.getLogger("lighthouse.audit")


class Audit:
    """Gathers rejections and writes them from a task of its own, so that no answer waits for it."""

    def __init__(self, store: EventStore, interval_seconds: float = INTERVAL_SECONDS) -> None:
        self._store = store
        self._interval = interval_seconds
        self._waiting: Counter[tuple[int, str, str, str, str]] = Counter()
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def rejected(self, status: int, reason: str, route: str, peer: str, agent_id: str | None) -> None:
        """Note a rejected token (401) or a refused act (403); `reason` never holds the token."""
        kind = (status, reason, route, peer, agent_id or "")
        log.warning(
            "rejected", extra={"status": status, "reason": reason, "route": route, "agent_id": agent_id}
        )
        if kind not in self._waiting and len(self._waiting) >= MAX_KINDS:
            kind = (status, "several others", "", "", "")
        self._waiting[kind] += 1
        if self._task is None:
            self._task = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Write what waits, now."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _write(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, Counter()
            rejections = [
                {
                    "status": status,
                    "reason": reason,
                    "route": route,
                    "peer": peer,
                    "agent_id": agent,
                    "count": n,
                }
                for (status, reason, route, peer, agent), n in waiting.items()
            ]
            data = {"count": waiting.total(), "rejections": rejections}
            try:
                await self._store.append([Draft(REJECTED, data, STREAM)], agent_id=BRIDGE)
            except LighthouseError as error:
                # The journal has each of them already; the log could not be written, and health says so.
                log.error("%d rejections could not be stored: %s", waiting.total(), error)  # noqa: TRY400
            try:
                await asyncio.wait_for(self._closing.wait(), self._interval)
            except TimeoutError:
                continue
        self._task = None
