"""The tasks that are open, the last that ended, and how much of them each agent has to carry."""

from collections import defaultdict

from lighthouse.casework import Case, Ended
from lighthouse.events import Event
from lighthouse.tasks.errors import TooManyTasks
from lighthouse.tasks.task import CLAIMED, DISPATCHED, SEEN, Task, from_event

MAX_OPEN = 2048
MAX_OPEN_OF_ONE = 256
MAX_OPEN_BYTES = 32 * 1024 * 1024
KEPT_ENDED = 1000
KEPT_ENDED_BYTES = 16 * 1024 * 1024


class Held(Case):
    """A task in memory. `unseen` are those who have to be told of its end."""

    def __init__(self, event: Event) -> None:
        super().__init__()
        said = event.value
        self.task = from_event(event)
        self.size = len(event.data)
        self.key: str | None = said.get("idempotency_key")
        self.claim_key: str | None = None
        # Its holder is a person, of whom nobody hears between two commands.
        self.stays = False
        self.unseen: set[str] = set()


class Kept:
    """On one event loop."""

    def __init__(self) -> None:
        self._open: dict[str, Held] = {}
        self._open_bytes = 0
        self._ended = Ended[Held](KEPT_ENDED, KEPT_ENDED_BYTES)
        self._carried: defaultdict[str, set[str]] = defaultdict(set)

    def __len__(self) -> int:
        return len(self._open)

    def all(self) -> list[Held]:
        """Those that are open, the oldest first."""
        return list(self._open.values())

    def ended(self) -> list[Held]:
        """The last ones that ended, the latest first."""
        return self._ended.latest_first()

    def get(self, task_id: str) -> Held | None:
        """The task of that id, open or ended not long ago."""
        return self._open.get(task_id) or self._ended.get(task_id)

    def load(self, agent_id: str) -> int:
        """How many tasks the agent has, or was told of while nobody has them."""
        return len(self._carried.get(agent_id, ()))

    def add(self, event: Event) -> Held:
        """A task was dispatched."""
        held = Held(event)
        self._open[held.task.id] = held
        self._open_bytes += held.size
        self._carry(held.task)
        return held

    def apply(self, held: Held, event: Event) -> None:
        """Something happened to it."""
        task = held.task
        if event.type == SEEN:
            held.unseen.discard(event.agent_id)
        if task.ended or event.seq <= task.changed_seq:
            return
        for agent_id in task.carriers:
            self._carried[agent_id].discard(task.id)
            if not self._carried[agent_id]:
                del self._carried[agent_id]
        task.take(event)
        if event.type == CLAIMED:
            said = event.value
            held.claim_key, held.stays = said.get("idempotency_key"), said.get("stays", False)
        if task.ended:
            held.unseen = {task.agent_id, task.holder} - {event.agent_id, ""}
            del self._open[task.id]
            self._open_bytes -= held.size
            self._ended.add(task.id, held, held.size + len(event.data))
        self._carry(task)

    def restore(self, event: Event) -> None:
        """Take up an event of the log, all of them in their order."""
        if event.type == DISPATCHED:
            self.add(event)
        elif (held := self.get(event.value["id"])) is not None:
            self.apply(held, event)

    def check_room(self, agent_id: str, key: str | None, coming: int, coming_of_one: int) -> None:
        """Raise TooManyTasks where the agent may not dispatch another, unless it did so under this key."""
        own = [held for held in self._open.values() if held.task.agent_id == agent_id]
        if key is not None and any(held.key == key for held in own):
            return
        if len(self._open) + coming >= MAX_OPEN or self._open_bytes >= MAX_OPEN_BYTES:
            raise TooManyTasks(
                f"as many tasks are open as may be ({MAX_OPEN}, or {MAX_OPEN_BYTES >> 20} MiB)",
                "dispatch when some have ended",
            )
        if len(own) + coming_of_one >= MAX_OPEN_OF_ONE:
            raise TooManyTasks(
                f"{MAX_OPEN_OF_ONE} tasks of yours are open already", "wait for some of them, or cancel them"
            )

    def _carry(self, task: Task) -> None:
        for agent_id in task.carriers:
            self._carried[agent_id].add(task.id)
