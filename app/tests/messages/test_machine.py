"""Messages against a model: sent, acknowledged, searched, restarted, the store failing, the index damaged."""

import asyncio
import shutil
import tempfile
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from lighthouse.events import Draft, Event, StoreUnavailable
from lighthouse.keys import KeyRing
from lighthouse.mailbox import Reader
from lighthouse.messages import NobodyThere, NoSuchMessage, Sent
from lighthouse.sessions import NotAllowed
from tests.messages.conftest import Clock, Room, taken

T = TypeVar("T")
KEYRING = KeyRing(b"only-for-tests-0123456789-abcdef")
WHO = ["ann", "bob", "cleo"]
WORDS = ["alpha", "beta", "gamma"]

agents = st.sampled_from(WHO)
words = st.lists(st.sampled_from(WORDS), min_size=1, max_size=2, unique=True).map(" ".join)


class Machine(RuleBasedStateMachine):
    """The model is the log, read by rules of its own; what is answered must agree with it."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.runner = asyncio.Runner()
        self.sockets: dict[str, Reader] = {}
        self.model: dict[int, dict[str, Any]] = {}
        self.told: dict[str, set[str]] = {who: set() for who in WHO}
        self.keys: dict[tuple[str, str], str] = {}

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize()
    def begin(self) -> None:
        self.room = Room(self.folder, KEYRING, Clock())
        self.run(self.room.open())

    @rule(sender=agents, to=st.sampled_from([*WHO, "*"]), body=words)
    def send(self, sender: str, to: str, body: str) -> None:
        if to != sender:
            self.run(self.room.send(body, agent=sender, to=to))

    @rule(sender=agents, which=st.integers(0, 20), body=words)
    def reply(self, sender: str, which: int, body: str) -> None:
        known = sorted(self.model)
        seq = known[which % len(known)] if known else 1
        try:
            sent = self.run(self.room.send(body, agent=sender, to=None, thread=f"m{seq}"))
        except NoSuchMessage:
            assert not known
        except NobodyThere:
            pytest.fail("whoever began a thread wrote to somebody")
        else:
            root = self.model[seq]["thread"]
            parties = {
                one for message in self.model.values() if message["thread"] == root for one in message["who"]
            }
            assert sent.thread == f"m{root}"
            assert set(sent.recipients) == parties - {sender}

    @rule(sender=agents, key=st.sampled_from(["k", "l"]), stored=st.sampled_from([True, False, None]))
    def send_under_a_key(self, sender: str, key: str, stored: bool | None) -> None:
        """Once, however often: also where the store failed and had it on disk all the same."""
        to = WHO[(WHO.index(sender) + 1) % 3]

        def send() -> Sent:
            return self.run(self.room.send(f"key {key}", agent=sender, to=to, idempotency_key=key))

        if stored is not None:
            # Known to be sent, it is answered without the store.
            with self.failing(stored=stored), suppress(StoreUnavailable):
                send()
        sent = send()
        assert self.keys.setdefault((sender, key), sent.id) == sent.id

    @rule(who=agents, which=st.integers(0, 20), stored=st.sampled_from([True, False, None]))
    @precondition(lambda self: self.model)
    def acknowledge(self, who: str, which: int, stored: bool | None) -> None:
        seq = sorted(self.model)[which % len(self.model)]
        message = self.model[seq]
        if who not in message["recipients"]:
            with pytest.raises(NotAllowed):
                self.run(self.room.messages.acknowledge(f"m{seq}", who))
            return
        if stored is not None and who in message["open"]:
            with self.failing(stored=stored), pytest.raises(StoreUnavailable):
                self.run(self.room.messages.acknowledge(f"m{seq}", who))
        receipts = [self.run(self.room.messages.acknowledge(f"m{seq}", who)) for _ in range(2)]
        assert receipts[0] == receipts[1]

    @rule(who=agents)
    def connect(self, who: str) -> None:
        if who in self.sockets:
            self.room.mail.close(who, self.sockets.pop(who))
        self.sockets[who] = self.runner.run(self.opened(who))

    @rule(who=agents, count=st.integers(1, 3))
    @precondition(lambda self: self.sockets)
    def read(self, who: str, count: int) -> None:
        """Of what comes over the socket, some is acknowledged; all that was open has come by then."""
        if who not in self.sockets:
            return
        found = self.run(taken(self.sockets[who]))
        self.told[who] |= {letter.id for _, letter in found}
        for number, _ in found[:count]:
            assert self.sockets[who].acknowledge(number)
        self.run(self.room.messages._work.close())

    @rule(damage=st.booleans())
    def restart(self, damage: bool) -> None:
        self.sockets.clear()
        self.run(self.room.close())
        self.told = {who: set() for who in WHO}
        if damage:
            self.room.database.write_bytes(b"nothing of the kind")
        self.run(self.room.open())

    @invariant()
    def what_is_seen_is_what_the_log_holds(self) -> None:
        if hasattr(self, "room"):
            self.what_is_told_is_what_the_log_says()
            self.what_is_found_is_what_the_log_holds()
            self.what_is_open_reaches_a_socket()

    def what_is_told_is_what_the_log_says(self) -> None:
        self.model = {}
        # What a failing append left on disk is told of with the next event.
        self.run(self.room.by("ann"))
        self.run(asyncio.sleep(0))
        for event in self.run(self.room.events()):
            said = event.value
            if event.type == "message.sent":
                thread = int(said["thread"][1:]) if "thread" in said else event.seq
                recipients = set(said["recipients"])
                self.model[event.seq] = {
                    "thread": thread,
                    "body": said["body"],
                    "recipients": recipients,
                    "open": set(recipients),
                    "who": {event.agent_id, *recipients},
                }
            else:
                waiting = self.model[int(said["id"][1:])]["open"]
                assert event.agent_id in waiting, "acknowledged twice, or by somebody else"
                waiting.discard(event.agent_id)
        for who in WHO:
            waiting = [f"m{seq}" for seq, one in self.model.items() if who in one["open"]]
            assert self.room.unread(who) == waiting

    def what_is_found_is_what_the_log_holds(self) -> None:
        for word in WORDS if self.model else ():
            wanted = [f"m{seq}" for seq, one in self.model.items() if word in one["body"]]
            assert self.run(self.room.ids(word, limit=100)) == wanted[::-1]
        for seq, one in list(self.model.items())[-2:]:
            found = self.run(self.room.messages.get(f"m{seq}", "cleo"))
            assert {who for who, at in found.recipients.items() if at is None} == one["open"]

    def what_is_open_reaches_a_socket(self) -> None:
        for who, reader in self.sockets.items():
            self.told[who] |= {letter.id for _, letter in self.run(taken(reader))}
            assert set(self.room.unread(who)) <= self.told[who]

    async def opened(self, who: str) -> Reader:
        self.told[who] = set()
        return self.room.mail.open(who)

    def failing(self, *, stored: bool) -> "Failing":
        return Failing(self.room, stored)

    def teardown(self) -> None:
        if hasattr(self, "room"):
            self.run(self.room.close())
        self.runner.close()
        shutil.rmtree(self.folder)


class Failing:
    """The store fails, and nobody knows whether what it was given is on disk."""

    def __init__(self, room: Room, stored: bool) -> None:
        self.store = room.store
        self.stored = stored

    def __enter__(self) -> None:
        append = self.store.append

        async def failing(drafts: Sequence[Draft], *, agent_id: str) -> list[Event]:
            if self.stored:
                await append(drafts, agent_id=agent_id)
            raise StoreUnavailable("the disk", "is gone")

        self.store.append = failing  # type: ignore[method-assign]

    def __exit__(self, *_: object) -> None:
        del self.store.append  # type: ignore[method-assign]


QUICK = settings(
    max_examples=12, stateful_step_count=20, deadline=None, suppress_health_check=list(HealthCheck)
)
LONG = settings(QUICK, max_examples=200, stateful_step_count=50)

TestMachine = Machine.TestCase
TestMachine.settings = QUICK


@pytest.mark.soak
@pytest.mark.timeout(1200)
class TestLong(Machine.TestCase):  # type: ignore[misc]
    settings = LONG
