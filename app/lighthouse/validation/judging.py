"""The judges at work: by the policies in force, with the project's links, never long on the event loop."""

import asyncio
import logging
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar, TypeVarTuple

from lighthouse.config import Settings
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, Draft, EventStore
from lighthouse.policy import Call, Judge, Judgement, PolicyFolder, Roots
from lighthouse.turns import Turns
from lighthouse.validation.links import ProjectLinks

STREAM = "policies"
LOADED, BROKEN = "policy.loaded", "policy.broken"
REFRESH_SECONDS = 1.0
# What is longer, or has more loops or more parts, is judged on a thread: it may take up to 50 ms, and others
# wait on the loop. Within these bounds it takes 5 ms at the worst.
MAX_AT_ONCE = 512
MAX_LOOPS = 2
MAX_PARTS = 60
_LOOPS = ("for ", "while ", "until ", "select ", "eval ", "()")
_PARTS = (";", "|", "$", "`", "{", "&")

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

log = logging.getLogger("lighthouse.policy")


class Judging:
    """`start` and `close` once each, on one event loop. A judge serves one thread, so there are two."""

    def __init__(self, settings: Settings, store: EventStore) -> None:
        self._settings = settings
        self._store = store
        self._pool = ThreadPoolExecutor(1, "lighthouse-judge")
        self.roots = host_roots(settings)
        self._folder: PolicyFolder | None = None
        self._here: _Seat | None = None
        self._aside: _Seat | None = None
        self._refreshing: asyncio.Task[None] | None = None
        self._turns = Turns()

    @property
    def problem(self) -> str | None:
        """Why the policies on disk are not in force."""
        return self._loaded.problem

    @property
    def version(self) -> str:
        """The version of the policies in force."""
        return self._loaded.rules.version

    @property
    def count(self) -> int:
        """How many policies are in force."""
        return len(self._loaded.rules.rules)

    @property
    def _loaded(self) -> PolicyFolder:
        if self._folder is None:
            raise RuntimeError("not started")
        return self._folder

    async def start(self) -> None:
        """Load the policies and follow their folder."""
        self._folder = await self._run(PolicyFolder, self._settings.policies)
        self._here = _Seat(self._settings, self.roots, self._folder)
        self._aside = _Seat(self._settings, self.roots, self._folder)
        await self._tell()
        self._refreshing = asyncio.create_task(self._refresh())

    async def close(self) -> None:
        """Stop following, and wait for what is being judged."""
        if self._refreshing is not None:
            self._refreshing.cancel()
            await asyncio.gather(self._refreshing, return_exceptions=True)
        await asyncio.to_thread(self._pool.shutdown)

    def at_once(self, call: Call) -> Judgement | None:
        """The judgement, where it is certain to take little time; None for `aside`."""
        command = call.fields.get("command")
        if isinstance(command, str) and _is_heavy(command):
            return None
        if self._here is None:
            raise RuntimeError("not started")
        return self._here.judge(call)

    async def aside(self, call: Call) -> Judgement:
        """The judgement, made on a thread; of each agent one at a time, as there is one thread for all."""
        if self._aside is None:
            raise RuntimeError("not started")
        async with self._turns.of(call.agent):
            return await self._run(self._aside.judge, call)

    async def refresh(self) -> None:
        """Take over what changed in the folder; where that does not check, the last good policies stay."""
        folder, problem = self._loaded, self._loaded.problem
        changed = await self._run(folder.refresh)
        if changed and self._here is not None and self._aside is not None:
            self._here.replace(folder)
            await self._run(self._aside.replace, folder)
        if changed or problem != folder.problem:
            await self._tell()

    async def _refresh(self) -> None:
        while True:
            await asyncio.sleep(REFRESH_SECONDS)
            try:
                await self.refresh()
            except Exception:
                log.exception("the folder of the policies could not be looked at")

    async def _tell(self) -> None:
        """Into the process's log and the event log: which policies are in force, or why they are not."""
        if self.problem is None:
            log.info("%d policies are in force, version %s", self.count, self.version)
            draft = Draft(LOADED, {"version": self.version, "policies": self.count}, STREAM)
        else:
            log.error("the policies are broken, version %s stays in force: %s", self.version, self.problem)
            draft = Draft(BROKEN, {"version": self.version, "problem": self.problem[:2000]}, STREAM)
        try:
            await self._store.append([draft], agent_id=BRIDGE)
        except LighthouseError as error:
            log.error("that could not be stored: %s", error)  # noqa: TRY400

    async def _run(self, work: Callable[[*Ts], T], *arguments: *Ts) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._pool, work, *arguments)


def _is_heavy(command: str) -> bool:
    if len(command) > MAX_AT_ONCE:
        return True
    # Short ones can have neither in number.
    return len(command) > 64 and (
        sum(map(command.count, _LOOPS)) > MAX_LOOPS or sum(map(command.count, _PARTS)) > MAX_PARTS
    )


class _Seat:
    """A judge with its own view of the links."""

    def __init__(self, settings: Settings, roots: tuple[str, ...], folder: PolicyFolder) -> None:
        self._links = ProjectLinks(settings.project_path, roots)
        self._judge = Judge(folder.rules, Roots(roots, settings.home, self._links.read))

    def judge(self, call: Call) -> Judgement:
        with self._links:
            return self._judge.judge(call)

    def replace(self, folder: PolicyFolder) -> None:
        self._judge.replace(folder.rules)


def host_roots(settings: Settings) -> tuple[str, ...]:
    """What tool calls may call the project: the host's folders that are it, and where the bridge sees it."""
    own = os.path.normpath(Path.cwd() / settings.project_path)
    outer = [
        os.path.normpath(host) for host, inner in settings.roots.items() if os.path.normpath(inner) == own
    ]
    return tuple(dict.fromkeys((*outer, own, str(Path(own).resolve()))))
