"""Sessions over a real event store: made, refused, revoked, and remembered across a restart."""

import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from lighthouse.events import Draft, EventStore, Query
from lighthouse.keys import KeyRing
from lighthouse.sessions import BadToken, Identity, NotAllowed, Role, Sessions, mint_agent_token
from lighthouse.sessions.tokens import new_token_id, sign


@pytest.fixture
async def store(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    opened = EventStore.open(tmp_path / "events", keyring)
    yield opened
    await opened.close()


@pytest.fixture
async def sessions(store: EventStore, keyring: KeyRing) -> Sessions:
    made = Sessions(store, keyring)
    await made.load()
    return made


def agent(sessions: Sessions, keyring: KeyRing, name: str = "ann", role: Role = Role.AGENT) -> Identity:
    return sessions.authenticate(mint_agent_token(keyring, name, role, 3600))


async def restarted(store: EventStore, keyring: KeyRing) -> Sessions:
    again = Sessions(store, keyring)
    await again.load()
    return again


async def test_a_session_is_the_agents_own_and_an_event_says_so(
    sessions: Sessions, keyring: KeyRing, store: EventStore
) -> None:
    ann = agent(sessions, keyring)
    token, session = await sessions.create(ann, 60)
    assert sessions.authenticate(token) == session
    assert (session.agent_id, session.role, session.kind, session.parent) == (
        "ann",
        ann.role,
        "session",
        ann.token_id,
    )
    [event] = (await store.query(Query(stream="sessions"))).events
    assert (event.type, event.agent_id, event.value["token_id"]) == (
        "session.created",
        "ann",
        session.token_id,
    )
    assert token not in str(event)


async def test_a_session_never_outlives_its_agent_token(sessions: Sessions, keyring: KeyRing) -> None:
    ann = sessions.authenticate(mint_agent_token(keyring, "ann", Role.AGENT, 30))
    _, session = await sessions.create(ann, 3600)
    assert session.expires_at <= ann.expires_at


async def test_a_session_makes_no_sessions(sessions: Sessions, keyring: KeyRing) -> None:
    _, session = await sessions.create(agent(sessions, keyring))
    with pytest.raises(NotAllowed):
        await sessions.create(session)


async def test_a_token_that_was_believed_runs_out(
    sessions: Sessions, keyring: KeyRing, monkeypatch: pytest.MonkeyPatch
) -> None:
    token = mint_agent_token(keyring, "ann", Role.AGENT, 60)
    sessions.authenticate(token)
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + 61)
    with pytest.raises(BadToken):
        sessions.authenticate(token)


async def test_revoking_ones_session_ends_it_and_only_it(sessions: Sessions, keyring: KeyRing) -> None:
    ann = agent(sessions, keyring)
    first, session = await sessions.create(ann)
    second, _ = await sessions.create(ann)
    seq = await sessions.revoke(session, target=session)
    with pytest.raises(BadToken) as caught:
        sessions.authenticate(first)
    assert str(seq) in caught.value.reason
    sessions.authenticate(second)
    assert len(sessions.active()) == 1


async def test_revoking_an_agent_token_ends_its_sessions(sessions: Sessions, keyring: KeyRing) -> None:
    agent_token = mint_agent_token(keyring, "ann", Role.AGENT, 3600)
    ann = sessions.authenticate(agent_token)
    token, session = await sessions.create(ann)
    await sessions.revoke(session, token_id=ann.token_id)
    for revoked in (token, agent_token):
        with pytest.raises(BadToken):
            sessions.authenticate(revoked)
    assert sessions.active() == []


async def test_nobody_revokes_for_another_but_an_operator(
    sessions: Sessions, keyring: KeyRing, store: EventStore
) -> None:
    token, session = await sessions.create(agent(sessions, keyring))
    eve = agent(sessions, keyring, "eve")
    for target in ({"target": session}, {"token_id": session.token_id}, {"token_id": "0" * 32}):
        with pytest.raises(NotAllowed):
            await sessions.revoke(eve, **target)  # type: ignore[arg-type]
    sessions.authenticate(token)
    assert store.head.seq == 1
    await sessions.revoke(
        agent(sessions, keyring, "olga", Role.OPERATOR), token_id=session.token_id, reason="lost"
    )
    with pytest.raises(BadToken):
        sessions.authenticate(token)


async def test_revoking_twice_is_one_event(sessions: Sessions, keyring: KeyRing, store: EventStore) -> None:
    olga = agent(sessions, keyring, "olga", Role.OPERATOR)
    token_id = new_token_id()
    first = await sessions.revoke(olga, token_id=token_id)
    assert await sessions.revoke(olga, token_id=token_id) == first == store.head.seq


async def test_a_restart_forgets_neither_sessions_nor_revocations(
    sessions: Sessions, keyring: KeyRing, store: EventStore
) -> None:
    ann = agent(sessions, keyring)
    gone, session = await sessions.create(ann)
    kept, _ = await sessions.create(ann)
    await sessions.revoke(session, target=session)
    again = await restarted(store, keyring)
    with pytest.raises(BadToken):
        again.authenticate(gone)
    assert again.authenticate(kept) in again.active()
    assert len(again.active()) == 1


async def test_more_revocations_than_a_page_are_remembered(
    sessions: Sessions, keyring: KeyRing, store: EventStore
) -> None:
    ids = [new_token_id() for _ in range(1001)]
    drafts = [Draft("session.revoked", {"token_id": token_id}, "sessions") for token_id in ids]
    await store.append(drafts[:1000], agent_id="lighthouse")
    await store.append(drafts[1000:], agent_id="lighthouse")
    again = await restarted(store, keyring)
    last = Identity("ann", Role.AGENT, ids[-1], "agent", time.time() + 60)
    with pytest.raises(BadToken):
        again.authenticate(sign(keyring, last))


async def test_a_session_that_could_not_be_recorded_does_not_exist(
    keyring: KeyRing, store: EventStore, sessions: Sessions
) -> None:
    ann = agent(sessions, keyring)
    await store.close()
    with pytest.raises(Exception, match="store"):
        await asyncio.wait_for(sessions.create(ann), 5)
    assert sessions.active() == []


async def test_the_cache_of_tokens_stays_bounded(sessions: Sessions, keyring: KeyRing) -> None:
    for _ in range(1100):
        sessions.authenticate(mint_agent_token(keyring, "ann", Role.AGENT, 60))
    assert len(sessions._cache) <= 1024
