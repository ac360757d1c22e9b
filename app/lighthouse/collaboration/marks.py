"""Which news agents acknowledged, written down beside what else happens, many at once where they are many."""

import logging

from lighthouse.casework import Work
from lighthouse.collaboration import journal
from lighthouse.collaboration.collaboration import DELIVERED
from lighthouse.errors import LighthouseError
from lighthouse.events import BRIDGE, EventStore

MAX_AT_ONCE = 500

log = logging.getLogger("lighthouse.collaboration")


class Marks:
    """One append at a time. What cannot be stored is let go: the news comes again after a restart."""

    def __init__(self, store: EventStore, work: Work) -> None:
        self._store = store
        self._work = work
        self._waiting: dict[tuple[str, str], int] = {}
        self._writing = False

    def note(self, session_id: str, agent_id: str, seq: int) -> None:
        """The agent took all news of the session up to event `seq`."""
        self._waiting[session_id, agent_id] = seq
        if not self._writing:
            self._writing = True
            self._work.spawn(self._write())

    async def _write(self) -> None:
        try:
            while self._waiting:
                keys = list(self._waiting)[:MAX_AT_ONCE]
                marks = [(key, self._waiting.pop(key)) for key in keys]
                drafts = [
                    journal.draft(DELIVERED, {"id": session_id, "to": agent_id, "up_to": seq})
                    for (session_id, agent_id), seq in marks
                ]
                await self._store.append(drafts, agent_id=BRIDGE)
        except LighthouseError as error:
            self._waiting.clear()
            log.warning("what agents acknowledged could not be noted: %s", error)
        finally:
            self._writing = False
