"""Events over HTTP: one, several, all or none, conflicts, and what cannot be an event."""

import asyncio
import json
from typing import Any

import msgspec
import pytest

from lighthouse.bridge.schemas import EventPage, EventRecord
from lighthouse.events import Event
from lighthouse.sessions import Role
from tests.bridge.conftest import Api

NOTE = {"type": "note.added", "data": {"text": "ahoy"}}


def note(**changed: Any) -> dict[str, Any]:
    return NOTE | changed


async def test_a_stored_event_is_read_back_as_the_tokens_agents(api: Api) -> None:
    receipt = (await api.post("/event/store", note(stream="notes"))).json()
    page = msgspec.json.decode((await api.get("/event/query?stream=notes")).body, type=EventPage)
    [event] = page.events
    assert (event.seq, event.id, event.ts, event.mac) == tuple(
        receipt[name] for name in ("seq", "id", "ts", "mac")
    )
    assert (event.agent_id, event.type, event.data) == ("ann", "note.added", {"text": "ahoy"})
    assert page.next_cursor is None


async def test_several_are_answered_with_a_list_in_their_order(api: Api) -> None:
    receipts = (await api.post("/event/store", {"events": [note(data={"n": n}) for n in range(5)]})).json()
    assert [one["seq"] for one in receipts] == list(range(receipts[0]["seq"], receipts[0]["seq"] + 5))
    assert [event.value["n"] for event in await api.events(type="note.added")] == list(range(5))


async def test_a_batch_with_one_bad_event_stores_none(api: Api) -> None:
    before = api.bridge.store.head
    for bad in (note(type="Bad Type"), note(data={"x": "y" * 300_000}), note(expected_seq=99)):
        answer = await api.post("/event/store", {"events": [note(), bad]})
        assert answer.status in (409, 422)
    assert api.bridge.store.head == before


async def test_the_same_key_again_is_the_same_event_and_another_content_a_conflict(api: Api) -> None:
    first = (await api.post("/event/store", note(idempotency_key="k"))).json()
    assert (await api.post("/event/store", note(idempotency_key="k"))).json() == first
    (await api.post("/event/store", note(idempotency_key="k", data={}))).problem(409)
    other = await api.post("/event/store", note(idempotency_key="k"), token=api.token("bob"))
    assert other.json()["seq"] != first["seq"]


async def test_a_stream_that_moved_on_is_a_conflict_that_tells_the_number(api: Api) -> None:
    first = (await api.post("/event/store", note(stream="s", expected_seq=0))).json()
    told = (await api.post("/event/store", note(stream="s", expected_seq=0))).problem(409)
    assert str(first["seq"]) in told.detail
    assert (await api.post("/event/store", note(stream="s", expected_seq=first["seq"]))).status == 200


@pytest.mark.parametrize(
    "kind", ["bridge.started", "session.created", "shadow.changed", "policy.x", "task.done"]
)
async def test_the_bridges_own_types_are_forbidden_alone_and_in_a_batch(api: Api, kind: str) -> None:
    before = api.bridge.store.head.seq
    (await api.post("/event/store", note(type=kind))).problem(403)
    (await api.post("/event/store", {"events": [note(), note(type=kind)]})).problem(403)
    assert all(event.type == "session.rejected" for event in await api.events(from_seq=before + 1))


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        3,
        None,
        {},
        {"type": "note.added"},
        {"data": {}},
        note(type="note"),
        note(type="Note.added"),
        note(type=""),
        note(type=3),
        note(type="a." + "b" * 200),
        note(data=[]),
        note(data="x"),
        note(data=None),
        note(stream=""),
        note(stream="a\nb"),
        note(stream="s" * 201),
        note(stream=None),
        note(expected_seq=-1),
        note(expected_seq="0"),
        note(expected_seq=1.5),
        note(expected_seq=True),
        note(expected_seq=2**63),
        note(idempotency_key=""),
        note(idempotency_key="k" * 201),
        note(idempotency_key=7),
        note(colour="red"),
        note(seq=1),
        note(mac="0"),
        {"events": []},
        {"events": {}},
        {"events": [note()] * 1001},
        {"events": [note(colour="red")]},
        {"events": [{"events": [note()]}]},
        {"events": [note()], "type": "note.added"},
    ],
)
async def test_the_wrong_shape_is_422_and_nothing_is_stored(api: Api, body: Any) -> None:
    before = api.bridge.store.head
    (await api.call("POST", "/event/store", data=json.dumps(body))).problem(422)
    assert api.bridge.store.head == before


async def test_data_too_deep_is_422(api: Api) -> None:
    deep: Any = {}
    for _ in range(40):
        deep = {"d": deep}
    (await api.post("/event/store", note(data=deep))).problem(422)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b'{"type": "note.added", "data": {',
        b'{"type": "note.added", "data": {}} trailing',
        b"{'type': 1}",
        b'{"type": NaN}',
        b'{"type": "\xff"}',
        b'{"type": "\\ud800"}',
        b"\xff\xfe{\x00}\x00",
        b"[" * 200_000,
        b'{"a":' * 100_000,
    ],
)
async def test_what_is_not_json_is_400_and_nothing_is_stored(api: Api, raw: bytes) -> None:
    before = api.bridge.store.head
    (await api.call("POST", "/event/store", data=raw)).problem(400)
    assert api.bridge.store.head == before


async def test_a_number_that_no_reader_could_hold_is_422(api: Api) -> None:
    raw = b'{"type": "note.added", "data": {"x": 1e400}}'
    (await api.call("POST", "/event/store", data=raw)).problem(422)


async def test_an_observer_may_read_and_not_write(api: Api) -> None:
    watcher = api.token("otto", Role.OBSERVER)
    (await api.post("/event/store", note(), token=watcher)).problem(403)
    assert (await api.get("/event/query", token=watcher)).status == 200


async def test_a_body_that_names_another_agent_is_403(api: Api) -> None:
    before = api.bridge.store.head.seq
    (await api.post("/event/store", note(agent_id="bob"))).problem(403)
    (await api.post("/event/store", {"events": [note(), note(agent_id="bob")]})).problem(403)
    assert (await api.post("/event/store", note(agent_id="ann"))).status == 200
    assert [event.agent_id for event in await api.events(from_seq=before + 1, type="note.added")] == ["ann"]


async def test_pages_join_without_gap_or_double(api: Api) -> None:
    await api.post("/event/store", {"events": [note(data={"n": n}) for n in range(25)]})
    path, seen = "/event/query?type=note.*&limit=10", []
    cursor: str | None = ""
    while cursor is not None:
        page = (await api.get(path + (f"&cursor={cursor}" if cursor else ""))).json()
        seen += [event["data"]["n"] for event in page["events"]]
        cursor = page["next_cursor"]
    assert seen == list(range(25))


async def test_times_and_agents_filter(api: Api) -> None:
    receipt = (await api.post("/event/store", note())).json()
    await api.post("/event/store", note(), token=api.token("bob"))
    by_time = await api.get(f"/event/query?since={receipt['ts']}&agent_id=ann&type=note.added")
    assert [event["seq"] for event in by_time.json()["events"]] == [receipt["seq"]]
    assert (await api.get(f"/event/query?until={receipt['ts']}&type=note.added")).json()["events"] == []


@pytest.mark.parametrize(
    "query",
    [
        "limit=0",
        "limit=1001",
        "limit=ten",
        "limit=1.5",
        "limit=",
        "from_seq=-1",
        "from_seq=99999999999999999999",
        "since=yesterday",
        "since=2026-01-01",
        "since=2026-01-01T00:00:00",
        "until=1",
        "cursor=forged",
        "type=",
        "colour=red",
        "limit=1&limit=2",
        "to_seq=NULL",
    ],
)
async def test_a_query_of_the_wrong_shape_is_422(api: Api, query: str) -> None:
    (await api.get(f"/event/query?{query}")).problem(422)


async def test_many_writers_at_once_lose_nothing(api: Api) -> None:
    answers = await asyncio.gather(
        *(api.post("/event/store", note(data={"n": n}, stream=f"s{n % 5}")) for n in range(100))
    )
    numbers = [answer.json()["seq"] for answer in answers]
    assert len(set(numbers)) == 100
    stored = await api.events(type="note.added")
    assert sorted(event.value["n"] for event in stored) == list(range(100))


def test_the_record_on_the_wire_is_the_event(api: Api) -> None:
    assert EventRecord.__struct_fields__ == Event.__struct_fields__
