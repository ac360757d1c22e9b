"""Leases: paths of the project that one agent alone may change for a time."""

from collections.abc import Sequence
from urllib.parse import quote

from lighthouse.client.answers_leases import Lease, LeasePage
from lighthouse.client.asking import Asking, given


class Leases(Asking):
    """Leases on paths."""

    async def take_lease(
        self,
        paths: Sequence[str],
        *,
        seconds: int = 900,
        reason: str = "",
        wait_seconds: float = 0.0,
        stays: bool = False,
        idempotency_key: str | None = None,
    ) -> Lease:
        """Take all of the paths, or none; refused (409) with who holds one, after waiting as long as asked.

        Paths count from the project's root, a folder with all in it; globs as in `.gitignore`. Other agents'
        calls that would change them are denied until it ends: by its time, by `release_lease`, or a minute
        and a half after the holder was last heard of. `stays` (operators) lets it last without its holder.
        """
        body = {
            "paths": list(paths),
            "seconds": seconds,
            "reason": reason or None,
            "wait_seconds": wait_seconds or None,
            "stays": stays or None,
            "idempotency_key": idempotency_key,
        }
        answer = await self._ask(
            "POST",
            "/lease/take",
            body=given(body),
            repeatable=idempotency_key is not None,
            wait_seconds=wait_seconds,
        )
        return self._transport.decode(answer, Lease)

    async def lease(self, lease_id: str, *, wait_seconds: float = 0.0) -> Lease:
        """A lease; one that is not granted yet is waited for as long as asked."""
        answer = await self._ask(
            "GET",
            f"/lease/{quote(lease_id, safe='')}",
            query={"wait_seconds": str(wait_seconds)} if wait_seconds else None,
            repeatable=True,
            wait_seconds=wait_seconds,
        )
        return self._transport.decode(answer, Lease)

    async def leases(
        self,
        path: str | None = None,
        *,
        agent_id: str | None = None,
        limit: int = 100,
        cursor: str | None = None,
    ) -> LeasePage:
        """What is held and waited for, the oldest first: on a path, of an agent."""
        query = given({"path": path, "agent_id": agent_id, "limit": str(limit), "cursor": cursor})
        answer = await self._ask("GET", "/leases", query=query, repeatable=True)
        return self._transport.decode(answer, LeasePage)

    async def renew_lease(self, lease_id: str, *, seconds: int = 900) -> Lease:
        """Hold it for so long from now on, at most seven days in all."""
        return await self._change(lease_id, "renew", {"seconds": seconds})

    async def release_lease(self, lease_id: str, reason: str = "") -> Lease:
        """End one's own lease, or the wait for it."""
        return await self._change(lease_id, "release", given({"reason": reason or None}))

    async def revoke_lease(self, lease_id: str, reason: str = "") -> Lease:
        """End anybody's lease, as an operator."""
        return await self._change(lease_id, "revoke", given({"reason": reason or None}))

    async def _change(self, lease_id: str, how: str, body: dict[str, object]) -> Lease:
        answer = await self._ask("POST", f"/lease/{quote(lease_id, safe='')}/{how}", body=body)
        return self._transport.decode(answer, Lease)
