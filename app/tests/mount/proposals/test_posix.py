"""What a proposal answers to system calls is what a disk answers, but for the waived cases."""

import json
import sys
from pathlib import Path
from typing import Any

from tests.mount.proposals.posix import CASES, WAIVED

POSIX = Path(__file__).with_name("posix.py")
SPEC = Path(__file__).parents[4] / "docs" / "spec-mount.md"


async def test_system_calls_answer_as_on_a_disk(desk, tmp_path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    wanted: dict[str, Any] = json.loads(await desk.out(sys.executable, POSIX, disk))
    found: dict[str, Any] = json.loads(await desk.out(sys.executable, POSIX, desk.here))
    assert wanted.keys() == found.keys() == CASES.keys()
    differ = {name for name in CASES if found[name] != wanted[name]}
    told = {name: list(zip(found[name], wanted[name], strict=True)) for name in differ - WAIVED.keys()}
    assert not told
    # A case that is waived for nothing, or only on the disk of this machine.
    assert WAIVED.keys() - differ <= {"mkdir/mode-and-times", "mknod/device"}


def test_every_waived_case_is_in_the_documents() -> None:
    text = SPEC.read_text()
    assert [name for name in WAIVED if f"`{name}`" not in text] == []
