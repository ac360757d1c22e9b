"""The log of events: storing, searching, following."""

import uuid
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from lighthouse.client.answers import Event, EventPage, NewEvent, StoredEvent
from lighthouse.client.asking import Asking, given
from lighthouse.client.connecting import OnAway
from lighthouse.client.following import follow


class Log(Asking):
    """The log of events."""

    async def store_event(self, event: NewEvent, *, agent_id: str | None = None) -> StoredEvent:
        """Append one event; on return it is on disk.

        It is stored once, also when the connection breaks before the answer and it is sent again: an event
        without an idempotency key is given one. `agent_id`, where given, has to be the token's own.
        """
        body = given({**_draft(event), "agent_id": agent_id})
        answer = await self._ask("POST", "/event/store", body=body, repeatable=True)
        return self._transport.decode(answer, StoredEvent)

    async def store_events(self, events: Sequence[NewEvent]) -> list[StoredEvent]:
        """Append several events, all or none; otherwise as `store_event`."""
        body = {"events": [_draft(event) for event in events]}
        answer = await self._ask("POST", "/event/store", body=body, repeatable=True)
        return self._transport.decode(answer, list[StoredEvent])

    async def query_events(
        self,
        *,
        type: str | None = None,
        stream: str | None = None,
        agent_id: str | None = None,
        from_seq: int | None = None,
        to_seq: int | None = None,
        since: str | None = None,
        until: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> EventPage:
        """Events that match all that is given, oldest first; `type` may end in `.*`, times are RFC 3339."""
        wanted = given(
            {
                "type": type,
                "stream": stream,
                "agent_id": agent_id,
                "from_seq": from_seq,
                "to_seq": to_seq,
                "since": since,
                "until": until,
                "limit": limit,
                "cursor": cursor,
            }
        )
        query = {name: str(value) for name, value in wanted.items()}
        return self._transport.decode(
            await self._ask("GET", "/event/query", query=query, repeatable=True), EventPage
        )

    def stream_events(
        self, from_seq: int = 1, *, reconnect: bool = True, on_away: OnAway | None = None
    ) -> AsyncGenerator[Event, None]:
        """Every event from `from_seq` on, then live, each once and in order; see `following.follow`."""
        return follow(self._transport, self._credentials, from_seq, reconnect=reconnect, on_away=on_away)


def _draft(event: NewEvent) -> dict[str, Any]:
    return given(
        {
            "type": event.type,
            "data": event.data,
            "stream": event.stream,
            "idempotency_key": event.idempotency_key or uuid.uuid4().hex,
            "expected_seq": event.expected_seq,
        }
    )
