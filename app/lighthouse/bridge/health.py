"""Whether the bridge keeps its promises at this moment: each component asked, never assumed."""

import asyncio
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING

from lighthouse.bridge import confinement
from lighthouse.bridge.schemas import Component, Components, Health
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, EventStore
from lighthouse.events.schema import DATABASE

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 5.0
# One event may hold 256 KiB, and SQLite needs room for its journal besides.
ROOM_NEEDED = 2 * 1024 * 1024
PROBE_BYTES = 16 * 1024
PROBE_NAME = ".room-probe"

Identity = tuple[int, int]

STARTING = Component("starting", "not yet started")


class Monitor:
    """Asks the components, at most once a second however many ask for the answer."""

    def __init__(self, bridge: "Bridge") -> None:
        self._bridge = bridge
        self._lock = asyncio.Lock()
        self._asked_at = float("-inf")
        self._last: Health | None = None
        self._database = _identity(bridge.store.folder)
        self._store_check: asyncio.Task[str | None] | None = None

    async def report(self) -> Health:
        """The state now, or as it was up to a second ago."""
        async with self._lock:
            if self._last is None or time.monotonic() - self._asked_at >= FRESH_SECONDS:
                self._last = await self._ask()
                self._asked_at = time.monotonic()
                self._bridge.metrics.healthy(self._last.components)
            return self._last

    async def _ask(self) -> Health:
        bridge = self._bridge
        seen = confinement.observe()
        components = Components(
            event_store=await self._event_store(),
            mount=self._mount(),
            policy=self._policy(),
            watcher=self._watcher(),
            confinement=confinement.judge(seen, required=bridge.settings.require_confinement),
        )
        states = {getattr(components, name).status for name in components.__struct_fields__}
        if "failed" in states or bridge.phase == "stopping":
            return Health("failed", bridge.settings.version, components)
        if "starting" in states or not bridge.serving:
            return Health("starting", bridge.settings.version, components)
        return Health("ok", bridge.settings.version, components)

    async def _event_store(self) -> Component:
        store = self._bridge.store
        # One check at a time: on a disk that hangs they would otherwise pile up in the thread pool.
        if self._store_check is None:
            self._store_check = asyncio.create_task(_why_not_append(store, self._database))
        done, _ = await asyncio.wait({self._store_check}, timeout=PATIENCE_SECONDS)
        if not done:
            return Component("failed", f"the disk did not answer within {PATIENCE_SECONDS:.0f} s")
        failure, self._store_check = self._store_check.result(), None
        return Component("failed", failure) if failure else Component("ok", f"head is event {store.head.seq}")

    def _mount(self) -> Component:
        bridge = self._bridge
        if not bridge.settings.mount:
            return Component("disabled", "serving without a mount was asked for")
        if bridge.mount is None:
            return STARTING
        served = [part for part in (bridge.mount, bridge.proposals_mount) if part is not None]
        dead = [part.detail for part in served if not part.alive]
        if dead:
            return Component("failed", "; ".join(dead))
        if bridge.mount.lagging:
            return Component("failed", "the kernel does not let go of what it has cached of older versions")
        return Component("ok", "; ".join(part.detail for part in served))

    def _policy(self) -> Component:
        if (validations := self._bridge.validations) is None:
            return STARTING
        judging = validations.judging
        if (problem := judging.problem) is not None:
            return Component("failed", f"version {judging.version} stays in force: {problem}")
        count = f"{judging.count} {'policy' if judging.count == 1 else 'policies'}"
        return Component("ok", f"{count}, version {judging.version}")

    def _watcher(self) -> Component:
        if (shadow := self._bridge.shadow) is None:
            return Component("starting", f"capturing {self._bridge.settings.project_path}")
        well, detail = shadow.health()
        return Component("ok" if well else "failed", detail)


async def _why_not_append(store: EventStore, database: Identity) -> str | None:
    """Why an append would fail, in a few words; None when it would not."""
    if (failure := await asyncio.to_thread(_why_no_room, store.folder, database)) is not None:
        return failure
    if store.last_error is None:
        return None
    # The last append failed, and there is room: whether it goes again is only known by doing it.
    try:
        await store.append([Draft("store.recovered", {"error": store.last_error}, "bridge")], agent_id=BRIDGE)
    except LighthouseError as error:
        return str(error)
    return None


def _identity(folder: Path) -> Identity:
    info = (folder / DATABASE).stat()
    return info.st_dev, info.st_ino


def _why_no_room(folder: Path, database: Identity) -> str | None:
    probe = folder / PROBE_NAME
    try:
        if _identity(folder) != database:
            return f"{folder / DATABASE} was replaced while it was open: put the old one back, or restart"
        room = os.statvfs(folder)
        if room.f_bavail * room.f_frsize < ROOM_NEEDED:
            return f"no room on the disk of {folder}: free some space"
        descriptor = os.open(
            probe, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600
        )
        try:
            if os.write(descriptor, bytes(PROBE_BYTES)) != PROBE_BYTES:
                return f"no room in {folder}: free some space or raise its quota"
        finally:
            os.close(descriptor)
            probe.unlink()
    except FileNotFoundError:
        return f"{folder / DATABASE} is gone: put it back, or restore a backup"
    except OSError as error:
        return f"{folder} cannot be written ({error.strerror})"
    return None
