"""Keeps the shadow in step: scans what the watcher tells of, all from time to time, and after a failure."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

from lighthouse.errors import LighthouseError
from lighthouse.shadow.capture import Capture
from lighthouse.shadow.errors import ProjectAway
from lighthouse.shadow.scan import Stopped

logger = logging.getLogger(__name__)

GATHER_SECONDS = 0.02
"""What happens this soon after a first change shares its version; longer while scans take longer."""
LONGEST_GATHER = 0.5
RETRY_SECONDS = 1.0
# Several failures in a row, as on a full disk, are tried less often.
LONGEST_RETRY = 10.0


class Follower:
    """Calls `scan(everything=…)` whenever it is due. Runs on the event loop between `start` and `close`."""

    def __init__(
        self, scan: Callable[..., Awaitable[int]], capture: Capture, reconcile_seconds: float
    ) -> None:
        self._scan = scan
        self._capture = capture
        self._reconcile = reconcile_seconds
        self._woken = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None
        self._trouble: str | None = None
        self._failures = 0
        self._scanned_at = time.monotonic()
        self._last_scan_ts = _now()

    def start(self) -> None:
        """Follow from now on; a scan of everything has just been made."""
        self._listen()
        self._task = asyncio.create_task(self._follow(), name="shadow-follow")

    async def close(self) -> None:
        """Stop; returns when no scan runs any more."""
        self._closing = True
        self._woken.set()
        if self._task is not None:
            await self._task
        self._deaf()

    def health(self) -> tuple[bool, str]:
        """Whether changes are seen as they happen, and if not, why."""
        if self._task is None or self._task.done():
            return False, "the project is not followed"
        if self._trouble is not None:
            return False, self._trouble
        if (trouble := self._capture.watch_trouble) is not None:
            return False, trouble
        return True, f"following {self._capture.watched} folders"

    def status(self) -> dict[str, Any]:
        """Health and counts of the watcher, ready for JSON."""
        ok, detail = self.health()
        return {
            "status": "ok" if ok else "failed",
            "detail": detail,
            "last_scan_ts": self._last_scan_ts,
            "folders_watched": self._capture.watched,
            "overflows": self._capture.overflows,
        }

    async def _follow(self) -> None:
        took = ended = 0.0
        while not self._closing:
            due = self._scanned_at + (self._reconcile if self._trouble is None else self._retry_seconds())
            if await self._wake(due - time.monotonic()):
                # No more than half of the time is spent scanning; after a rest there is no need to wait.
                rested = time.monotonic() - ended
                await asyncio.sleep(min(max(GATHER_SECONDS, took - rested), LONGEST_GATHER))
            if self._closing:
                return
            begun = time.monotonic()
            # Also asked when woken: a project that never rests must not put off the scan of everything.
            await self._pass(begun >= due)
            ended = time.monotonic()
            took = ended - begun
            self._listen()

    async def _wake(self, seconds: float) -> bool:
        """Wait for the watcher; False when the time is up."""
        try:
            async with asyncio.timeout(max(seconds, 0)):
                await self._woken.wait()
        except TimeoutError:
            return False
        self._woken.clear()
        return True

    async def _pass(self, everything: bool) -> None:
        try:
            await self._scan(everything=everything)
        except Stopped:
            return
        except ProjectAway as error:
            self._failed(str(error), quiet=True)
        except (LighthouseError, OSError, sqlite3.Error) as error:
            self._failed(f"the last scan failed: {error}", quiet=False)
        except Exception as error:
            logger.exception("the scan failed unexpectedly")
            self._failed(f"the last scan failed: {type(error).__name__}: {error}", quiet=True)
        else:
            if self._trouble is not None:
                logger.info("the project is followed again")
            self._trouble, self._failures = None, 0
            self._last_scan_ts = _now()
            if everything:
                self._scanned_at = time.monotonic()

    def _failed(self, reason: str, *, quiet: bool) -> None:
        if reason != self._trouble or not quiet:
            logger.warning(reason)
        self._trouble = reason
        self._failures += 1
        self._scanned_at = time.monotonic()

    def _retry_seconds(self) -> float:
        return min(RETRY_SECONDS * self._failures, LONGEST_RETRY)

    def _listen(self) -> None:
        # In trouble only the clock decides when to try again, or a busy project would make that a busy loop.
        if self._trouble is None and (fd := self._capture.watch_fd) is not None:
            asyncio.get_running_loop().add_reader(fd, self._heard)

    def _deaf(self) -> None:
        if (fd := self._capture.watch_fd) is not None:
            asyncio.get_running_loop().remove_reader(fd)

    def _heard(self) -> None:
        # The descriptor stays readable until the scan has read it; until then there is nothing to hear.
        self._deaf()
        self._woken.set()


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
