"""Mailboxes: at least once, in order, within the window; what ended is not sent, or its end is."""

import asyncio
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from lighthouse.mailbox import Letter, Mail, Reader, TooManySockets
from lighthouse.mailbox.mailbox import MAX_READERS
from lighthouse.mailbox.reader import MAX_WAITING, WINDOW

ASKED, ENDED = "thing.asked", "thing.ended"


class Room:
    """Has things open for the agent `eve`, by their ids."""

    def __init__(self) -> None:
        self.mail = Mail()
        self.mail.add(self)
        self.open: dict[str, Letter] = {}
        self.taken: list[str] = []
        self.seq = 0

    def post(self, thing: str) -> None:
        self.seq += 1
        self.open[thing] = Letter(ASKED, thing, self.seq, {"thing": thing})
        self.mail.send("eve", self.open[thing])

    def end(self, thing: str) -> None:
        self.seq += 1
        self.open.pop(thing, None)
        self.mail.withdraw("eve", ASKED, thing, Letter(ENDED, thing, self.seq, {"thing": thing}))

    def open_letters(self, agent_id: str) -> Iterator[Letter]:
        assert agent_id == "eve"
        yield from reversed(self.open.values())

    def acknowledged(self, agent_id: str, letter: Letter) -> None:
        assert agent_id == "eve"
        self.taken.append(letter.id)

    def connect(self) -> Reader:
        return self.mail.open("eve")


async def taken(reader: Reader) -> list[tuple[int, Letter]]:
    """All that can be sent now."""
    found = []
    while True:
        try:
            async with asyncio.timeout(0):
                found.append(await reader.next())
        except TimeoutError:
            return found


def ids(sent: list[tuple[int, Letter]]) -> list[str]:
    return [letter.id for _, letter in sent]


async def test_what_is_not_acknowledged_comes_again_with_new_numbers() -> None:
    room = Room()
    for thing in "abc":
        room.post(thing)
    first = room.connect()
    assert [(n, one.id) for n, one in await taken(first)] == [(1, "a"), (2, "b"), (3, "c")]
    assert first.acknowledge(2)
    assert first.acknowledge(2)
    assert not first.acknowledge(4)
    assert not first.acknowledge(0)
    assert room.taken == ["b"]
    room.mail.close("eve", first)
    second = room.connect()
    assert [(n, one.id) for n, one in await taken(second)] == [(1, "a"), (2, "c")]


async def test_a_window_holds_back_until_something_is_acknowledged() -> None:
    room = Room()
    reader = room.connect()
    for number in range(WINDOW + 10):
        room.post(str(number))
    assert len(await taken(reader)) == WINDOW
    waiting = asyncio.ensure_future(reader.next())
    await asyncio.sleep(0)
    assert not waiting.done()
    reader.acknowledge(5)
    number, one = await asyncio.wait_for(waiting, 5)
    assert (number, one.id) == (WINDOW + 1, str(WINDOW))


async def test_a_socket_that_is_far_behind_holds_little_and_misses_nothing() -> None:
    room = Room()
    reader = room.connect()
    wanted = [str(number) for number in range(2 * MAX_WAITING)]
    for thing in wanted:
        room.post(thing)
    assert len(reader._waiting) == MAX_WAITING
    room.end("500")
    got = []
    while sent := await taken(reader):
        for number, letter in sent:
            got.append(letter.id)
            assert reader.acknowledge(number)
    assert got == [thing for thing in wanted if thing != "500"]


async def test_what_ended_before_it_was_sent_is_never_told() -> None:
    room = Room()
    reader = room.connect()
    room.post("a")
    room.end("a")
    assert await taken(reader) == []


async def test_the_end_of_what_was_sent_is_told_once_acknowledged_or_not() -> None:
    room = Room()
    reader = room.connect()
    room.post("a")
    room.post("b")
    await taken(reader)
    reader.acknowledge(1)
    for _ in range(2):
        room.end("a")
        room.end("b")
    assert [(one.id, one.kind) for _, one in await taken(reader)] == [("a", ENDED), ("b", ENDED)]


async def test_nothing_is_remembered_of_what_ended() -> None:
    room = Room()
    reader = room.connect()
    room.post("a")
    await taken(reader)
    reader.acknowledge(1)
    room.end("a")
    assert [number for number, _ in await taken(reader)] == [2]
    assert reader.acknowledge(2)
    assert reader.acknowledge(2)
    assert room.taken == ["a"]
    room.mail.close("eve", reader)
    assert not room.mail._boxes


async def test_news_of_a_thing_comes_after_the_thing_was_acknowledged() -> None:
    room = Room()
    reader = room.connect()
    room.post("a")
    [(number, _)] = await taken(reader)
    reader.acknowledge(number)
    room.mail.send("eve", room.open["a"])
    assert await taken(reader) == []
    room.post("a")
    assert ids(await taken(reader)) == ["a"]
    assert ids(await taken(room.connect())) == ["a"]


async def test_what_is_done_is_not_sent_and_its_end_is_told_where_it_was() -> None:
    room = Room()
    reader, late = room.connect(), room.connect()
    room.post("a")
    await taken(reader)
    room.mail.drop("eve", ASKED, "a")
    assert await taken(late) == []
    room.end("a")
    assert [one.kind for _, one in await taken(reader)] == [ENDED]
    assert await taken(late) == []


async def test_data_may_be_those_of_the_moment_of_sending() -> None:
    room = Room()
    state = ["early"]
    letter = Letter(ASKED, "a", 1, lambda: state[0])
    room.open["a"] = letter
    state[0] = "late"
    assert [one.read() for _, one in await taken(room.connect())] == ["late"]


def test_sockets_are_bounded_and_told_of() -> None:
    room = Room()
    seen: list[tuple[str, bool]] = []
    room.mail.watch(lambda agent, opened: seen.append((agent, opened)))
    readers = [room.connect() for _ in range(MAX_READERS)]
    assert (room.mail.sockets, room.mail.sockets_of("eve"), room.mail.sockets_of("ann")) == (4, 4, 0)
    with pytest.raises(TooManySockets):
        room.connect()
    room.mail.close("eve", readers[0])
    room.connect()
    assert seen == [("eve", True)] * 4 + [("eve", False), ("eve", True)]


async def test_a_reader_of_some_rooms_is_sent_their_letters_alone() -> None:
    room = Room()
    room.post("t1")
    of_another, of_this = (room.mail.open("eve", frozenset((name,))) for name in ("message", "thing"))
    room.post("t2")
    assert [one.id for _, one in await taken(of_this)] == ["t1", "t2"]
    room.end("t1")
    assert [one.kind for _, one in await taken(of_this)] == [ENDED]
    assert await taken(of_another) == []


class Delivery(RuleBasedStateMachine):
    """Any order of posting, reading, acknowledging, ending and reconnecting."""

    things = Bundle("things")
    readers = Bundle("readers")

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.room = Room()
        self.made = 0
        self.unread: set[str] = set()
        self.sent: dict[Reader, list[tuple[int, Letter]]] = {}

    @rule(target=things)
    def post(self) -> str:
        self.made += 1
        thing = str(self.made)
        self.room.post(thing)
        self.unread.add(thing)
        return thing

    @rule(thing=things)
    def news(self, thing: str) -> None:
        if thing in self.room.open:
            self.room.post(thing)
            self.unread.add(thing)

    @rule(thing=consumes(things))
    def end(self, thing: str) -> None:
        self.room.end(thing)
        self.unread.discard(thing)

    @rule(target=readers)
    def connect(self) -> Reader | None:
        if self.room.mail.sockets_of("eve") == MAX_READERS:
            return None
        reader = self.room.connect()
        self.sent[reader] = []
        return reader

    @rule(reader=consumes(readers))
    def disconnect(self, reader: Reader | None) -> None:
        if reader is not None:
            self.room.mail.close("eve", reader)
            del self.sent[reader]

    @rule(reader=readers, which=st.integers(0, 100))
    def acknowledge(self, reader: Reader | None, which: int) -> None:
        if self.sent.get(reader):
            number, one = self.sent[reader][which % len(self.sent[reader])]
            assert reader.acknowledge(number)
            known = self.room.open.get(one.id)
            if one.kind == ASKED and known is not None and known.seq == one.seq:
                self.unread.discard(one.id)

    @invariant()
    def each_socket_is_told_each_thing_once(self) -> None:
        for sent in self.sent.values():
            assert [number for number, _ in sent] == list(range(1, len(sent) + 1))
            told = Counter((one.key, one.seq) for _, one in sent)
            assert max(told.values(), default=1) == 1

    @invariant()
    def all_that_is_open_reaches_a_socket_that_reads(self) -> None:
        for reader, sent in self.sent.items():
            sent += self.runner.run(taken(reader))
            if len(sent) < WINDOW:
                told = {(one.id, one.seq) for _, one in sent}
                assert {(thing, self.room.open[thing].seq) for thing in self.unread} <= told

    def teardown(self) -> None:
        self.runner.close()


TestDelivery = Delivery.TestCase
TestDelivery.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
