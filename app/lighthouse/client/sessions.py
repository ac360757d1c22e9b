"""Session tokens."""

from lighthouse.client.answers import Identity, Revoked, SessionToken
from lighthouse.client.asking import Asking, given


class Sessions(Asking):
    """Making, judging and ending session tokens."""

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
        answer = await self._ask("POST", "/session/revoke", body=given(body), repeatable=True)
        return self._transport.decode(answer, Revoked)
