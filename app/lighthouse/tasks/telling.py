"""Who is told what of a task: over sockets by letters, and those who wait for work by being woken."""

from collections.abc import Iterator, Sequence

from lighthouse.casework import Clock, Waiters
from lighthouse.events import Event
from lighthouse.mailbox import Letter, Mail
from lighthouse.tasks.kept import Held, Kept
from lighthouse.tasks.task import OFFERED, RETURNED, Task, seconds

# There is work; it is not for you any more; it was taken from you; it has ended.
OFFER, WITHDRAWN, LOST, ENDED = "task.offered", "task.withdrawn", "task.lost", "task.ended"
# An end is told to who connects for so long.
TOLD_SECONDS = 3600.0


class Telling:
    """On one event loop."""

    def __init__(self, mail: Mail, kept: Kept, clock: Clock) -> None:
        self._mail = mail
        self._kept = kept
        self._clock = clock
        # Who looks for work.
        self._looking: dict[str, Waiters] = {}

    async def news(self, agent_id: str, wait_seconds: float) -> None:
        """Return when the agent is told of work, or the time is over."""
        looking = self._looking.setdefault(agent_id, Waiters())
        try:
            await looking.wait(wait_seconds)
        finally:
            if not len(looking):
                self._looking.pop(agent_id, None)

    def release(self) -> None:
        """Let go of all who wait."""
        for looking in self._looking.values():
            looking.release()

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        """What the agent may claim, and the ends that it does not know of."""
        for held in self._kept.all():
            if held.task.state == "pending" and agent_id in held.task.offered:
                yield _offer(held.task)
        since = self._clock() - TOLD_SECONDS
        for held in self._kept.ended():
            if agent_id in held.unseen and seconds(held.task.ended_at) > since:
                yield _end(held.task)

    def unseen_by(self, agent_id: str, letter: Letter) -> Held | None:
        """The task whose end this letter tells, if the agent did not know of it."""
        held = self._kept.get(letter.id) if letter.kind == ENDED else None
        return held if held is not None and agent_id in held.unseen else None

    def offer(self, task: Task, agents: Sequence[str]) -> None:
        """There is work for these."""
        for agent_id in agents:
            self._mail.send(agent_id, _offer(task))
            if (looking := self._looking.get(agent_id)) is not None:
                looking.wake()

    def happened(self, held: Held, event: Event, told: Sequence[str], holder: str) -> None:
        """This happened to a task that `told` could claim before, or that `holder` had."""
        task = held.task
        if task.state != "pending":
            notice = Letter(WITHDRAWN, task.id, event.seq, task)
            for agent_id in told:
                self._mail.withdraw(agent_id, OFFER, task.id, None if agent_id == task.holder else notice)
        if event.type == OFFERED:
            self.offer(task, event.value["to"])
        elif event.type == RETURNED:
            self._mail.send(holder, Letter(LOST, task.id, event.seq, task))
            self.offer(task, task.offered)
        elif task.ended:
            for agent_id in held.unseen:
                self._mail.send(agent_id, _end(task))

    def seen(self, agent_id: str, task: Task) -> None:
        """That the agent knows of the end is on disk."""
        self._mail.withdraw(agent_id, ENDED, task.id)


def _offer(task: Task) -> Letter:
    return Letter(OFFER, task.id, task.open_seq, task)


def _end(task: Task) -> Letter:
    return Letter(ENDED, task.id, task.changed_seq, task)
