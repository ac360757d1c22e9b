"""The bridge as one object: its parts, the order in which they start and stop, and how it is now."""

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import msgspec

from lighthouse.annotations import Annotations
from lighthouse.bridge.audit import Audit
from lighthouse.bridge.health import Monitor
from lighthouse.bridge.lasting import Streams
from lighthouse.bridge.limits import RateLimit
from lighthouse.bridge.metrics import Metrics
from lighthouse.bridge.schemas import Health
from lighthouse.bridge.threads import Threads
from lighthouse.bridge.validation_schemas import shown
from lighthouse.collaboration import Collaborations
from lighthouse.config import Settings
from lighthouse.console import Bell, Pages, Seal
from lighthouse.context import Contexts
from lighthouse.elicitation import Questions
from lighthouse.events import BRIDGE, Draft, EventStore
from lighthouse.experts import Experts
from lighthouse.keys import KeyRing
from lighthouse.leases import Leases
from lighthouse.mailbox import Mail, Presence
from lighthouse.messages import Messages
from lighthouse.mount import Mount
from lighthouse.mount.proposal_mount import ProposalMount
from lighthouse.proposals import Proposals
from lighthouse.search import Search
from lighthouse.sessions import Sessions
from lighthouse.shadow import Shadow
from lighthouse.tasks import Tasks
from lighthouse.validation import ProjectPaths, Validations

AGENT_RATE, AGENT_BURST = 2000, 4000
FAILURE_RATE, FAILURE_BURST = 50, 50
COMPARING, COMPARISONS_WAITING = 2, 16
STREAM = "bridge"
SHOWN_SECONDS = 2.0

Phase = Literal["starting", "serving", "stopping"]

log = logging.getLogger("lighthouse.bridge")


class Bridge:
    """Owns all parts. `shadow` and what stands on it are None until they have started.

    `fuse` and `proposals` are the numbers of inherited FUSE descriptors; without them the bridge mounts by
    itself.
    """

    def __init__(
        self,
        settings: Settings,
        keyring: KeyRing,
        store: EventStore,
        fuse: int | None = None,
        proposals: int | None = None,
    ) -> None:
        self.settings = settings
        self.phase: Phase = "starting"
        self.stopping = asyncio.Event()
        self.started_at = datetime.now(UTC)
        self._started = time.monotonic()
        self.store = store
        self.sessions = Sessions(store, keyring)
        self.audit = Audit(store)
        self.pages = Pages()
        self.seal = Seal(keyring)
        self.bell = Bell()
        self.mail = Mail()
        self.presence = Presence()
        self.shadow: Shadow | None = None
        self.search: Search | None = None
        self.annotations: Annotations | None = None
        self.contexts: Contexts | None = None
        self.proposals: Proposals | None = None
        self.experts: Experts | None = None
        self.leases: Leases | None = None
        self.validations: Validations | None = None
        self.collaborations: Collaborations | None = None
        self.questions: Questions | None = None
        self.tasks: Tasks | None = None
        self.messages: Messages | None = None
        self.proposals_mount: ProposalMount | None = None
        self.mount: Mount | None = None
        self.mount_target = f"/dev/fd/{fuse}" if fuse is not None else str(settings.mount_point)
        self.proposals_target = (
            f"/dev/fd/{proposals}" if proposals is not None else str(settings.proposals_mount_point)
        )
        self.comparing = Threads("diff", COMPARING, COMPARISONS_WAITING)
        self.agent_limit = RateLimit(AGENT_RATE, AGENT_BURST)
        self.failure_limit = RateLimit(FAILURE_RATE, FAILURE_BURST)
        self.streams = Streams()
        self.metrics = Metrics(settings.version)
        self._register_figures()
        self.monitor = Monitor(self)
        self._last_health: Health | None = None

    @property
    def serving(self) -> bool:
        """Whether requests are taken."""
        return self.phase == "serving"

    @property
    def waiting(self) -> int:
        """How many requests wait for a person."""
        return len(self.validations.pending()) if self.validations is not None else 0

    @property
    def uptime_seconds(self) -> float:
        """Seconds since this object was made."""
        return time.monotonic() - self._started

    async def start(self) -> None:
        """Load the sessions, capture the project, mount it. What fails raises, and `stop` undoes the rest."""
        await self.sessions.load()
        shadow = Shadow(self.settings.project_path, self.store.folder, self.store, self.settings)
        await shadow.start()
        self.shadow = shadow
        self.search = Search(shadow)
        annotations = Annotations(shadow, self.store)
        self.annotations = annotations
        await annotations.start()
        contexts = Contexts(shadow, self.store, annotations)
        await contexts.load()
        self.contexts = contexts
        proposals = Proposals(shadow, self.store, self.settings)
        await proposals.start()
        self.proposals = proposals
        experts = Experts(self.store, self.mail, self.settings.expert_seconds, shown)
        await experts.start()
        self.experts = experts
        leases = Leases(self.store, self.mail, self.presence, ProjectPaths(self.settings).follow)
        self.mail.add(leases)
        await leases.start()
        self.leases = leases
        validations = Validations(self.settings, self.store, shadow, experts, leases)
        validations.add_listener(lambda _: self.bell.ring())
        await validations.start()
        self.validations = validations
        collaborations = Collaborations(self.store, shadow, proposals, annotations, self.mail)
        await collaborations.start()
        self.collaborations = collaborations
        questions = Questions(self.store, self.mail)
        await questions.start()
        self.questions = questions
        tasks = Tasks(self.store, self.mail, experts, self.presence, self.settings.expert_seconds)
        experts.other_load = tasks.load
        await tasks.start()
        self.tasks = tasks
        experts.on_change = self._hand_on
        messages = Messages(self.store, self.mail, self._agents)
        await messages.start()
        self.messages = messages
        if self.settings.mount:
            proposals_mount = ProposalMount(proposals, shadow, self.settings)
            await proposals_mount.start(self.proposals_target)
            self.proposals_mount = proposals_mount
            mount = Mount(
                shadow,
                self.store,
                self._health_now,
                self.settings,
                shadows=annotations.view,
                contexts=contexts,
                metrics=self.metrics.render,
            )
            await mount.start(self.mount_target)
            self.mount = mount
        data = {
            "version": self.settings.version,
            "pid": os.getpid(),
            "project": str(self.settings.project_path),
        }
        await self.store.append([Draft("bridge.started", data, STREAM)], agent_id=BRIDGE)
        self.phase = "serving"

    def begin_stop(self) -> None:
        """Take no more requests and end the streams."""
        self.phase = "stopping"
        self.stopping.set()
        if self.leases is not None:
            self.leases.release_waiters()
        if self.validations is not None:
            self.validations.release()
        if self.collaborations is not None:
            self.collaborations.release()
        if self.questions is not None:
            self.questions.release()
        if self.tasks is not None:
            self.tasks.release()
        if self.messages is not None:
            self.messages.release()

    async def stop(self) -> None:
        """Undo `start` in reverse; a part that fails to stop does not keep the others from it."""
        self.begin_stop()
        steps: list[tuple[str, Callable[[], Awaitable[object]]]] = []
        if self.mount is not None:
            steps.append(("mount", self.mount.stop))
        if self.proposals_mount is not None:
            steps.append(("mount of the proposals", self.proposals_mount.stop))
        if self.collaborations is not None:
            steps.append(("collaborations", self.collaborations.close))
        if self.questions is not None:
            steps.append(("questions", self.questions.close))
        if self.tasks is not None:
            steps.append(("tasks", self.tasks.close))
        if self.messages is not None:
            steps.append(("messages", self.messages.close))
        if self.validations is not None:
            steps.append(("validations", self.validations.close))
        if self.leases is not None:
            steps.append(("leases", self.leases.close))
        if self.experts is not None:
            steps.append(("experts", self.experts.close))
        if self.proposals is not None:
            steps.append(("proposals", self.proposals.close))
        if self.annotations is not None:
            steps.append(("annotations", self.annotations.close))
        if self.search is not None:
            steps.append(("search", self.search.close))
        steps.append(("comparing", self.comparing.close))
        if self.shadow is not None:
            steps.append(("shadow", self.shadow.close))
        steps += [("audit", self.audit.close), ("last event", self._say_stopped), ("store", self.store.close)]
        for name, step in steps:
            try:
                await step()
            except Exception:
                log.exception("stopping the %s failed", name)

    async def shown(self) -> None:
        """Return when the mount shows what has been done so far.

        For answers after which people look there. A kernel that does not answer is not waited for.
        """
        if self.mount is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.mount.settle(), SHOWN_SECONDS)

    async def health(self) -> Health:
        """The health report, and a copy for the mount's debug/health.json."""
        self._last_health = await self.monitor.report()
        return self._last_health

    def summary(self, health: Health) -> str:
        """One line for a person: `serving 2,143 files of /project, version 57, 3 sessions, 1 problem`."""
        parts = health.components
        failed = [
            f"{name} ({getattr(parts, name).detail})"
            for name in parts.__struct_fields__
            if getattr(parts, name).status == "failed"
        ]
        if self.phase == "stopping":
            return "stopping"
        if failed:
            return f"failed: {'; '.join(failed)}"
        if self.shadow is None or health.status == "starting":
            return f"starting: capturing {self.settings.project_path}"
        seen = self.shadow.status()
        sessions, problems = len(self.sessions.active()), problem_count(seen)
        project = self.settings.project_path
        return (
            f"serving {_count(seen['files'], 'file')} of {project}, version {seen['version']}, "
            f"{_count(sessions, 'session')}, {_count(problems, 'problem')}"
        )

    async def _hand_on(self) -> None:
        """Experts came or went: what waits for them may be for others now."""
        if self.validations is not None:
            await self.validations.hand_on()
        if self.tasks is not None:
            await self.tasks.hand_on()

    async def _say_stopped(self) -> None:
        data = {"uptime_seconds": round(self.uptime_seconds, 3), "pid": os.getpid()}
        await self.store.append([Draft("bridge.stopped", data, STREAM)], agent_id=BRIDGE)

    def _agents(self) -> set[str]:
        """Who is about: heard of since the start, with a session that lives, or an expert."""
        experts = self.experts.all() if self.experts is not None else []
        found = {*self.presence.known, *(session.agent_id for session in self.sessions.active())}
        return found | {expert.agent_id for expert in experts}

    def _health_now(self) -> dict[str, object]:
        """For the mount, which renders it inside a kernel request and must not wait."""
        last = self._last_health
        report: dict[str, object] = {"status": "starting", "version": self.settings.version, "components": {}}
        if last is not None:
            report |= {"status": last.status, "components": msgspec.to_builtins(last.components)}
        return report

    def _register_figures(self) -> None:
        def of_shadow(name: str) -> Callable[[], float]:
            return lambda: float(self.shadow.status()[name]) if self.shadow is not None else 0.0

        gauge = self.metrics.gauge
        gauge("lighthouse_shadow_files", "Files captured in the current version", of_shadow("files"))
        gauge("lighthouse_shadow_bytes", "Bytes of the files captured", of_shadow("bytes"))
        gauge("lighthouse_shadow_version", "Sequence number of the current version", of_shadow("version"))
        gauge("lighthouse_subscribers", "Streams of events that are open", lambda: len(self.streams))
        self.metrics.counts(
            "lighthouse_mount_operations",
            "Requests of the kernel to the mount",
            "operation",
            lambda: self.mount.operations_count if self.mount is not None else {},
        )
        self.metrics.counts(
            "lighthouse_proposals_operations",
            "Requests of the kernel to the mount of the proposals",
            "operation",
            lambda: self.proposals_mount.operations_count if self.proposals_mount is not None else {},
        )
        self.metrics.counts(
            "lighthouse_verdicts",
            "Tool calls judged",
            "decision",
            lambda: self.validations.verdicts if self.validations is not None else {},
        )
        self.metrics.counts(
            "lighthouse_validations_resolved",
            "Requests that ended",
            "how",
            lambda: self.validations.resolutions if self.validations is not None else {},
        )
        gauge("lighthouse_validations_pending", "Requests that wait for an answer", self._pending)
        self.metrics.counts(
            "lighthouse_collaborations_ended",
            "Collaborations and pair sessions that ended",
            "how",
            lambda: self.collaborations.ends if self.collaborations is not None else {},
        )
        gauge("lighthouse_collaborations_open", "Collaborations and pair sessions", self._collaborations)
        self.metrics.counts(
            "lighthouse_elicitations_ended",
            "Questions that ended",
            "state",
            lambda: self.questions.ends if self.questions is not None else {},
        )
        gauge("lighthouse_elicitations_pending", "Questions that wait for an answer", self._questions)
        self.metrics.counts(
            "lighthouse_tasks_ended",
            "Tasks that ended",
            "state",
            lambda: self.tasks.ends if self.tasks is not None else {},
        )
        gauge("lighthouse_tasks_open", "Tasks that are pending or claimed", self._open_tasks)
        gauge("lighthouse_experts_alive", "Experts who are there", self._experts_alive)
        gauge("lighthouse_sockets", "Sockets of agents that are open", lambda: self.mail.sockets)
        gauge("lighthouse_leases_held", "Leases on paths in force", lambda: self._of_leases("held"))
        gauge("lighthouse_leases_waiting", "Leases that are waited for", lambda: self._of_leases("waiting"))
        self.metrics.counts(
            "lighthouse_leases_ended",
            "Leases that ended",
            "how",
            lambda: self.leases.ends if self.leases is not None else {},
        )
        gauge("lighthouse_messages_open", "Messages that somebody has to acknowledge", self._open_messages)
        gauge("lighthouse_messages_behind", "Events that the index has to look at", self._messages_behind)
        self.metrics.counts(
            "lighthouse_messages_sent",
            "Messages sent since the start",
            "to",
            lambda: self.messages.sent if self.messages is not None else {},
        )
        gauge("lighthouse_proposals_open", "Proposals that are open", self._open_proposals)
        self.store.add_listener(self.metrics.stored)

    def _pending(self) -> float:
        return float(len(self.validations.pending())) if self.validations is not None else 0.0

    def _collaborations(self) -> float:
        return float(len(self.collaborations.going_on())) if self.collaborations is not None else 0.0

    def _questions(self) -> float:
        return float(len(self.questions.pending())) if self.questions is not None else 0.0

    def _open_tasks(self) -> float:
        return float(self.tasks.open) if self.tasks is not None else 0.0

    def _experts_alive(self) -> float:
        return float(self.experts.alive) if self.experts is not None else 0.0

    def _of_leases(self, name: str) -> float:
        return float(self.leases.status()[name]) if self.leases is not None else 0.0

    def _open_messages(self) -> float:
        return float(self.messages.open) if self.messages is not None else 0.0

    def _messages_behind(self) -> float:
        return float(self.messages.behind) if self.messages is not None else 0.0

    def _open_proposals(self) -> float:
        known = self.proposals.all() if self.proposals is not None else []
        return float(sum(proposal.overlay is not None for proposal in known))


def problem_count(shadow_status: Mapping[str, Any]) -> int:
    """How many files could not be captured as they are."""
    return int(shadow_status.get("problems_total", len(shadow_status.get("problems", ()))))


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
