"""Experts through the client."""

import pytest

from lighthouse.client import Client, Refused


async def test_registering(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token("eve", "expert")) as eve:
        made = await eve.register_expert("database", languages=["python"], paths=["db/"], ttl_seconds=30)
        assert (made.agent_id, made.speciality, made.alive) == ("eve", "database", True)
        assert (made.languages, made.paths, made.risks, made.ttl_seconds) == (["python"], ["db/"], [], 30)
        assert "eve" in {expert.agent_id for expert in await eve.experts()}
    async with Client(bridge_process.url, bridge_process.token()) as ann:
        with pytest.raises(Refused) as refusal:
            await ann.register_expert("database")
        assert refusal.value.status == 403
