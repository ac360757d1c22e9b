"""The bridge as an async Python object: one method for each route."""

import uuid
from collections.abc import AsyncGenerator, Awaitable, Mapping, Sequence
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from lighthouse import paths
from lighthouse.client.answers import (
    Event,
    EventPage,
    Health,
    Identity,
    NewEvent,
    Revoked,
    SessionToken,
    Shadowed,
    Status,
    StoredEvent,
)
from lighthouse.client.credentials import Credentials
from lighthouse.client.environment import bridge_url
from lighthouse.client.errors import BridgeAway, Refused
from lighthouse.client.following import OnAway, follow
from lighthouse.client.reading import shadowed
from lighthouse.client.transport import Answer, Transport


class Client:
    """A client of the bridge at `base_url` that speaks as the agent of `token`.

    Every method raises BridgeAway while the bridge is gone and works again by itself afterwards; Refused when
    the bridge says no; NotABridge when something else answers. `session_seconds` is the life of the session
    the agent token is exchanged for; None shows the token itself on each request, which suits one question.
    """

    def __init__(
        self,
        base_url: str,
        token: str | None = None,
        *,
        session_seconds: int | None = 3600,
        timeout_seconds: float = 30.0,
    ) -> None:
        self._transport = Transport(bridge_url({}, base_url), timeout_seconds)
        self._credentials = Credentials(self._transport, token, session_seconds)

    @property
    def base_url(self) -> str:
        """The bridge's address."""
        return self._transport.base_url

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """End the session, as far as the bridge is there, and close the connections."""
        try:
            await self._credentials.end()
        except BridgeAway:
            pass  # A session whose bridge is away ends by its own time.
        finally:
            await self._transport.close()

    async def health(self) -> Health:
        """Whether the bridge keeps its promises; that it fails is an answer, not an error. Needs no token."""
        answer = await self._transport.request("GET", "/health", accept=frozenset({503}), repeatable=True)
        return self._transport.decode(answer, Health)

    async def status(self) -> Status:
        """How the bridge, the log, the shadow and the mount are."""
        return self._transport.decode(await self._ask("GET", "/status", repeatable=True), Status)

    async def create_session(
        self, ttl_seconds: int | None = None, *, agent_id: str | None = None
    ) -> SessionToken:
        """A session token for somebody who shall speak as this agent for a while.

        `agent_id`, where given, has to be the token's own: the bridge refuses (403) any other.
        """
        return await self._credentials.create(ttl_seconds, agent_id)

    async def validate_session(self, token: str | None = None) -> Identity:
        """Whom `token` (None: the client's own session) speaks for, and until when."""
        body = {} if token is None else {"token": token}
        return self._transport.decode(
            await self._ask("POST", "/session/validate", body=body, repeatable=True), Identity
        )

    async def revoke_session(
        self, token: str | None = None, *, token_id: str | None = None, reason: str = ""
    ) -> Revoked:
        """Make a token worthless, named by itself or by its id."""
        body = {"token": token, "token_id": token_id, "reason": reason}
        answer = await self._ask("POST", "/session/revoke", body=_given(body), repeatable=True)
        return self._transport.decode(answer, Revoked)

    async def store_event(self, event: NewEvent, *, agent_id: str | None = None) -> StoredEvent:
        """Append one event; on return it is on disk.

        It is stored once, also when the connection breaks before the answer and it is sent again: an event
        without an idempotency key is given one. `agent_id`, where given, has to be the token's own.
        """
        body = _given({**_draft(event), "agent_id": agent_id})
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
        given = _given(
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
        query = {name: str(value) for name, value in given.items()}
        return self._transport.decode(
            await self._ask("GET", "/event/query", query=query, repeatable=True), EventPage
        )

    def stream_events(
        self, from_seq: int = 1, *, reconnect: bool = True, on_away: OnAway | None = None
    ) -> AsyncGenerator[Event, None]:
        """Every event from `from_seq` on, then live, each once and in order; see `following.follow`."""
        return follow(self._transport, self._credentials, from_seq, reconnect=reconnect, on_away=on_away)

    async def read(
        self, path: str | bytes, *, at: int | None = None, offset: int = 0, size: int | None = None
    ) -> Shadowed:
        """What the shadow holds at `path`, beneath the project's root; of a file, `size` bytes from `offset`.

        `at` is a sequence number; without it the present is read. Raises BadPath before the bridge is asked.
        """
        names = paths.parse(path)
        where = "/shadow/read/" + "/".join(quote(name, safe="") for name in names)
        headers = {} if offset == 0 and size is None else {"Range": _range(offset, size)}
        answer = await self._ask(
            "GET",
            where,
            query={} if at is None else {"at": str(at)},
            headers=headers,
            repeatable=True,
            accept=frozenset({416}),
        )
        return shadowed(self._transport, answer, names, offset)

    async def _ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        repeatable: bool = False,
        accept: frozenset[int] = frozenset(),
    ) -> Answer:
        """A request with the session's token; a session the bridge no longer takes is renewed once."""

        def send(token: str | None) -> Awaitable[Answer]:
            return self._transport.request(
                method,
                path,
                token=token,
                query=query,
                body=body,
                headers=headers,
                repeatable=repeatable,
                accept=accept,
            )

        token = await self._credentials.current()
        try:
            return await send(token)
        except Refused as refusal:
            if refusal.status != 401 or not self._credentials.reject(token):
                raise
        return await send(await self._credentials.current())


def _draft(event: NewEvent) -> dict[str, Any]:
    return _given(
        {
            "type": event.type,
            "data": event.data,
            "stream": event.stream,
            "idempotency_key": event.idempotency_key or uuid.uuid4().hex,
            "expected_seq": event.expected_seq,
        }
    )


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if value is not None}


def _range(offset: int, size: int | None) -> str:
    return f"bytes={offset}-" if size is None else f"bytes={offset}-{offset + max(size, 1) - 1}"
