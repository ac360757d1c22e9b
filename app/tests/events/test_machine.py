"""The store against a model that is a plain list: append, batch, repeat, expect, query, reopen, crash."""

import asyncio
import shutil
import tempfile
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from lighthouse.events import Conflict, Draft, Event, EventStore, Query, verify_folder
from lighthouse.keys import KeyRing

KEYRING = KeyRing(b"only-for-tests-0123456789-abcdef")

agents = st.sampled_from(["ann", "ben"])
streams = st.sampled_from(["s", "t", "u"])
keys = st.none() | st.sampled_from(["k1", "k2", "k3"])
values = st.dictionaries(st.sampled_from("ab"), st.integers(0, 2), max_size=2)
drafts = st.builds(
    Draft, st.sampled_from(["note.added", "task.x"]), values, stream=streams, idempotency_key=keys
)


class StoreMachine(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.root = Path(tempfile.mkdtemp())
        self.copies = 0
        self.model: list[Event] = []
        self.keyed: dict[tuple[str, str], Event] = {}

    @initialize()
    def begin(self) -> None:
        self.folder = self.root / "events"
        self.store = EventStore.open(self.folder, KEYRING)

    def last(self, stream: str) -> int:
        return max((event.seq for event in self.model if event.stream == stream), default=0)

    def expected_answer(self, batch: list[Draft], agent: str) -> list[int] | None:
        """The sequence numbers of the answer; None for a conflict."""
        held = {key: (event.type, event.stream, event.value, event.seq) for key, event in self.keyed.items()}
        answer, following = [], len(self.model) + 1
        for draft in batch:
            key = (agent, draft.idempotency_key or "")
            if draft.idempotency_key and key in held:
                *content, seq = held[key]
                if content != [draft.type, draft.stream, draft.data]:
                    return None
                answer.append(seq)
                continue
            if draft.expected_seq is not None and draft.expected_seq != self.last(draft.stream):
                return None
            if draft.idempotency_key:
                held[key] = (draft.type, draft.stream, draft.data, following)
            answer.append(following)
            following += 1
        return answer

    def append(self, batch: list[Draft], agent: str) -> None:
        expected = self.expected_answer(batch, agent)
        if expected is None:
            with pytest.raises(Conflict):
                self.store.append_sync(batch, agent_id=agent)
            return
        events = self.store.append_sync(batch, agent_id=agent)
        assert [event.seq for event in events] == expected
        for draft, event in zip(batch, events, strict=True):
            assert (event.type, event.stream, event.value) == (draft.type, draft.stream, draft.data)
            if event.seq > len(self.model):
                self.model.append(event)
                if draft.idempotency_key:
                    self.keyed[agent, draft.idempotency_key] = event

    @rule(batch=st.lists(drafts, min_size=1, max_size=4), agent=agents)
    def append_batch(self, batch: list[Draft], agent: str) -> None:
        self.append(batch, agent)

    @rule(draft=drafts, agent=agents, off=st.sampled_from([0, 0, -1, 1]))
    def append_expecting(self, draft: Draft, agent: str, off: int) -> None:
        expected = max(0, self.last(draft.stream) + off)
        self.append([msgspec.structs.replace(draft, expected_seq=expected)], agent)

    @rule(
        stream=st.none() | streams, agent=st.none() | agents, low=st.integers(0, 9), limit=st.integers(1, 5)
    )
    def query(self, stream: str | None, agent: str | None, low: int, limit: int) -> None:
        wanted = [
            event
            for event in self.model
            if event.seq >= low and stream in (None, event.stream) and agent in (None, event.agent_id)
        ]
        found: list[Event] = []
        query = Query(stream=stream, agent_id=agent, from_seq=low, limit=limit)
        while True:
            page = asyncio.run(self.store.query(query))
            found += page.events
            if page.next_cursor is None:
                break
            query = msgspec.structs.replace(query, cursor=page.next_cursor)
        assert found == wanted

    @rule()
    def reopen(self) -> None:
        self.store.close_sync()
        self.store = EventStore.open(self.folder, KEYRING)

    @rule()
    def crash(self) -> None:
        """Go on with the files as they lie, the store still open: what a kill leaves behind."""
        self.copies += 1
        copy = self.root / f"crashed{self.copies}"
        shutil.copytree(self.folder, copy, ignore=shutil.ignore_patterns("*-shm"))
        self.store.close_sync()
        self.folder = copy
        self.store = EventStore.open(self.folder, KEYRING)

    @invariant()
    def head_is_the_models(self) -> None:
        if hasattr(self, "store"):
            assert self.store.head.seq == len(self.model)
            assert not self.model or self.store.head.mac == self.model[-1].mac

    def teardown(self) -> None:
        if hasattr(self, "store"):
            self.store.close_sync()
            report = verify_folder(self.folder, KEYRING)
            assert (report.ok, report.events) == (True, len(self.model))
            asyncio.run(self._all_is_there())
        shutil.rmtree(self.root)

    async def _all_is_there(self) -> None:
        store = EventStore.open(self.folder, KEYRING)
        found: Any = (await store.query(Query(limit=1000))).events
        await store.close()
        assert found == self.model


TestStore = StoreMachine.TestCase
TestStore.settings = settings(
    max_examples=25, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
