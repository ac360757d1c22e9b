"""How each expert has done, from the events of the requests it was asked."""

from collections import Counter

import msgspec

from lighthouse.events import Event

REQUESTED = "validation.requested"
HANDED_ON = "validation.handed_on"
ANSWERED = "validation.answered"
RESOLVED = "validation.resolved"


class _Said(msgspec.Struct):
    """The fields of those events that matter here."""

    id: str = ""
    asked: list[str] = []
    waited_seconds: float = 0.0


class Record:
    """Requests answered, and requests let pass, by expert.

    A request that others decided before the experts' time was over counts neither way.
    """

    def __init__(self, expert_seconds: float) -> None:
        self.answered = Counter[str]()
        self.missed = Counter[str]()
        self._expert_seconds = expert_seconds
        self._open: dict[str, set[str]] = {}

    def apply(self, event: Event) -> None:
        """Take up an event of the stream `validations`."""
        if event.type not in (REQUESTED, HANDED_ON, ANSWERED, RESOLVED):
            return
        said = msgspec.json.decode(event.data, type=_Said)
        if event.type in (REQUESTED, HANDED_ON):
            self._open.setdefault(said.id or f"v{event.seq}", set()).update(said.asked)
        elif event.type == ANSWERED:
            if event.agent_id in self._open.get(said.id, ()):
                self._open[said.id].remove(event.agent_id)
                self.answered[event.agent_id] += 1
        else:
            silent = self._open.pop(said.id, set())
            if said.waited_seconds >= self._expert_seconds:
                self.missed.update(silent)

    def success(self, agent_id: str) -> float:
        """The share of its requests that it answered; who was not asked yet gets the benefit."""
        answered, missed = self.answered[agent_id], self.missed[agent_id]
        return (answered + 1) / (answered + missed + 1)
