"""Notes as an expert sees them: files of a real mount, right after the project changed."""

import json

from lighthouse.client import Client


async def test_a_note_follows_its_function_through_the_mount(own_bridge, wait_for, tmp_path) -> None:
    (own_bridge.project / "a.py").write_text("import os\n\n\ndef greet(who):\n    return f'ahoy, {who}'\n")
    own_bridge.mount = tmp_path / "mnt"
    own_bridge.start()
    shadows = own_bridge.mount / "shadows"
    assert list(shadows.iterdir()) == []
    async with Client(own_bridge.url, own_bridge.token("eva", "expert")) as bridge:
        await bridge.annotate("a.py", "say who greets", symbol="greet", severity="warning")
    where = shadows / "a.py.annotations.json"
    await wait_for(where.exists)
    [note] = json.loads(where.read_text())["annotations"]
    assert (note["status"], note["lines"], note["agent_id"]) == ("same", [4, 5], "eva")
    (own_bridge.project / "sub").mkdir()
    (own_bridge.project / "sub" / "b.py").write_text(
        "X = 1\n\n\ndef greet(who):\n    return f'ahoy, {who}'\n"
    )
    (own_bridge.project / "a.py").write_text("import os\n")
    there = shadows / "sub" / "b.py.annotations.json"
    await wait_for(there.exists)
    [moved] = json.loads(there.read_text())["annotations"]
    assert (moved["id"], moved["status"], moved["path"], moved["lines"]) == (
        note["id"],
        "moved",
        "sub/b.py",
        [4, 5],
    )
    await wait_for(lambda: [path.name for path in shadows.iterdir()] == ["sub"])
    assert there.stat().st_size == len(there.read_bytes())
