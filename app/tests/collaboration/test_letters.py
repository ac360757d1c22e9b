"""What agents are told of their sessions: at once, again at each connection, and never what they took."""

from lighthouse.annotations import Target
from lighthouse.collaboration.held import News
from lighthouse.mailbox import Reader
from tests.collaboration.conftest import ANN, BEN, CAT, Clock, Room, kinds, waiting


async def acknowledge_all(reader: Reader) -> None:
    for number, _ in await waiting(reader):
        assert reader.acknowledge(number)


async def test_an_invitation_comes_until_it_is_answered(room: Room) -> None:
    ben = room.mail.open("ben")
    session = await room.collaborations.begin(ANN, "how to add", ["ben", "cat"], [], 3600)
    assert kinds(await waiting(ben)) == [("collaboration.invited", session.id)]
    room.mail.close("ben", ben)
    await room.again()
    again = room.mail.open("ben")
    [(number, letter)] = await waiting(again)
    assert letter.read().topic == "how to add"
    again.acknowledge(number)
    await room.collaborations.join(session.id, BEN)
    assert kinds(await waiting(room.mail.open("ben"))) == []


async def test_partners_are_told_what_happens(room: Room) -> None:
    ann, ben = room.mail.open("ann"), room.mail.open("ben")
    pair = (await room.collaborations.request(ANN, "ben", "mend add", [], 3600)).id
    assert kinds(await waiting(ben)) == [("pair.requested", pair)]
    await room.collaborations.accept(pair, BEN)
    name = (await room.collaborations.suggest(pair, BEN, "a plus", Target("sums.py", line=2))).id
    await room.collaborations.review(pair, ANN, name, "accept", "indeed")
    await room.collaborations.complete(pair, ANN, "it adds")
    told = [letter.read() for _, letter in await waiting(ann)]
    assert all(isinstance(news, News) for news in told)
    assert [news.event.type for news in told] == ["pair.accepted", "pair.suggested"]
    told = [letter.read() for _, letter in await waiting(ben)]
    assert [news.event.type for news in told] == ["pair.reviewed", "pair.completed"]
    assert told[-1].collaboration.state == "completed"


async def test_after_a_connection_the_last_news_come(room: Room) -> None:
    session = await room.team(BEN)
    for word in ("one", "two", "three"):
        await room.collaborations.say(session.id, ANN, word)
    [(_, letter)] = await waiting(room.mail.open("ben"))
    assert letter.seq == session.last_seq
    assert b"three" in bytes(letter.read().event.data)
    [(_, letter)] = await waiting(room.mail.open("ann"))
    assert letter.read().event.type == "collaboration.joined"


async def test_what_was_acknowledged_does_not_come_again_after_a_restart(room: Room) -> None:
    session = await room.team(BEN, CAT)
    await room.collaborations.say(session.id, ANN, "one")
    await acknowledge_all(room.mail.open("ben"))
    await room.again()
    assert await waiting(room.mail.open("ben")) == []
    assert len(await waiting(room.mail.open("cat"))) == 1
    await room.collaborations.say(session.id, ANN, "two")
    [(_, letter)] = await waiting(room.mail.open("ben"))
    assert b"two" in bytes(letter.read().event.data)


async def test_the_end_is_told_to_those_who_were_away(room: Room) -> None:
    pair = await room.pair()
    await room.collaborations.complete(pair, BEN, "it adds")
    await room.again()
    ann = room.mail.open("ann")
    [(number, letter)] = await waiting(ann)
    assert letter.read().collaboration.reason == "it adds"
    ann.acknowledge(number)
    await room.again()
    assert await waiting(room.mail.open("ann")) == []


async def test_who_was_told_of_an_invitation_hears_of_its_end(room: Room, clock: Clock) -> None:
    ben, cat = room.mail.open("ben"), room.mail.open("cat")
    session = await room.collaborations.begin(ANN, "how to add", ["ben", "cat"], [], 3600)
    await waiting(ben)
    clock.ahead = 3601
    await room.collaborations.expire()
    assert kinds(await waiting(ben)) == [("collaboration.news", session.id)]
    # Nobody had told this one yet, and nobody need.
    assert kinds(await waiting(cat)) == []
    clock.ahead = 0
    assert await waiting(room.mail.open("ben")) == []


async def test_who_left_is_told_nothing(room: Room) -> None:
    session = await room.team(BEN)
    await room.collaborations.leave(session.id, BEN)
    await room.collaborations.say(session.id, ANN, "gone?")
    assert await waiting(room.mail.open("ben")) == []


async def test_many_acknowledgements_are_few_events(room: Room) -> None:
    session = await room.team(BEN)
    ben = room.mail.open("ben")
    for number in range(30):
        await room.collaborations.say(session.id, ANN, f"{number}")
    await acknowledge_all(ben)
    last = session.last_seq
    await room.again()
    assert await waiting(room.mail.open("ben")) == []
    assert room.store.head.seq - last < 30
