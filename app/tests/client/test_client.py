"""The client against a real bridge: each route, and what it raises."""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from lighthouse.client import BridgeAway, Client, NewEvent, NotABridge, Refused
from lighthouse.paths import BadPath
from tests.client.conftest import serve


@pytest_asyncio.fixture
async def client(bridge_process) -> AsyncIterator[Client]:
    async with Client(bridge_process.url, bridge_process.token()) as client:
        yield client


async def test_health_needs_no_token(bridge_process) -> None:
    async with Client(bridge_process.url) as client:
        health = await client.health()
    assert health.status == "ok"
    assert health.components["event_store"].status == "ok"
    assert health.components["mount"].status == "disabled"


async def test_status(client, bridge_process) -> None:
    status = await client.status()
    assert status.project == str(bridge_process.project)
    assert status.shadow["files"] >= 4
    assert not status.mount.enabled


async def test_store_and_query(client) -> None:
    event = NewEvent("note.added", {"text": "a"}, stream="store-and-query", expected_seq=0)
    receipt = await client.store_event(event)
    page = await client.query_events(stream="store-and-query", type="note.*")
    [found] = page.events
    assert (found.seq, found.id, found.mac) == (receipt.seq, receipt.id, receipt.mac)
    assert (found.agent_id, found.data) == ("ann", {"text": "a"})
    with pytest.raises(Refused) as conflict:
        await client.store_event(event)
    assert conflict.value.status == 409


async def test_batches_and_idempotency(client) -> None:
    batch = [NewEvent("note.added", {"n": n}, "batch", idempotency_key=f"batch-{n}") for n in range(3)]
    first = await client.store_events(batch)
    assert await client.store_events(batch) == first
    assert [receipt.seq - first[0].seq for receipt in first] == [0, 1, 2]


async def test_pages(client) -> None:
    await client.store_events([NewEvent("note.added", {"n": n}, "pages") for n in range(5)])
    page = await client.query_events(stream="pages", limit=3)
    assert page.next_cursor is not None
    rest = await client.query_events(stream="pages", limit=3, cursor=page.next_cursor)
    assert [event.data["n"] for event in page.events + rest.events] == [0, 1, 2, 3, 4]
    assert rest.next_cursor is None


async def test_nobody_acts_as_another(client) -> None:
    with pytest.raises(Refused) as stored:
        await client.store_event(NewEvent("note.added", {}), agent_id="bob")
    with pytest.raises(Refused) as created:
        await client.create_session(agent_id="bob")
    assert (stored.value.status, created.value.status) == (403, 403)


async def test_an_observer_stores_nothing(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token(role="observer")) as client:
        with pytest.raises(Refused) as refusal:
            await client.store_event(NewEvent("note.added", {}))
    assert refusal.value.status == 403
    assert refusal.value.request_id


async def test_a_forged_token(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token()[:-4] + "AAAA") as client:
        with pytest.raises(Refused) as refusal:
            await client.status()
    assert refusal.value.status == 401
    assert "token create" in str(refusal.value)


async def test_sessions(client, bridge_process) -> None:
    own = await client.validate_session()
    assert (own.agent_id, own.kind) == ("ann", "session")
    session = await client.create_session(60)
    assert session.token not in repr(session)
    async with Client(bridge_process.url, session.token) as other:
        assert (await other.validate_session()).token_id == session.token_id
        await client.revoke_session(session.token, reason="test")
        with pytest.raises(Refused) as refusal:
            await other.status()
    assert refusal.value.status == 401
    assert not (await client.validate_session(session.token)).valid


async def test_a_session_that_is_no_more_is_renewed(client) -> None:
    first = await client.validate_session()
    await client.revoke_session(token_id=first.token_id)
    second = await client.validate_session()
    assert second.valid
    assert second.token_id != first.token_id


async def test_closing_ends_the_session(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token()) as client:
        own = await client.validate_session()
    async with Client(bridge_process.url, bridge_process.token()) as client:
        page = await client.query_events(type="session.revoked", stream="sessions", limit=1000)
    assert own.token_id in {event.data["token_id"] for event in page.events}


async def test_without_exchange_no_session_is_made(bridge_process) -> None:
    async with Client(bridge_process.url, bridge_process.token(), session_seconds=None) as client:
        assert (await client.validate_session()).kind == "agent"


async def test_many_at_once_share_one_session(client) -> None:
    found = await asyncio.gather(*(client.validate_session() for _ in range(20)))
    assert len({identity.token_id for identity in found}) == 1


async def test_reading_files(client) -> None:
    whole = await client.read("src/main.py")
    assert (whole.kind, whole.content) == ("file", "print('grüß dich')\n".encode())
    assert whole.size == len(whole.content)
    piece = await client.read("src/main.py", offset=7, size=4)
    assert (piece.content, piece.offset, piece.size) == (whole.content[7:11], 7, whole.size)
    beyond = await client.read("src/main.py", offset=10_000)
    assert (beyond.content, beyond.size) == (b"", whole.size)
    assert (await client.read("empty.txt", size=100)).content == b""
    assert whole.sha256 == piece.sha256
    assert (await client.read("src/main.py", at=whole.seq)).content == whole.content


async def test_reading_folders_and_links(client) -> None:
    root = await client.read(".")
    assert {"src", "link", "image.bin"} <= {entry.name for entry in root.entries}
    link = await client.read("link")
    assert (link.kind, link.target) == ("symlink", "src/main.py")


async def test_reading_what_is_not_there(client) -> None:
    with pytest.raises(Refused) as missing:
        await client.read("no/such")
    assert missing.value.status == 404
    with pytest.raises(BadPath):
        await client.read("../etc/passwd")


async def test_odd_names(client, bridge_process, wait_for) -> None:
    (bridge_process.project / "a #?%25.txt").write_text("odd")
    name = b"caf\xe9.txt"
    (bridge_process.project / name.decode("utf-8", "surrogateescape")).write_bytes(b"latin")

    async def captured() -> bool:
        names = {entry.name for entry in (await client.read("")).entries}
        return {"a #?%25.txt", "caf\ufffd.txt"} <= names

    await wait_for(captured)
    assert (await client.read("a #?%25.txt")).content == b"odd"
    assert (await client.read(name)).content == b"latin"


async def test_nobody_there() -> None:
    async with Client("http://127.0.0.1:1", "t") as client:
        with pytest.raises(
            BridgeAway, match=r"no bridge answers at http://127\.0\.0\.1:1 \(Connection refused\)"
        ):
            await client.status()


async def test_something_else_there() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nConnection: close\r\n\r\nhello")
        await writer.drain()

    async with serve(answer) as url, Client(url) as client:
        with pytest.raises(NotABridge):
            await client.health()


async def test_it_works_again_after_the_bridge_was_away(own_bridge) -> None:
    own_bridge.start()
    async with Client(own_bridge.url, own_bridge.token()) as client:
        before = await client.store_event(NewEvent("note.added", {}))
        own_bridge.stop()
        with pytest.raises(BridgeAway):
            await client.store_event(NewEvent("note.added", {}))
        own_bridge.start()
        after = await client.store_event(NewEvent("note.added", {}))
    assert after.seq > before.seq
