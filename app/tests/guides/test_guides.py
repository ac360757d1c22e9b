"""The guides for builders, experts and operators: what they say to do can be done, in their order."""

import asyncio
import re
import subprocess
from pathlib import Path

import pytest

from lighthouse.client import Client
from lighthouse.sessions import Role
from tests.conftest import RunningBridge, WaitFor
from tests.guides.conftest import Guide, needs_mount

pytestmark = pytest.mark.timeout(180)


async def asked(bridge: RunningBridge, command: str) -> str:
    """A call of the builder's that waits for an answer; its id."""
    async with Client(bridge.url, bridge.token("builder-1")) as builder:
        verdict = await builder.validate("Bash", {"command": command}, cwd=str(bridge.project))
    assert verdict.decision == "escalate"
    return verdict.id


async def decided(bridge: RunningBridge, validation: str) -> tuple[str, str]:
    async with Client(bridge.url, bridge.token("builder-1")) as builder:
        found = await builder.validation(validation)
    return found.decision, found.reason


async def test_the_operators(bridge: RunningBridge, tmp_path: Path) -> None:
    guide = Guide("operator", tmp_path, bridge)

    async def follow(heading: str, **told: str) -> str:
        return await guide.shell(heading, "olga", "operator", **told)

    assert "1 file" in await follow("See how it is")
    await follow("Let an agent in")
    for agent in ("builder-1", "security-1"):
        assert (tmp_path / f".config/lighthouse/{agent}.token").stat().st_mode & 0o777 == 0o600

    first, second, third = [await asked(bridge, f"npm publish {tag}") for tag in ("a", "b", "c")]
    assert "npm publish a" in await follow("Decide", v12=first)
    assert await decided(bridge, first) == ("allow", "olga approved: version 2 is due today")
    await follow("Decide", v13=second)
    assert (await decided(bridge, second))[0] == "deny"
    remembered = await follow("Decide", v14=third)
    (rule,) = re.findall(r"^(r\d+) ", remembered, re.M)
    await follow("Decide", r15=rule)
    assert "deny" in await follow("Decide")

    async with Client(bridge.url, bridge.token("builder-1")) as builder:
        lease = (await builder.take_lease(["src/"])).id
        task = (await builder.dispatch_task("look", to="security-1")).id
        held = await follow("See who does what", l12=lease, t12=task)
        assert "builder-1" in held
        assert (await builder.lease(lease)).state == "revoked"
        assert (await builder.task(task)).state == "cancelled"
    assert "is sent to builder-1" in await follow("See who does what")

    await follow("Keep a way back")
    file = bridge.project / "src" / "pay.py"
    kept = file.read_text()
    file.write_text("# gone\n")
    async with Client(bridge.url, bridge.token("builder-1")) as builder:
        await builder.update_shadow()
    seen = await follow("See what happened")
    assert "validation.requested" in seen
    assert "src/pay.py" in seen
    assert "verified" in await follow("See what happened")
    await follow("Bring something back")
    assert file.read_text() == kept
    guide.done()


@needs_mount
async def test_the_builders(bridge: RunningBridge, tmp_path: Path, wait_for: WaitFor) -> None:
    guide = Guide("builder", tmp_path, bridge)

    async def follow(heading: str, **told: str) -> list[object]:
        return await guide.tools(heading, "builder-1", "agent", **told)

    await follow("Before you begin")
    await follow("Before you begin")
    lease, leases = await follow("Take what you will change")
    assert [one["id"] for one in leases["leases"]] == [lease["id"]]
    (verdict,) = await follow("Ask before you do")
    assert verdict["decision"] == "allow"
    async with Client(bridge.url, bridge.token("security-1", Role.EXPERT)) as expert:
        asking = asyncio.create_task(follow("Ask another agent"))
        (question,) = (await expert.questions(wait_seconds=30)).questions
        await expert.respond(question.id, {"may": False})
        ((answer,), (checked,)) = await asking, await follow("Ask another agent", q12=question.id)
        assert answer["content"] == checked["questions"][0]["content"] == {"may": False}
        await expert.register_expert("security")
        task, delegated = await follow("Give work away")
        assert delegated["offered"] == ["security-1"]
        await expert.claim_task(delegated["id"])
        await expert.complete_task(delegated["id"], {"found": 0})
        (done,) = await follow("Give work away", t12=delegated["id"])
        assert done["tasks"][0]["result"] == {"found": 0}
        assert task["state"] == "pending"
        message = (await expert.send_message("until seven?", to="builder-1")).id
        _, letters = await follow("Write to the others")
        assert [one["id"] for one in letters["messages"]] == [message]
        left, found = await follow("Write to the others", m12=message)
        assert left["messages"] == []
        assert "I am at src/pay.py until six" in str(found["messages"])

    made, *_ = await follow("Leave what is for others to decide")
    assert "edit in" in made["text"]
    (note,) = await follow("Leave what is for others to decide")
    async with Client(bridge.url, bridge.token("security-1", Role.EXPERT)) as expert:
        proposal = await expert.create_proposal("safer-total")
        assert proposal.path is not None
        mend(Path(proposal.path) / "src" / "pay.py")
        (shown,) = await follow("Apply what an expert proposed")
        assert "where c = ?" in shown["text"]
        await guide.shell("Apply what an expert proposed", "builder-1", "agent")

        async def applied() -> bool:
            return (await expert.proposal("safer-total")).proposal.state == "applied"

        await wait_for(applied)
    await follow("Apply what an expert proposed", **{"0123456789ab": note["id"]})
    difference, _, _ = await follow("In the end", l12=lease["id"])
    assert "src/pay.py" in str(difference)
    guide.done()


@needs_mount
async def test_the_experts(bridge: RunningBridge, tmp_path: Path) -> None:
    guide = Guide("expert", tmp_path, bridge)

    async def follow(heading: str, **told: str) -> list[object]:
        return await guide.tools(heading, "security-1", "expert", **told)

    await follow("Come")
    request = await asked(bridge, "npm publish")
    (found,) = await follow("Answer what is in doubt")
    assert [one["id"] for one in found["waiting"]] == [request]
    await follow("Answer what is in doubt", v12=request)
    assert (await decided(bridge, request))[0] == "deny"
    async with Client(bridge.url, bridge.token("builder-1")) as builder:
        schema = {"type": "object", "properties": {"may": {"type": "boolean"}}, "required": ["may"]}
        question = (await builder.ask_question("security-1", "May they?", schema)).id
        task = (await builder.dispatch_task("look", to="security-1")).id
        pair = (await builder.request_pair("security-1", "better queries")).id
        assert question in str(await follow("Answer what you are asked"))
        await follow("Answer what you are asked", q12=question)
        assert (await builder.question(question)).state == "accepted"
        assert task in str(await follow("Do what you are given"))
        await follow("Do what you are given", t12=task)
        assert (await builder.task(task)).result == {"found": 1, "where": "src/pay.py:2"}
        assert pair in str(await follow("Work in a pair"))
        *_, suggested = await follow("Work in a pair", c12=pair)
        assert suggested["suggestion"]
    *_, lines = await follow("Look at what changed")
    assert "src/pay.py" in str(lines)
    await follow("Look at what changed")
    (made,) = await follow("Propose what would mend it")
    folder = made["text"].rstrip("\n").rpartition("edit in ")[2]
    await asyncio.to_thread(mend, Path(folder) / "src" / "pay.py")
    (shown,) = await follow("Propose what would mend it")
    assert "where c = ?" in shown["text"]
    guide.done()


def mend(file: Path) -> None:
    subprocess.run(
        ["sed", "-i", """s/f\\(".*where c = \\){customer}"/\\1?", (customer,)/""", str(file)],
        check=True,
        timeout=30,
    )
