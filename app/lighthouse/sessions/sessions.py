"""The sessions of a running bridge: made and ended by events, so that a restart forgets nothing."""

import hashlib
import secrets
import time
from collections import OrderedDict
from datetime import UTC, datetime, timedelta
from typing import Literal

from lighthouse.errors import LighthouseError
from lighthouse.events import Draft, EventStore, Query, events_of
from lighthouse.keys import KeyRing
from lighthouse.sessions.roles import Role, allows
from lighthouse.sessions.tokens import BadToken, Identity, new_token_id, read, sign

STREAM = "sessions"
CREATED = "session.created"
REVOKED = "session.revoked"
MAX_SESSION_SECONDS = 24 * 3600
_CACHE_SIZE = 1024


class NotAllowed(LighthouseError):
    """The caller is known, and may not do this (HTTP 403)."""


class Sessions:
    """Authenticates tokens, makes session tokens and revokes either kind."""

    def __init__(self, store: EventStore, keyring: KeyRing) -> None:
        self._store = store
        self._keyring = keyring
        self._active: dict[str, Identity] = {}
        self._revoked: dict[str, int] = {}
        # Verified tokens by keyed digest: the signature is checked once, expiry and revocation each time,
        # and how long a look-up takes tells nothing of the tokens kept.
        self._cache: OrderedDict[bytes, Identity] = OrderedDict()
        self._cache_key = secrets.token_bytes(32)

    async def load(self) -> None:
        """Read from the log what was revoked, and which sessions may still be alive."""
        earliest = datetime.now(UTC) - timedelta(seconds=MAX_SESSION_SECONDS)
        async for event in events_of(self._store, Query(type=REVOKED, stream=STREAM, limit=1000)):
            self._revoked.setdefault(event.value["token_id"], event.seq)
        since = earliest.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        query = Query(type=CREATED, stream=STREAM, since=since, limit=1000)
        async for event in events_of(self._store, query):
            said = event.value
            identity = Identity(
                event.agent_id,
                Role(said["role"]),
                said["token_id"],
                said.get("kind", "session"),
                said["expires_at"],
                said["parent"],
            )
            self._active[identity.token_id] = identity

    def authenticate(self, token: str) -> Identity:
        """Whose token this is. Raises BadToken unless it is ours, in its time and not revoked."""
        digest = hashlib.blake2b(
            token.encode("utf-8", "replace"), key=self._cache_key, digest_size=32
        ).digest()
        identity = self._cache.get(digest)
        if identity is None:
            identity = read(self._keyring, token)
            self._cache[digest] = identity
            if len(self._cache) > _CACHE_SIZE:
                self._cache.popitem(last=False)
        self.check(identity)
        return identity

    def check(self, identity: Identity) -> None:
        """Raise BadToken once an identity that was believed has run out or was revoked."""
        if identity.expires_at <= time.time():
            raise BadToken("expired")
        if identity.token_id in self._revoked:
            raise BadToken(f"revoked by event {self._revoked[identity.token_id]}")
        if identity.parent in self._revoked:
            raise BadToken(f"its agent token was revoked by event {self._revoked[identity.parent]}")

    async def create(
        self, identity: Identity, ttl_seconds: float = 3600, kind: Literal["session", "console"] = "session"
    ) -> tuple[str, Identity]:
        """A session token for the agent, which lives no longer than its agent token; an event says so.

        Raises NotAllowed when asked with a session token: those do not renew themselves.
        """
        if identity.kind != "agent":
            raise NotAllowed("a session token makes no sessions", "ask with the agent's own token")
        lifetime = min(ttl_seconds, MAX_SESSION_SECONDS)
        expires_at = float(int(min(time.time() + lifetime, identity.expires_at)))
        session = Identity(
            identity.agent_id, identity.role, new_token_id(), kind, expires_at, identity.token_id
        )
        data = {
            "token_id": session.token_id,
            "kind": kind,
            "parent": identity.token_id,
            "role": session.role.value,
            "expires_at": expires_at,
        }
        await self._store.append([Draft(CREATED, data, STREAM)], agent_id=identity.agent_id)
        self._active[session.token_id] = session
        return sign(self._keyring, session), session

    def named(self, token: str) -> Identity:
        """Whom a token names, expired or revoked or not: for revoking. Raises BadToken if it is not ours."""
        return read(self._keyring, token, allow_expired=True)

    async def revoke(
        self, by: Identity, *, target: Identity | None = None, token_id: str | None = None, reason: str = ""
    ) -> int:
        """End a token, and with an agent token all sessions made from it; the sequence number of the event.

        Everyone may end their own; others' only who may `session.revoke_any`, else NotAllowed.
        """
        target = target or self._known(token_id, by)
        token_id = target.token_id if target else token_id
        if token_id is None:
            raise LighthouseError("nothing is named that could be revoked", "name a token or its id")
        if (target is None or target.agent_id != by.agent_id) and not allows(by.role, "session.revoke_any"):
            raise NotAllowed("this token is not yours", "ask an operator to revoke it")
        if token_id in self._revoked:
            return self._revoked[token_id]
        data = {"token_id": token_id, "agent_id": target.agent_id if target else None, "reason": reason}
        [event] = await self._store.append([Draft(REVOKED, data, STREAM)], agent_id=by.agent_id)
        return self._revoked.setdefault(token_id, event.seq)

    def active(self) -> list[Identity]:
        """The sessions that are alive now, the oldest first."""
        now = time.time()
        for token_id, identity in list(self._active.items()):
            if identity.expires_at <= now or {token_id, identity.parent} & self._revoked.keys():
                del self._active[token_id]
        return list(self._active.values())

    def _known(self, token_id: str | None, by: Identity) -> Identity | None:
        if token_id in (by.token_id, by.parent):
            kind = "agent" if token_id == by.parent else by.kind
            return Identity(by.agent_id, by.role, str(token_id), kind, by.expires_at)
        return self._active.get(token_id or "")
