"""What sockets are told: questions to whom they are for, ends to who asked, until they are taken note of."""

import asyncio

from lighthouse.elicitation.questions import TOLD_SECONDS
from lighthouse.mailbox import Reader
from tests.elicitation.conftest import Clock, Room

YES = {"ok": True}


async def come(reader: Reader) -> tuple[int, str, str, str]:
    """The next letter: its number, kind and id, and the question's state."""
    number, letter = await asyncio.wait_for(reader.next(), 10)
    return number, letter.kind, letter.id, letter.read().state


async def nothing(reader: Reader) -> bool:
    """Whether no letter waits now."""
    waiting = asyncio.create_task(reader.next())
    await asyncio.sleep(0)
    waiting.cancel()
    done, _ = await asyncio.wait({waiting})
    return done.pop().cancelled()


async def test_both_sides_are_told(room: Room) -> None:
    ann, bob, eve = (room.mail.open(who) for who in ("ann", "bob", "eve"))
    asked = await room.ask()
    assert await come(bob) == (1, "elicitation.request", asked.id, "pending")
    bob.acknowledge(1)
    await room.questions.answer(asked.id, "bob", "accept", YES)
    assert await come(ann) == (1, "elicitation.ended", asked.id, "accepted")
    # Who was asked hears that it need not be thought about any more.
    assert await come(bob) == (2, "elicitation.ended", asked.id, "accepted")
    assert await nothing(eve)


async def test_they_come_again_until_they_are_done(room: Room) -> None:
    asked, answered = await room.ask(), await room.ask(message="And this?")
    await room.questions.answer(answered.id, "bob", "decline")
    for _ in range(2):
        ann, bob = room.mail.open("ann"), room.mail.open("bob")
        assert await come(bob) == (1, "elicitation.request", asked.id, "pending")
        assert await come(ann) == (1, "elicitation.ended", answered.id, "declined")
        assert await nothing(bob)
        await room.again()
    ann, bob = room.mail.open("ann"), room.mail.open("bob")
    await come(ann)
    await come(bob)
    ann.acknowledge(1)
    bob.acknowledge(1)
    assert await nothing(room.mail.open("ann"))
    assert await nothing(room.mail.open("bob"))
    # A question waits until it is answered: after a restart it comes again, an end that is known does not.
    assert [letter.id for letter in room.questions.open_letters("bob")] == [asked.id]
    assert list(room.questions.open_letters("ann")) == []


async def test_an_end_is_told_for_so_long(room: Room, clock: Clock) -> None:
    asked = await room.ask(seconds=20)
    clock.ahead = 21
    await room.questions.expire()
    assert await come(room.mail.open("ann")) == (1, "elicitation.ended", asked.id, "expired")
    assert await nothing(room.mail.open("bob"))
    clock.ahead += TOLD_SECONDS + 1
    assert await nothing(room.mail.open("ann"))


async def test_nobody_takes_note_for_another(room: Room) -> None:
    bob = room.mail.open("bob")
    asked = await room.ask()
    await come(bob)
    await room.questions.answer(asked.id, "bob", "accept", YES)
    number, *_ = await come(bob)
    bob.acknowledge(number)
    assert await come(room.mail.open("ann")) == (1, "elicitation.ended", asked.id, "accepted")
