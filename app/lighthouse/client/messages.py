"""Messages between agents: sending, finding, acknowledging; `letters("message")` hears of new ones."""

import uuid
from urllib.parse import quote

from lighthouse.client.answers_messages import Message, MessagePage, Receipt, SentMessage, ThreadPage
from lighthouse.client.asking import Asking, given


class Messages(Asking):
    """Messages between agents."""

    async def send_message(
        self,
        body: str,
        *,
        to: str | None = None,
        thread: str | None = None,
        subject: str = "",
        idempotency_key: str | None = None,
    ) -> SentMessage:
        """Say something to an agent, to everybody (`to="*"`), or to all of a thread; on return it is on disk.

        It is sent once, also when the connection breaks before the answer and it is asked for again.
        """
        said = {
            "body": body,
            "to": to,
            "thread": thread,
            "subject": subject or None,
            "idempotency_key": idempotency_key or uuid.uuid4().hex,
        }
        answer = await self._ask("POST", "/message/send", body=given(said), repeatable=True)
        return self._transport.decode(answer, SentMessage)

    async def messages(
        self,
        q: str | None = None,
        *,
        thread: str | None = None,
        agent_id: str | None = None,
        to: str | None = None,
        limit: int = 20,
        cursor: str | None = None,
    ) -> MessagePage:
        """Messages that match all that is given, the latest first, those of a thread in their order.

        `q` are words in subject or body, `agent_id` is the sender. Look at `complete` before you believe that
        there is nothing.
        """
        query = given(
            {
                "q": q,
                "thread": thread,
                "agent_id": agent_id,
                "to": to,
                "limit": str(limit),
                "cursor": cursor,
            }
        )
        answer = await self._ask("GET", "/messages", query=query, repeatable=True)
        return self._transport.decode(answer, MessagePage)

    async def unread_messages(
        self, *, wait_seconds: float = 0.0, limit: int = 20, cursor: str | None = None
    ) -> MessagePage:
        """What this agent did not acknowledge, the oldest first; while there is none, wait for one."""
        query = given(
            {
                "unread": "true",
                "limit": str(limit),
                "cursor": cursor,
                "wait_seconds": str(wait_seconds) if wait_seconds else None,
            }
        )
        answer = await self._ask("GET", "/messages", query=query, repeatable=True, wait_seconds=wait_seconds)
        return self._transport.decode(answer, MessagePage)

    async def message(self, message_id: str) -> Message:
        """One message, and who acknowledged it."""
        where = f"/messages/{quote(message_id, safe='')}"
        return self._transport.decode(await self._ask("GET", where, repeatable=True), Message)

    async def acknowledge_message(self, message_id: str) -> Receipt:
        """Say that this agent has the message: it does not come again. On return that is on disk."""
        where = f"/message/{quote(message_id, safe='')}/ack"
        return self._transport.decode(await self._ask("POST", where, repeatable=True), Receipt)

    async def threads(
        self, agent_id: str | None = None, *, limit: int = 20, cursor: str | None = None
    ) -> ThreadPage:
        """Threads, of all or those that one agent is in, the one with the latest message first."""
        query = given({"agent_id": agent_id, "limit": str(limit), "cursor": cursor})
        answer = await self._ask("GET", "/threads", query=query, repeatable=True)
        return self._transport.decode(answer, ThreadPage)
