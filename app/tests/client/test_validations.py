"""Verdicts, requests and remembered rules through the client."""

import asyncio

import pytest

from lighthouse.client import Client, Refused
from lighthouse.client.answers_validations import Remember


def client(bridge_process, agent: str = "ann", role: str = "agent") -> Client:
    return Client(bridge_process.url, bridge_process.token(agent, role))


async def test_what_policy_decides(bridge_process) -> None:
    async with client(bridge_process) as ann:
        allowed = await ann.validate("Bash", {"command": "ls"}, cwd=str(bridge_process.project))
        denied = await ann.validate("Bash", {"command": "rm -rf /"})
        assert (allowed.decision, denied.decision) == ("allow", "deny")
        assert denied.suggestion
        found = await ann.validation(denied.id)
        assert (found.state, found.decision, found.agent_id) == ("decided", "deny", "ann")
        assert found.tool_input == {"command": "rm -rf /"}


async def test_from_asking_to_the_answer(bridge_process) -> None:
    call = {"command": "frobnicate --client"}
    async with client(bridge_process) as ann, client(bridge_process, "olga", "operator") as olga:
        asked = await ann.validate("Bash", call)
        assert asked.decision == "escalate"
        # Asked again, with waiting: the same request.
        waiting = asyncio.create_task(ann.validate("Bash", call, wait_seconds=60))
        (one,) = [one for one in (await olga.approvals(limit=100)).approvals if one.id == asked.id]
        assert (one.state, one.agent_id, one.tier, one.quorum) == ("pending", "ann", "medium", 1)
        assert one.facts[0]["action"] == "uncertain"
        assert one.expires_at
        with pytest.raises(Refused) as own:
            async with client(bridge_process, "ann", "operator") as herself:
                await herself.answer_validation(asked.id, "approve", "mine")
        assert own.value.status == 403
        answered = await olga.answer_validation(asked.id, "approve", "it is harmless")
        assert (answered.state, answered.decision, answered.how) == ("resolved", "allow", "person")
        assert [(one.agent_id, one.verdict, one.role) for one in answered.answers] == [
            ("olga", "approve", "operator")
        ]
        verdict = await asyncio.wait_for(waiting, 20)
        assert (verdict.id, verdict.decision, verdict.reason) == (
            asked.id,
            "allow",
            "olga approved: it is harmless",
        )
        with pytest.raises(Refused) as late:
            await olga.answer_validation(asked.id, "deny", "no")
        assert late.value.status == 409
        assert asked.id in {one.id for one in (await olga.approvals("resolved")).approvals}


async def test_waiting_ends_without_an_answer(bridge_process) -> None:
    async with client(bridge_process) as ann:
        asked = await ann.validate("Bash", {"command": "frobnicate --nobody"}, wait_seconds=0.1)
        assert asked.decision == "escalate"
        assert (await ann.validation(asked.id, wait_seconds=0.1)).state == "pending"


async def test_a_page_at_a_time(bridge_process) -> None:
    async with client(bridge_process) as ann:
        asked = [(await ann.validate("Bash", {"command": f"frobnicate --page {n}"})).id for n in range(3)]
        seen, cursor = [], None
        while True:
            page = await ann.approvals(limit=1, cursor=cursor)
            seen += [one.id for one in page.approvals]
            if (cursor := page.next_cursor) is None:
                break
        assert [one for one in seen if one in asked] == asked


async def test_a_remembered_answer(bridge_process) -> None:
    call = {"command": "cp README.md /etc/of-the-client"}
    async with client(bridge_process) as ann, client(bridge_process, "olga", "operator") as olga:
        asked = await ann.validate("Bash", call)
        await olga.answer_validation(asked.id, "approve", "fine", remember=Remember("exact", 3600, "anyone"))
        (rule,) = [rule for rule in await olga.rules() if rule.from_id == asked.id]
        assert (rule.scope, rule.decision, rule.agent_id, rule.by) == ("exact", "allow", None, "olga")
        again = await ann.validate("Bash", call)
        assert (again.decision, again.rule) == ("allow", rule.id)
        assert (await olga.revoke_rule(rule.id, "no more")).id == rule.id
        assert (await ann.validate("Bash", call)).decision == "escalate"
        with pytest.raises(Refused) as refused:
            await ann.revoke_rule(rule.id)
        assert refused.value.status == 403


async def test_what_one_may_answer(bridge_process) -> None:
    async with (
        client(bridge_process, "ann", "operator") as ann,
        client(bridge_process, "olga", "operator") as olga,
    ):
        waiting = asyncio.create_task(olga.approvals(answerable=True, wait_seconds=60, limit=100))
        asked = await ann.validate("Bash", {"command": "frobnicate --may"})
        await asyncio.wait_for(waiting, 20)
        assert asked.id in {one.id for one in (await olga.approvals(answerable=True, limit=100)).approvals}
        assert asked.id not in {one.id for one in (await ann.approvals(answerable=True, limit=100)).approvals}
