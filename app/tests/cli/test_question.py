"""`lighthouse question` against a real bridge: asked by one process, answered by another."""

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lighthouse.client import Client

PORT = '{"type": "object", "properties": {"port": {"type": "integer"}}, "required": ["port"]}'


async def found(bridge_process, agent: str) -> str:
    async with Client(bridge_process.url, bridge_process.token(agent)) as asked:
        return (await asked.questions(wait_seconds=30)).questions[0].id


def test_asked_and_answered(bridge_process, within, tmp_path: Path) -> None:
    gil = bridge_process.environment("gil")
    (tmp_path / "schema.json").write_text(PORT)
    words = ["question", "ask", "gil", "Which port?", "--schema", f"@{tmp_path}/schema.json"]
    command = [sys.executable, "-m", "lighthouse.cli.main", *words]
    env = bridge_process.environment("quentin")
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as waiting:
        id = asyncio.run(found(bridge_process, "gil"))
        listed = within("question", "list", env=gil)
        assert any(line.split()[:2] == [id, "quentin"] for line in listed.stdout.splitlines())
        shown = (within("question", "show", id, env=gil)).stdout
        assert "Which port?" in shown
        assert '"integer"' in shown
        wrong = within("question", "answer", id, '{"port": "x"}', env=gil)
        assert (wrong.returncode, wrong.stdout) == (1, "")
        assert "content.port: 'x' is not of type 'integer'" in wrong.stderr
        answered = within("question", "answer", id, '{"port": 8765}', env=gil)
        assert answered.stdout == f"{id} is answered\n"
        said, _ = waiting.communicate(timeout=30)
    assert (waiting.returncode, json.loads(said)) == (0, {"port": 8765})


def test_without_an_answer(bridge_process, within) -> None:
    hal, quentin = bridge_process.environment("hal"), bridge_process.environment("quentin")
    words = ("question", "ask", "hal", "May I?", "--schema", '{"type": "boolean"}', "--key", "may-i")
    asked = within(*words, "--no-wait", env=quentin)
    id = asked.stdout.strip()
    assert within(*words, "--no-wait", env=quentin).stdout.strip() == id
    declined = within("question", "decline", id, "--reason", "not now", env=hal)
    assert declined.stdout == f"{id} is declined\n"
    told = within(*words, env=quentin)
    assert (told.returncode, told.stdout) == (1, "")
    assert f"{id} is declined: not now" in told.stderr
    shown = json.loads(within("question", "show", id, "--json", env=quentin).stdout)
    assert (shown["state"], shown["reason"]) == ("declined", "not now")
    late = within("question", "ask", "hal", "And now?", "--timeout", "1s", env=quentin)
    assert late.returncode == 1
    assert "is expired" in late.stderr


@pytest.mark.parametrize("schema", ["string", "[1]"])
def test_what_is_no_schema(bridge_process, within, schema: str) -> None:
    env = bridge_process.environment("quentin")
    told = within("question", "ask", "hal", "What?", "--schema", schema, env=env)
    assert told.returncode == 2
    assert told.stderr.count("\n") == 1
