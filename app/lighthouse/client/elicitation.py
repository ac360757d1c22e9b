"""Questions between agents: asking one and having its answer, and answering."""

import asyncio
import time
import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from lighthouse.client.answers_elicitation import Question, QuestionPage
from lighthouse.client.asking import Asking, given
from lighthouse.client.connecting import FIRST_WAIT, LONGEST_WAIT, OnAway
from lighthouse.client.errors import BridgeAway, Refused

# One request waits for so long; the next goes on.
WAIT_SECONDS = 60.0
# So long after a question's time a bridge that is away is still waited for.
AWAY_SECONDS = 30.0


class Elicitation(Asking):
    """Questions between agents."""

    async def elicit(
        self,
        to: str,
        message: str,
        schema: Mapping[str, Any],
        *,
        timeout_seconds: int = 300,
        idempotency_key: str | None = None,
        on_away: OnAway | None = None,
    ) -> Question:
        """Ask another agent, and wait until it has answered or the question's time is over.

        Waits through restarts of the bridge (`on_away` is told once for each): by the key, one's own or a
        fresh one, it is the same question again. With a key of its own a program that was started anew has
        the answer, too. Who stops waiting leaves the question to its time. Raises Refused, and BridgeAway
        when the bridge is gone for longer than the question waits.
        """
        key = idempotency_key or f"elicit-{uuid.uuid4()}"
        end = time.monotonic() + timeout_seconds + AWAY_SECONDS
        pause, told = FIRST_WAIT, False
        while True:
            try:
                question = await self.ask_question(
                    to,
                    message,
                    schema,
                    timeout_seconds=timeout_seconds,
                    idempotency_key=key,
                    wait_seconds=min(WAIT_SECONDS, timeout_seconds + 1.0),
                )
            except (BridgeAway, Refused) as error:
                if isinstance(error, Refused) and error.status not in (429, 503):
                    raise
                if time.monotonic() + pause > end:
                    raise
                if on_away is not None and not told:
                    on_away(error)
                told = True
                await asyncio.sleep(pause)
                pause = min(pause * 2, LONGEST_WAIT)
                continue
            if question.state != "pending":
                return question
            pause, told = FIRST_WAIT, False

    async def ask_question(
        self,
        to: str,
        message: str,
        schema: Mapping[str, Any],
        *,
        timeout_seconds: int = 300,
        idempotency_key: str | None = None,
        wait_seconds: float = 0.0,
    ) -> Question:
        """Ask another agent; on return the question is on disk. Its end is waited for as long as asked.

        The same again under the same key is the same question, whatever became of it.
        """
        body = {
            "to": to,
            "message": message,
            "schema": dict(schema),
            "timeout_seconds": timeout_seconds,
            "idempotency_key": idempotency_key,
            "wait_seconds": wait_seconds or None,
        }
        answer = await self._ask(
            "POST",
            "/elicitation/create",
            body=given(body),
            repeatable=idempotency_key is not None,
            wait_seconds=wait_seconds,
        )
        return self._transport.decode(answer, Question)

    async def question(self, question_id: str, *, wait_seconds: float = 0.0) -> Question:
        """What became of a question, after waiting for its end as long as asked."""
        answer = await self._ask(
            "GET",
            f"/elicitation/status/{quote(question_id, safe='')}",
            query={"wait_seconds": str(wait_seconds)} if wait_seconds else None,
            repeatable=True,
            wait_seconds=wait_seconds,
        )
        return self._transport.decode(answer, Question)

    async def questions(
        self, *, limit: int = 50, cursor: str | None = None, wait_seconds: float = 0.0
    ) -> QuestionPage:
        """The questions that wait for this agent; while there is none, it is waited as long as asked."""
        query = given(
            {
                "limit": str(limit),
                "cursor": cursor,
                "wait_seconds": str(wait_seconds) if wait_seconds else None,
            }
        )
        answer = await self._ask(
            "GET", "/elicitation/pending", query=query, repeatable=True, wait_seconds=wait_seconds
        )
        return self._transport.decode(answer, QuestionPage)

    async def respond(self, question_id: str, content: Any) -> Question:
        """Answer a question; on return it is on disk. Refused (422) tells where the content does not fit."""
        return await self._respond({"id": question_id, "action": "accept", "content": content})

    async def decline(self, question_id: str, reason: str = "") -> Question:
        """Say that there will be no answer, and why."""
        return await self._respond({"id": question_id, "action": "decline", "reason": reason})

    async def _respond(self, body: Mapping[str, Any]) -> Question:
        answer = await self._ask("POST", "/elicitation/respond", body=body)
        return self._transport.decode(answer, Question)
