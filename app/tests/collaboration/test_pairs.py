"""Pair sessions: asked for, accepted or not, suggestions made and reviewed, completed."""

import pytest

from lighthouse.annotations import BadAnnotation, Target
from lighthouse.collaboration import (
    AlreadyReviewed,
    BadCollaboration,
    BadSuggestion,
    NoSuchSuggestion,
    TooMuchGoingOn,
    WrongMove,
)
from lighthouse.collaboration.moves import STATES
from lighthouse.events import Conflict, Query
from lighthouse.proposals import NoSuchProposal
from lighthouse.sessions import NotAllowed
from lighthouse.shadow import NotCaptured
from tests.collaboration.conftest import ANN, BEN, CODE, DAN, OLGA, Clock, Room

PLUS = CODE.replace("a - b", "a + b").encode()


async def test_a_pair_is_asked_for_and_accepted(room: Room) -> None:
    asked = await room.collaborations.request(ANN, "ben", "mend add", ["sums.py"], 3600)
    assert (asked.kind, asked.state, asked.members, asked.invited) == ("pair", "requested", ["ann"], ["ben"])
    with pytest.raises(NotAllowed):
        await room.collaborations.accept(asked.id, ANN)
    with pytest.raises(NotAllowed):
        await room.collaborations.accept(asked.id, DAN)
    with pytest.raises(WrongMove):
        await room.collaborations.suggest(asked.id, ANN, "so", Target("sums.py", line=2))
    pair = await room.collaborations.accept(asked.id, BEN)
    assert (pair.state, pair.members) == ("active", ["ann", "ben"])
    assert (await room.collaborations.accept(asked.id, BEN)).events == 2
    with pytest.raises(NotAllowed):
        await room.collaborations.accept(asked.id, OLGA)
    with pytest.raises(WrongMove):
        await room.collaborations.decline(asked.id, BEN)


async def test_it_is_declined_with_a_reason(room: Room) -> None:
    asked = await room.collaborations.request(ANN, "ben", "mend add", [], 3600)
    found = await room.collaborations.decline(asked.id, BEN, "no time")
    assert (found.state, found.reason, found.ended_by) == ("declined", "no time", "ben")
    with pytest.raises(WrongMove):
        await room.collaborations.accept(asked.id, BEN)


async def test_nobody_is_a_pair_with_oneself(room: Room) -> None:
    with pytest.raises(BadCollaboration):
        await room.collaborations.request(ANN, "ann", "mend add", [], 3600)


async def test_the_patch_of_a_suggestion_is_that_of_its_time(room: Room) -> None:
    pair = await room.pair()
    await room.propose("plus", PLUS)
    await room.collaborations.suggest(pair, ANN, "it is a plus", "plus")
    await room.propose("plus", b"print('all different')\n")
    session = await room.collaborations.get(pair)
    (first,) = session.suggestions
    assert (first.proposal, first.agent_id, first.verdict, session.open_suggestions) == (
        "plus",
        "ann",
        None,
        1,
    )
    await room.collaborations.review(pair, BEN, first.id, "change", "and a test")
    entry, review = (await room.replay(pair))[-2:]
    assert entry.patch is not None
    assert "-    return a - b\n+    return a + b\n" in entry.patch
    assert "different" not in entry.patch
    assert review.data == {
        "suggestion": first.id,
        "verdict": "change",
        "comment": "and a test",
        "moved_on": True,
    }


async def test_a_review_of_what_stands_as_it_was(room: Room) -> None:
    pair = await room.pair()
    await room.propose("plus", PLUS)
    made = await room.collaborations.suggest(pair, BEN, "it is a plus", "plus")
    await room.collaborations.review(pair, ANN, made.id, "accept")
    session = await room.collaborations.get(pair)
    assert (await room.replay(pair))[-1].data["verdict"] == "accept"
    assert "moved_on" not in (await room.replay(pair))[-1].data
    assert (session.suggestions[0].verdict, session.open_suggestions) == ("accept", 0)


async def test_a_patch_that_is_not_utf_8(room: Room) -> None:
    pair = await room.pair()
    await room.propose("latin", "print('grün')\n".encode("latin-1"))
    await room.collaborations.suggest(pair, ANN, "in colour", "latin")
    entry = (await room.replay(pair))[-1]
    assert entry.patch is None
    assert entry.patch_b64 is not None
    assert b"+print('gr\xfcn')" in entry.patch_b64


async def test_a_note_is_told_where_it_stood_at_each_time(room: Room) -> None:
    pair = await room.pair()
    made = await room.collaborations.suggest(pair, BEN, "divide by b", Target("sums.py", symbol="half"))
    await room.change(f"# moved on\n\n{CODE}")
    await room.collaborations.review(pair, ANN, made.id, "reject", "two it is")
    await room.change("print('gone')\n")
    suggested, reviewed = (await room.replay(pair))[-2:]
    assert suggested.note is not None
    assert reviewed.note is not None
    assert (suggested.note.id, suggested.note.lines) == (made.note, (5, 6))
    assert (reviewed.note.id, reviewed.note.lines) == (made.note, (7, 8))


async def test_the_note_can_be_found_by_others(room: Room) -> None:
    pair = await room.pair()
    await room.collaborations.suggest(pair, BEN, "a plus", Target("sums.py", line=2))
    [placed] = (await room.annotations.listed("sums.py")).placed
    assert (placed.note.text, placed.note.category, placed.note.agent_id) == ("a plus", "suggestion", "ben")


async def test_only_the_partner_reviews_and_once(room: Room) -> None:
    pair = await room.pair()
    name = (await room.collaborations.suggest(pair, BEN, "a plus", Target("sums.py", line=2))).id
    for other in (BEN, DAN, OLGA):
        with pytest.raises(NotAllowed):
            await room.collaborations.review(pair, other, name, "accept")
    with pytest.raises(NoSuchSuggestion):
        await room.collaborations.review(pair, ANN, "s1", "accept")
    await room.collaborations.review(pair, ANN, name, "accept")
    with pytest.raises(AlreadyReviewed):
        await room.collaborations.review(pair, ANN, name, "reject")
    assert (await room.collaborations.get(pair)).suggestions[0].verdict == "accept"


@pytest.mark.parametrize(
    ("reference", "error"),
    [
        ("nothing", NoSuchProposal),
        ("empty", BadSuggestion),
        (Target("gone.py", line=1), NotCaptured),
        (Target("sums.py", line=99), BadAnnotation),
        (Target("sums.py", symbol="third"), BadAnnotation),
    ],
)
async def test_what_cannot_be_suggested_leaves_nothing(
    room: Room, reference: str | Target, error: type[Exception]
) -> None:
    pair = await room.pair()
    await room.proposals.create("empty", agent="ann")
    with pytest.raises(error):
        await room.collaborations.suggest(pair, ANN, "so", reference)
    session = await room.collaborations.get(pair)
    assert (session.suggestions, session.events) == ([], 2)


async def test_a_patch_has_a_bound(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighthouse.collaboration.references.MAX_PATCH", 100)
    pair = await room.pair()
    await room.propose("plus", PLUS)
    with pytest.raises(BadSuggestion):
        await room.collaborations.suggest(pair, ANN, "so", "plus")


async def test_suggestions_have_a_bound(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lighthouse.collaboration.moves.MAX_SUGGESTIONS", 1)
    pair = await room.pair()
    await room.collaborations.suggest(pair, BEN, "a plus", Target("sums.py", line=2))
    with pytest.raises(TooMuchGoingOn):
        await room.collaborations.suggest(pair, BEN, "a plus", Target("sums.py", line=2))


async def test_either_completes_it(room: Room) -> None:
    pair = await room.pair()
    with pytest.raises(NotAllowed):
        await room.collaborations.complete(pair, OLGA, "done")
    found = await room.collaborations.complete(pair, BEN, "it adds")
    assert (found.state, found.reason, found.ended_by) == ("completed", "it adds", "ben")
    with pytest.raises(WrongMove):
        await room.collaborations.say(pair, ANN, "thank you")


async def test_who_asked_takes_it_back_and_an_operator_ends_it(room: Room) -> None:
    asked = await room.collaborations.request(ANN, "ben", "mend add", [], 3600)
    with pytest.raises(NotAllowed):
        await room.collaborations.close_session(asked.id, BEN)
    assert (await room.collaborations.close_session(asked.id, ANN, "done alone")).how == "closed"
    pair = await room.pair()
    assert (await room.collaborations.close_session(pair, OLGA)).state == "closed"


async def test_a_request_that_nobody_answers_ends(room: Room, clock: Clock) -> None:
    asked = await room.collaborations.request(ANN, "ben", "mend add", [], 60)
    clock.ahead = 61
    with pytest.raises(WrongMove):
        await room.collaborations.accept(asked.id, BEN)
    await room.collaborations.expire()
    assert (asked.state, asked.how) == ("closed", "idle")


async def test_neither_kind_takes_the_moves_of_the_other(room: Room) -> None:
    pair, team = await room.pair(), (await room.team(BEN)).id
    for move in (room.collaborations.join, room.collaborations.leave):
        with pytest.raises(WrongMove):
            await move(pair, BEN)
    for move in (room.collaborations.accept, room.collaborations.decline):
        with pytest.raises(WrongMove):
            await move(team, BEN)
    assert STATES["pair"].keys() & STATES["collaboration"].keys() == {"said", "closed"}


async def test_a_suggestion_sent_again_is_one_although_the_project_moved_on(room: Room) -> None:
    pair = await room.pair()
    await room.propose("plus", PLUS)

    async def suggest() -> set[str]:
        place = Target("sums.py", line=2)
        note = await room.collaborations.suggest(pair, ANN, "a plus", place, idempotency_key="note")
        patch = await room.collaborations.suggest(pair, ANN, "as here", "plus", idempotency_key="patch")
        return {note.id, patch.id}

    first = await suggest()
    await room.change(CODE.replace("a / 2", "a // 2"))
    await room.propose("plus", b"print('all different')\n")
    assert await suggest() == first
    session = await room.collaborations.get(pair)
    assert len(session.suggestions) == 2
    notes = (await room.store.query(Query(type="annotation.added", limit=100))).events
    assert len(notes) == 1
    with pytest.raises(Conflict):
        await room.collaborations.suggest(pair, ANN, "a plus!", "plus", idempotency_key="note")
