"""Mailboxes: at least once, in order, within the window; what ended is not sent, or its end is."""

import asyncio
from collections import Counter

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from lighthouse.experts import Letter, Reader, TooManySockets
from lighthouse.experts.mailbox import MAX_LETTERS, MAX_READERS, WINDOW, Mailbox


def letter(key: str, *, final: bool = False) -> Letter:
    return Letter(key, "thing.ended" if final else "thing.asked", lambda: key, final)


async def taken(reader: Reader) -> list[tuple[int, Letter]]:
    """All that can be sent now."""
    found = []
    while True:
        try:
            async with asyncio.timeout(0):
                found.append(await reader.next())
        except TimeoutError:
            return found


async def test_what_is_not_acknowledged_comes_again_with_new_numbers() -> None:
    box = Mailbox()
    for key in "abc":
        box.post(letter(key))
    first = box.open()
    assert [(n, one.key) for n, one in await taken(first)] == [(1, "a"), (2, "b"), (3, "c")]
    assert first.acknowledge(2)
    assert first.acknowledge(2)
    assert not first.acknowledge(4)
    assert not first.acknowledge(0)
    box.close(first)
    second = box.open()
    assert [(n, one.key) for n, one in await taken(second)] == [(1, "a"), (2, "c")]


async def test_a_window_holds_back_until_something_is_acknowledged() -> None:
    box = Mailbox()
    reader = box.open()
    for number in range(WINDOW + 10):
        box.post(letter(str(number)))
    assert len(await taken(reader)) == WINDOW
    waiting = asyncio.ensure_future(reader.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    reader.acknowledge(5)
    number, one = await asyncio.wait_for(waiting, 5)
    assert (number, one.key) == (WINDOW + 1, str(WINDOW))


async def test_what_ended_before_it_was_sent_is_never_told() -> None:
    box = Mailbox()
    reader = box.open()
    box.post(letter("a"))
    box.retire(letter("a", final=True))
    assert await taken(reader) == []
    assert not box.empty
    box.close(reader)
    assert box.empty


async def test_the_end_of_what_was_sent_is_told_once_acknowledged_or_not() -> None:
    box = Mailbox()
    reader = box.open()
    box.post(letter("a"))
    box.post(letter("b"))
    await taken(reader)
    reader.acknowledge(1)
    for _ in range(2):
        box.retire(letter("a", final=True))
        box.retire(letter("b", final=True))
    assert [(one.key, one.final) for _, one in await taken(reader)] == [("a", True), ("b", True)]


async def test_what_is_done_does_not_come_again() -> None:
    box = Mailbox()
    reader = box.open()
    box.post(letter("a"))
    await taken(reader)
    box.drop("a")
    assert await taken(box.open()) == []


def test_mailbox_and_sockets_are_bounded() -> None:
    box = Mailbox()
    for number in range(MAX_LETTERS + 1):
        assert box.full == (number == MAX_LETTERS)
        box.post(letter(str(number)))
    readers = [box.open() for _ in range(MAX_READERS)]
    with pytest.raises(TooManySockets):
        box.open()
    box.close(readers[0])
    box.open()


class Delivery(RuleBasedStateMachine):
    """Any order of posting, reading, acknowledging, ending and reconnecting."""

    keys = Bundle("keys")
    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.box = Mailbox()
        self.made = 0
        self.open: dict[str, bool] = {}  # by key: acknowledged
        self.sent: dict[Reader, list[tuple[int, Letter]]] = {}
        self.begun: dict[Reader, set[str]] = {}

    @rule(target=keys)
    def post(self) -> str:
        self.made += 1
        key = str(self.made)
        self.box.post(letter(key))
        self.open[key] = False
        return key

    @rule(key=consumes(keys))
    def end(self, key: str) -> None:
        self.box.retire(letter(key, final=True))
        del self.open[key]

    @rule(target=readers)
    def connect(self) -> Reader | None:
        if self.box.readers == MAX_READERS:
            return None
        reader = self.box.open()
        self.sent[reader] = []
        self.begun[reader] = {key for key, acknowledged in self.open.items() if not acknowledged}
        return reader

    @rule(reader=consumes(readers))
    def disconnect(self, reader: Reader | None) -> None:
        if reader is not None:
            self.box.close(reader)
            del self.sent[reader]

    @rule(reader=readers)
    def read(self, reader: Reader | None) -> None:
        if reader in self.sent:
            self.sent[reader] += self.runner.run(taken(reader))

    @rule(reader=readers, which=st.integers(0, 100))
    def acknowledge(self, reader: Reader | None, which: int) -> None:
        if self.sent.get(reader):
            number, one = self.sent[reader][which % len(self.sent[reader])]
            assert reader.acknowledge(number)
            if not one.final and one.key in self.open:
                self.open[one.key] = True

    @invariant()
    def each_socket_is_told_each_thing_once(self) -> None:
        for sent in self.sent.values():
            assert [number for number, _ in sent] == list(range(1, len(sent) + 1))
            told = Counter((one.key, one.final) for _, one in sent)
            assert max(told.values(), default=1) == 1

    @invariant()
    def all_that_is_open_reaches_a_socket_that_reads(self) -> None:
        for reader, sent in self.sent.items():
            sent += self.runner.run(taken(reader))
            if len(sent) < WINDOW:
                told = {one.key for _, one in sent}
                waiting = {key for key, acknowledged in self.open.items() if not acknowledged}
                assert waiting <= told
                assert self.begun[reader] & self.open.keys() <= told

    def teardown(self) -> None:
        self.runner.close()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
