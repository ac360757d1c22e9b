"""Proposals through the client."""

import pytest

from lighthouse.client import Client, Refused


async def test_from_creation_to_the_end(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token()) as client:
        made = await client.create_proposal("of-the-client", title="A title", uid=1000)
        assert (made.state, made.title, made.uid, made.agent_id) == ("open", "A title", 1000, "ann")
        assert made in await client.proposals("open")
        shown = await client.proposal("of-the-client")
        assert (shown.files, shown.total) == ([], 0)
        assert await client.proposal_patch("of-the-client") == b""
        assert (await client.rebase_proposal("of-the-client")).base == made.base
        with pytest.raises(Refused) as refusal:
            await client.create_proposal("of-the-client")
        assert refusal.value.status == 409
        assert (await client.withdraw_proposal("of-the-client", "enough")).state == "withdrawn"
        assert (await client.proposal("of-the-client")).proposal.reason == "enough"
        assert (await client.create_proposal("of-the-client", base=made.base)).base == made.base
        assert (await client.mark_proposal_applied("of-the-client")).state == "applied"
