"""Leases through the client: all or none, waited for, and ended."""

import asyncio

import pytest

from lighthouse.client import Client, Refused


async def test_two_agents_and_one_folder(bridge_process) -> None:
    async with (
        Client(bridge_process.url, bridge_process.token("ann")) as ann,
        Client(bridge_process.url, bridge_process.token("bob")) as bob,
    ):
        lease = await ann.take_lease(["client/src"], seconds=60, reason="mine", idempotency_key="client-1")
        assert (lease.state, lease.paths, lease.agent_id) == ("held", ["client/src"], "ann")
        with pytest.raises(Refused, match="leased by ann") as refused:
            await bob.take_lease(["client/src/a.py", "client/docs"])
        assert refused.value.status == 409
        assert (await bob.leases("client/src/a.py")).leases == [lease]
        waiting = asyncio.create_task(bob.take_lease(["client/src/a.py"], wait_seconds=60))
        async with asyncio.timeout(20):
            while len(known := (await ann.leases("client/src")).leases) < 2:
                await asyncio.sleep(0.01)
        renewed = await ann.renew_lease(lease.id, seconds=600)
        assert renewed.expires_at is not None
        assert lease.expires_at is not None
        assert renewed.expires_at > lease.expires_at
        assert (await ann.release_lease(lease.id, "done")).state == "released"
        granted = await waiting
        assert (granted.id, granted.state) == (known[1].id, "held")
        assert await ann.lease(granted.id) == granted
        async with Client(bridge_process.url, bridge_process.token("olga", "operator")) as olga:
            assert (await olga.revoke_lease(granted.id, "now")).ended_reason == "now"
