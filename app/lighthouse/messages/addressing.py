"""For whom a message is: settled when it is sent, and within what may wait for everyone of them."""

from collections.abc import Callable, Iterable

from lighthouse.events import BRIDGE, EventStore
from lighthouse.messages import journal
from lighthouse.messages.errors import MailboxFull, NobodyThere
from lighthouse.messages.message import EVERYBODY
from lighthouse.messages.outstanding import Outstanding

MAX_RECIPIENTS = 500


class Addressing:
    """`known` gives the agents that are about; besides, those are that wrote or acknowledged something."""

    def __init__(
        self, store: EventStore, outstanding: Outstanding, known: Callable[[], Iterable[str]]
    ) -> None:
        self._store = store
        self._outstanding = outstanding
        self._known = known
        self._writers: set[str] = set()
        # Of whom something is known, as it was found out.
        self._met: set[str] = set()

    def heard(self, agent_id: str) -> None:
        """It wrote or acknowledged something."""
        self._writers.add(agent_id)

    def recipients(self, agent_id: str, to: str | None, parties: set[str]) -> tuple[list[str], list[str]]:
        """Whom a message is for, and who is left out as too much waits there; without `to` those `parties`.

        Raises MailboxFull, NobodyThere.
        """
        if (why := self._outstanding.why_full(agent_id)) is not None:
            raise MailboxFull(why, "send more when some are")
        if to is not None and to != EVERYBODY:
            if self._outstanding.full(to):
                raise MailboxFull(
                    f"{len(self._outstanding.of(to))} messages wait for {to} already",
                    "nobody seems to read them: ask who runs it",
                )
            return [to], []
        found = self._about() if to == EVERYBODY else parties
        wanted = sorted(found - {agent_id, BRIDGE})
        if not wanted:
            raise NobodyThere("nobody else is known yet", "name the agent it is for")
        left_out = [one for one in wanted if self._outstanding.full(one)]
        chosen = [one for one in wanted if one not in left_out]
        if not chosen or len(chosen) > MAX_RECIPIENTS:
            raise MailboxFull(
                f"it would be for {len(chosen)} agents, and {len(left_out)} have full mailboxes",
                f"send it to 1 to {MAX_RECIPIENTS}",
            )
        return chosen, left_out

    async def unseen(self, to: str | None) -> list[str]:
        """Whom it was named for, if neither this run nor the log knows anything of them."""
        if to is None or to == EVERYBODY or to in self._met:
            return []
        if to not in self._about() and not await journal.seen(self._store, to):
            return [to]
        self._met.add(to)
        return []

    def _about(self) -> set[str]:
        return {*self._known(), *self._writers}
