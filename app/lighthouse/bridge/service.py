"""One run of the bridge: opens the door, starts the parts, tells systemd how it goes, and stops in order."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

from aiohttp import web

from lighthouse import config
from lighthouse.bridge import confinement, listening
from lighthouse.bridge.app import make_app, make_health_app, make_runner
from lighthouse.bridge.bridge import Bridge
from lighthouse.bridge.systemd import Notifier, inherited
from lighthouse.config import Settings
from lighthouse.errors import LighthouseError
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing, load_secret

TICK_SECONDS = 5.0
FIRST_TICKS_SECONDS = 0.1
# For so long another thread may keep the event loop from running, where Python asks threads to take turns.
TURN_SECONDS = 0.0005
LISTEN_NAMES = ("LISTEN_FDS", "LISTEN_PID", "LISTEN_FDNAMES")

log = logging.getLogger("lighthouse.bridge")


async def run(settings: Settings, env: Mapping[str, str], *, create_secret_at: Path | None = None) -> None:
    """Serve until SIGTERM or SIGINT; raises LighthouseError when the bridge must not or cannot start."""
    sys.setswitchinterval(TURN_SECONDS)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    notifier = Notifier(env, settings.watchdog_seconds)
    check_places(settings)
    check_walls(settings)
    for name in config.unknown_names(env):
        log.warning("%s is set and means nothing to the bridge", name)
    descriptors = inherited(env)
    for name in LISTEN_NAMES:
        os.environ.pop(name, None)
    for name in descriptors.keys() - {"http", "fuse", "fuse-proposals"}:
        log.warning("a descriptor named %r was inherited and is not used", name)
    if descriptors.keys() & {"fuse", "fuse-proposals"} and not settings.mount:
        raise LighthouseError("a FUSE descriptor was handed over, and no mount is wanted", "drop --no-mount")
    keyring = KeyRing(load_secret(settings.secret_environment(), create_at=create_secret_at))
    sockets = (
        listening.take_over(descriptors["http"])
        if "http" in descriptors
        else listening.listen(*settings.host_port)
    )
    store = await asyncio.to_thread(EventStore.open, settings.event_store, keyring)
    handed_over = {name: numbers[0] for name, numbers in descriptors.items()}
    bridge = Bridge(settings, keyring, store, handed_over.get("fuse"), handed_over.get("fuse-proposals"))
    door = await _open_door(bridge, sockets)
    try:
        await _serve(bridge, notifier, stop)
    finally:
        notifier.send(STOPPING="1", STATUS="stopping")
        bridge.begin_stop()
        await door.aclose()
        await bridge.stop()


def check_places(settings: Settings) -> None:
    """Raise LighthouseError where project and state lie such that the bridge would watch itself."""
    project = settings.project_path.resolve()
    if not project.is_dir():
        raise LighthouseError(
            f"the project {project} is not a folder", "name an existing folder with --project"
        )
    state = settings.event_store.resolve()
    if state.is_relative_to(project) and ".lighthouse" not in state.relative_to(project).parts:
        raise LighthouseError(
            f"the event store {state} lies inside the project, so that every event would change it",
            "keep it elsewhere, or in a folder .lighthouse, which is ignored",
        )


def check_walls(settings: Settings) -> None:
    """Raise LighthouseError when confinement is required and the kernel says that it is not there."""
    judged = confinement.judge(confinement.observe(), required=settings.require_confinement)
    if judged.status == "failed":
        raise LighthouseError(f"confinement is {judged.detail}", "start the bridge from its unit")


async def _open_door(bridge: Bridge, sockets: list[socket.socket]) -> contextlib.AsyncExitStack:
    """Serve the API on `sockets` and health on its Unix socket; what is returned closes both."""
    door = contextlib.AsyncExitStack()
    try:
        runner = make_runner(make_app(bridge))
        await runner.setup()
        door.push_async_callback(runner.cleanup)
        for own in sockets:
            await web.SockSite(runner, own, backlog=listening.BACKLOG).start()
        if bridge.settings.health_socket is not None:
            probe = listening.HealthSocket(bridge.settings.health_socket)
            door.callback(probe.close)
            probed = make_runner(make_health_app(bridge))
            await probed.setup()
            door.push_async_callback(probed.cleanup)
            await web.SockSite(probed, probe.socket).start()
    except BaseException:
        await door.aclose()
        raise
    return door


async def _serve(bridge: Bridge, notifier: Notifier, stop: asyncio.Event) -> None:
    """Start the parts and stay until `stop`; leaves early, with the error, when a part cannot start."""
    starting = asyncio.create_task(bridge.start())
    telling = asyncio.create_task(_tell(bridge, notifier))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({starting, stopping, telling}, return_when=asyncio.FIRST_COMPLETED)
        if starting.done():
            starting.result()
            # The tree stays: to look for garbage among its 10,000 files would stop every thread for 40 ms,
            # time and again.
            gc.collect()
            gc.freeze()
            await asyncio.wait({stopping, telling}, return_when=asyncio.FIRST_COMPLETED)
        if telling.done():
            telling.result()
    finally:
        for task in (starting, telling, stopping):
            task.cancel()
        await asyncio.gather(starting, telling, stopping, return_exceptions=True)


async def _tell(bridge: Bridge, notifier: Notifier) -> None:
    """Tell systemd the state: readiness once, at the first moment that all is well; then status and watchdog.

    The watchdog is kept quiet only for what a new start mends: a mount whose session died. A full disk or a
    project that is away would be no better after it.
    """
    ready = False
    while True:
        health = await bridge.health()
        fields = {"STATUS": bridge.summary(health)}
        if health.status == "ok" and not ready:
            ready = True
            fields["READY"] = "1"
            log.info("ready: %s", fields["STATUS"])
        if health.components.mount.status != "failed":
            fields["WATCHDOG"] = "1"
        notifier.send(**fields)
        pause = min(notifier.watchdog_interval or TICK_SECONDS, TICK_SECONDS)
        await asyncio.sleep(pause if ready else min(pause, FIRST_TICKS_SECONDS))
