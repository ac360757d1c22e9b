"""Sending, threads, acknowledging: what is said is on disk, and comes until it is acknowledged."""

import asyncio

import pytest

from lighthouse.events import Conflict, InvalidEvent, NoRoom, StoreUnavailable
from lighthouse.messages import BadMessage, MailboxFull, NobodyThere, NoSuchMessage, addressing, outstanding
from lighthouse.sessions import NotAllowed
from tests.messages.conftest import Clock, Room, taken


async def test_a_message_is_an_event_and_waits_for_its_recipient(room: Room) -> None:
    sent = await room.send("the parser is done", subject="parser")
    assert (sent.id, sent.thread, sent.recipients, sent.left_out) == (
        f"m{sent.seq}",
        sent.id,
        {"bob": None},
        [],
    )
    [event] = await room.events("message.sent")
    assert (event.agent_id, event.stream) == ("ann", "messages")
    assert event.value == {
        "to": "bob",
        "subject": "parser",
        "body": "the parser is done",
        "recipients": ["bob"],
    }
    assert (room.unread("bob"), room.unread("ann")) == ([sent.id], [])
    found = await room.messages.get(sent.id, "cleo")
    assert (found.body, found.agent_id, found.to) == ("the parser is done", "ann", "bob")


async def test_an_acknowledgement_is_an_event_and_ends_the_waiting(room: Room) -> None:
    sent = await room.send()
    receipt = await room.messages.acknowledge(sent.id, "bob")
    assert room.unread("bob") == []
    assert await room.messages.acknowledge(sent.id, "bob") == receipt
    await room.again()
    assert room.unread("bob") == []
    assert await room.messages.acknowledge(sent.id, "bob") == receipt
    assert (await room.messages.get(sent.id, "cleo")).recipients == {"bob": receipt.acknowledged_at}
    assert len(await room.events("message.delivered")) == 1


async def test_acknowledged_often_at_once_it_is_one_event(room: Room) -> None:
    sent = await room.send()
    receipts = await asyncio.gather(*(room.messages.acknowledge(sent.id, "bob") for _ in range(5)))
    assert len(set(receipts)) == 1
    assert len(await room.events("message.delivered")) == 1


async def test_only_recipients_acknowledge(room: Room) -> None:
    sent = await room.send()
    with pytest.raises(NotAllowed):
        await room.messages.acknowledge(sent.id, "cleo")
    with pytest.raises(NotAllowed):
        await room.messages.acknowledge(sent.id, "ann")
    for wrong in ("m999", "m", "x1", "m-1", "m" + "9" * 30, ""):
        with pytest.raises(NoSuchMessage):
            await room.messages.acknowledge(wrong, "bob")
    assert room.unread("bob") == [sent.id]


async def test_to_everybody_who_is_known(room: Room) -> None:
    await room.send(agent="dora", to="ann")
    sent = await room.send(to="*")
    assert (sent.to, list(sent.recipients)) == ("*", ["bob", "cleo", "dora"])
    await room.messages.acknowledge(sent.id, "cleo")
    assert [bool(at) for at in (await room.messages.get(sent.id, "cleo")).recipients.values()] == [
        False,
        True,
        False,
    ]
    await room.again()
    assert [room.unread(one) for one in ("bob", "cleo", "dora")] == [[sent.id], [], [sent.id]]


async def test_a_reply_goes_to_those_of_the_thread(room: Room) -> None:
    first = await room.send(to="bob")
    second = await room.send(agent="cleo", to=None, thread=first.id)
    assert (second.thread, list(second.recipients), second.to) == (first.id, ["ann", "bob"], None)
    third = await room.send(agent="bob", to=None, thread=second.id)
    assert (third.thread, list(third.recipients)) == (first.id, ["ann", "cleo"])
    aside = await room.send(to="dora", thread=first.id)
    assert (aside.thread, list(aside.recipients)) == (first.id, ["dora"])
    assert await room.ids(thread=first.seq) == [first.id, second.id, third.id, aside.id]
    await room.again()
    fourth = await room.send(agent="bob", to=None, thread=first.id)
    assert list(fourth.recipients) == ["ann", "cleo", "dora"]
    page = await room.messages.threads("ann")
    [thread] = page.threads
    assert (thread.id, thread.messages, thread.unread, thread.last_id) == (first.id, 5, 3, fourth.id)
    assert (thread.agents, page.complete) == (["ann", "bob", "cleo", "dora"], True)


async def test_a_thread_whose_beginning_is_long_ago_is_answered_in(room: Room, clock: Clock) -> None:
    first = await room.send(to="*")
    clock.ahead = 20 * 24 * 3600
    await room.again()
    assert room.unread("bob") == []
    reply = await room.send(agent="bob", to=None, thread=first.id)
    assert list(reply.recipients) == ["ann", "cleo"]
    receipt = await room.messages.acknowledge(first.id, "cleo")
    assert (await room.messages.get(first.id, "cleo")).recipients == {
        "bob": None,
        "cleo": receipt.acknowledged_at,
    }


async def test_threads_the_latest_first_in_pages(room: Room) -> None:
    made = [(await room.send(str(n), to="bob" if n % 2 else "cleo")).id for n in range(5)]
    await room.send(to=None, thread=made[1])
    page = await room.messages.threads("bob", limit=2)
    assert [one.id for one in page.threads] == [made[1], made[4]]
    assert page.next_cursor is not None
    before = int(page.next_cursor.removeprefix("before-"))
    page = await room.messages.threads("bob", limit=5, before=before)
    assert ([one.id for one in page.threads], page.next_cursor) == ([made[3], made[2], made[0]], None)
    page = await room.messages.threads("bob", "cleo")
    assert [one.id for one in page.threads] == [made[4], made[2], made[0]]


async def test_what_cannot_be_sent(room: Room) -> None:
    for wrong in ({"body": " \n"}, {"to": None}, {"to": "ann"}):
        with pytest.raises(BadMessage):
            await room.send(**wrong)
    with pytest.raises(InvalidEvent):
        await room.send(to="not a name")
    for thread in ("m1", "m99", "x", "thread"):
        with pytest.raises(NoSuchMessage):
            await room.send(thread=thread)
    room.about = ["ann"]
    with pytest.raises(NobodyThere):
        await room.send(to="*")
    assert await room.events() == []


async def test_a_name_that_nobody_ever_had_is_told(room: Room) -> None:
    assert (await room.send(to="bbo")).unseen == ["bbo"]
    assert (await room.send(to="bob")).unseen == []
    await room.by("dora")
    assert (await room.send(to="dora")).unseen == []


async def test_the_same_again_under_the_same_key(room: Room) -> None:
    sent = await room.send(to="*", idempotency_key="k")
    room.about.append("emil")
    for again in (False, True):
        if again:
            await room.again()
        assert (await room.send(to="*", idempotency_key="k")).seq == sent.seq
        with pytest.raises(Conflict):
            await room.send("other", to="*", idempotency_key="k")
    assert (await room.send(agent="bob", to="ann", idempotency_key="k")).seq != sent.seq
    assert room.unread("bob") == [sent.id]
    assert room.unread("emil") == []


async def test_no_token_gets_into_the_log(room: Room) -> None:
    token = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJlLXNpZ25hdHVyZQ"
    sent = await room.send(f"use {token}", subject=token)
    assert token not in str((await room.events())[0].value)
    assert sent.body == "use [a token was left out]"


async def test_full_mailboxes(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outstanding, "MAX_OF_ONE", 2)
    first = await room.send(idempotency_key="first")
    await room.send()
    with pytest.raises(MailboxFull, match="2 messages wait for bob already"):
        await room.send()
    assert (await room.send(idempotency_key="first")).id == first.id
    everybody = await room.send(to="*")
    assert (list(everybody.recipients), everybody.left_out) == (["cleo"], ["bob"])
    assert (await room.messages.get(everybody.id, "cleo")).left_out == ["bob"]
    await room.messages.acknowledge(first.id, "bob")
    assert list((await room.send(to="*")).recipients) == ["bob", "cleo"]
    with pytest.raises(MailboxFull):
        await room.send(to="*")


async def test_everybody_is_not_more_than_may_be(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addressing, "MAX_RECIPIENTS", 1)
    with pytest.raises(MailboxFull, match="it would be for 2 agents"):
        await room.send(to="*")
    assert await room.events() == []


@pytest.mark.parametrize("limit", ["MAX_FROM_ONE", "MAX_BYTES_FROM_ONE", "MAX_BYTES"])
async def test_nobody_sends_without_bound(room: Room, monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(outstanding, limit, 2 if limit == "MAX_FROM_ONE" else 150)
    sent = [await room.send("x" * 50) for _ in range(2)]
    with pytest.raises(MailboxFull):
        await room.send()
    if limit != "MAX_BYTES":
        await room.send(agent="cleo")
        await room.messages.acknowledge(room.unread("bob")[-1], "bob")
    await room.messages.acknowledge(sent[0].id, "bob")
    await room.send()


async def test_what_nobody_acknowledges_for_long_ends(room: Room, clock: Clock) -> None:
    sent = await room.send()
    reader = room.mail.open("bob")
    clock.ahead = 15 * 24 * 3600
    assert room.unread("bob") == []
    assert await taken(reader) == []
    assert await room.ids(to="bob") == [sent.id]
    room.mail.close("bob", reader)


async def test_over_a_socket_until_it_is_acknowledged(room: Room) -> None:
    early = await room.send("early")
    reader = room.mail.open("bob")
    late = await room.send("late", to="*")
    told = await taken(reader)
    assert [(letter.kind, letter.read().id) for _, letter in told] == [
        ("message.new", early.id),
        ("message.new", late.id),
    ]
    assert not hasattr(told[0][1].read(), "recipients")
    room.mail.close("bob", reader)
    reader = room.mail.open("bob")
    [first, _] = await taken(reader)
    reader.acknowledge(first[0])
    await room.messages._work.close()
    assert room.unread("bob") == [late.id]
    await room.again()
    reader = room.mail.open("bob")
    assert [letter.id for _, letter in await taken(reader)] == [late.id]
    assert [event.agent_id for event in await room.events("message.delivered")] == ["bob"]


async def test_acknowledged_elsewhere_it_does_not_come_any_more(room: Room) -> None:
    sent = await room.send()
    await room.messages.acknowledge(sent.id, "bob")
    assert await taken(room.mail.open("bob")) == []


async def test_waiting_for_a_message(room: Room) -> None:
    waiting = asyncio.create_task(room.messages.news("bob", 30))
    await asyncio.sleep(0)
    await room.send(to="cleo")
    assert not waiting.done()
    await room.send(to="bob")
    await asyncio.wait_for(waiting, 5)
    waiting = asyncio.create_task(room.messages.news("bob", 30))
    await asyncio.sleep(0)
    room.messages.release()
    await asyncio.wait_for(waiting, 5)
    await asyncio.wait_for(room.messages.news("bob", 30), 5)


@pytest.mark.parametrize("stored", [True, False])
async def test_a_failing_store(room: Room, monkeypatch: pytest.MonkeyPatch, stored: bool) -> None:
    """What is answered with a failure may be on disk all the same: then it counts."""
    sent = await room.send()
    append = room.store.append

    async def failing(drafts, *, agent_id):
        if stored:
            await append(drafts, agent_id=agent_id)
        raise StoreUnavailable("the disk", "is gone")

    with monkeypatch.context() as patched:
        patched.setattr(room.store, "append", failing)
        with pytest.raises(StoreUnavailable):
            await room.messages.acknowledge(sent.id, "bob")
        with pytest.raises(StoreUnavailable):
            await room.send("second", idempotency_key="k")
    await room.by("ann")
    assert len(await room.ids()) == 1 + stored
    second = await room.send("second", idempotency_key="k")
    assert room.unread("bob") == ([second.id] if stored else [sent.id, second.id])
    await room.messages.acknowledge(sent.id, "bob")
    await room.again()
    assert room.unread("bob") == [second.id]
    assert len(await room.events("message.delivered")) == 1


async def test_no_room_is_told_and_changes_nothing(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(drafts, *, agent_id):
        raise NoRoom("no room")

    with monkeypatch.context() as patched:
        patched.setattr(room.store, "append", full)
        with pytest.raises(NoRoom):
            await room.send()
    assert room.unread("bob") == []


async def test_a_thread_is_found_by_any_of_its_messages(room: Room) -> None:
    first = await room.send("is it done?")
    reply = await room.send("it is", agent="bob", to=None, thread=first.id)
    assert await room.ids(thread=reply.seq) == await room.ids(thread=first.seq) == [first.id, reply.id]
    assert await room.ids("done", thread=reply.seq) == [first.id]
    assert await room.ids(thread=reply.seq, after=first.seq) == [reply.id]
    assert await room.ids(thread=99) == []
