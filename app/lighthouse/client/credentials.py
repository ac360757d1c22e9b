"""The client's own session: an agent token is exchanged for a short session token, renewed before it ends."""

import asyncio
import base64
import binascii
import time

import msgspec

from lighthouse.client.answers import SessionToken
from lighthouse.client.errors import Refused
from lighthouse.client.transport import Transport

RENEW_AT = 0.8
"""The share of a session's life after which the next request renews it."""


class Credentials:
    """Gives each request a token that counts.

    With `session_seconds` None, or with a token that is a session's already, the token is shown as it is.
    """

    def __init__(self, transport: Transport, token: str | None, session_seconds: int | None) -> None:
        self._transport = transport
        self._token = token
        self._session_seconds = None if token is None or _is_session(token) else session_seconds
        self._session: SessionToken | None = None
        self._renew_at = 0.0
        self._exchange = asyncio.Lock()

    async def current(self) -> str | None:
        """The token for the next request; opens or renews the session first where that is due."""
        if self._session_seconds is None:
            return self._token
        async with self._exchange:
            if self._session is None or time.monotonic() >= self._renew_at:
                self._adopt(await self.create(self._session_seconds))
            assert self._session is not None  # noqa: S101 - just adopted
            return self._session.token

    async def create(self, ttl_seconds: int | None, agent_id: str | None = None) -> SessionToken:
        """A new session of the agent token, apart from the client's own."""
        wanted = {"ttl_seconds": ttl_seconds, "agent_id": agent_id}
        answer = await self._transport.request(
            "POST",
            "/session/create",
            token=self._token,
            body={name: value for name, value in wanted.items() if value is not None},
        )
        return self._transport.decode(answer, SessionToken)

    def reject(self, token: str | None) -> bool:
        """Told that the bridge no longer takes `token`: true when a fresh one is worth a try."""
        if self._session_seconds is None or token == self._token:
            return False
        if self._session is not None and self._session.token == token:
            self._session = None
        return True

    async def end(self) -> None:
        """Revoke the client's own session, so that its token is worth nothing once the client is gone."""
        session, self._session = self._session, None
        if session is not None:
            try:
                await self._transport.request("POST", "/session/revoke", token=session.token, body={})
            except Refused:
                return

    def _adopt(self, session: SessionToken) -> None:
        self._session = session
        # Measured on this machine's own clock, for the bridge's may differ.
        self._renew_at = time.monotonic() + session.expires_in * RENEW_AT


class _Claims(msgspec.Struct):
    typ: str = ""


def _is_session(token: str) -> bool:
    """Whether the token says of itself that it is a session's. This only saves a refusal."""
    part = token.split(".")[1:2]
    try:
        raw = base64.urlsafe_b64decode(part[0] + "=" * (-len(part[0]) % 4))
        return msgspec.json.decode(raw, type=_Claims).typ == "session"
    except (IndexError, binascii.Error, ValueError, msgspec.MsgspecError):
        return False
