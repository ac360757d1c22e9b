"""The client's way through time, against a real bridge."""

from pathlib import Path

import pytest

from lighthouse.client import Client, Refused


@pytest.fixture
async def client(own_bridge):
    (own_bridge.project / "a").mkdir()
    for number in range(3):
        (own_bridge.project / "a" / f"f{number}").write_text(str(number))
    own_bridge.start()
    async with Client(own_bridge.url, own_bridge.token()) as bridge:
        yield bridge


async def test_through_time(client, own_bridge, monkeypatch) -> None:
    first = await client.create_snapshot("first", note="at the start")
    (own_bridge.project / "a" / "f0").write_text("changed")
    assert (await client.update_shadow()).seq > first.seq
    assert (await client.create_snapshot("again", at=first.seq)).seq == first.seq
    monkeypatch.setattr("lighthouse.client.versions.PAGE", 1)
    assert [one.name for one in await client.snapshots()] == ["first", "again"]
    changed = await client.diff("first")
    assert [(change.op, change.path) for change in changed.changes] == [("modified", "a/f0")]
    assert b"-0\n\\ No newline at end of file\n+changed\n" in await client.patch("first")
    assert await client.patch("current", "current") == b""
    assert (await client.read("a/f0", at="first")).content == b"0"
    monkeypatch.setattr("lighthouse.client.versions.TREE_PAGE", 2)
    seq, entries = await client.tree(at="first")
    assert seq == first.seq
    assert [entry.path for entry in entries] == ["a", "a/f0", "a/f1", "a/f2"]
    with pytest.raises(Refused, match="no snapshot"):
        await client.diff("nobody")


async def test_an_update_beneath_paths(client, own_bridge) -> None:
    (own_bridge.project / "new").write_text("x")
    seq = (await client.update_shadow(["new"])).seq
    assert (await client.read("new", at=seq)).content == b"x"
    assert Path(own_bridge.project, "new").exists()
