"""What a caller asks to be stored together, and the way its answer takes back to the caller."""

import asyncio
import contextlib
from collections.abc import Sequence
from concurrent.futures import Future

from lighthouse.events.event import Checked, Event

Outcome = list[Event] | Exception
Answers = list[tuple["Request", Outcome]]


class Request:
    """Drafts of one agent, stored together or not at all. `loop` is None for a caller that blocks."""

    __slots__ = ("agent_id", "drafts", "future", "loop", "size")

    def __init__(
        self,
        drafts: Sequence[Checked],
        agent_id: str,
        future: "asyncio.Future[list[Event]] | Future[list[Event]]",
        loop: asyncio.AbstractEventLoop | None,
    ) -> None:
        self.drafts = drafts
        self.agent_id = agent_id
        self.future = future
        self.loop = loop
        self.size = sum(len(draft.data) for draft in drafts)


def answer(answers: Answers) -> None:
    """Hand the outcomes out from the writer's thread, one wake-up per event loop."""
    by_loop: dict[asyncio.AbstractEventLoop | None, Answers] = {}
    for request, outcome in answers:
        by_loop.setdefault(request.loop, []).append((request, outcome))
    for loop, part in by_loop.items():
        if loop is None:
            _settle(part)
        else:
            with contextlib.suppress(RuntimeError):  # the loop was closed: nobody waits any more
                loop.call_soon_threadsafe(_settle, part)


def _settle(answers: Answers) -> None:
    for request, outcome in answers:
        if request.future.done():  # its caller was cancelled meanwhile
            continue
        if isinstance(outcome, Exception):
            request.future.set_exception(outcome)
        else:
            request.future.set_result(outcome)
