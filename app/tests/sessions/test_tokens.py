"""Tokens: what we sign we read; whatever else looks like a token is refused."""

import base64
import json
import time
from typing import Any

import jwt
import pytest

from lighthouse.errors import LighthouseError
from lighthouse.keys import KeyRing
from lighthouse.sessions import BadToken, Role, mint_agent_token
from lighthouse.sessions.tokens import Identity, read, sign

OTHER = KeyRing(b"another-secret-of-thirty-two-bytes!")


def claims(**changed: Any) -> dict[str, Any]:
    base = {
        "aud": "lighthouse",
        "sub": "ann",
        "role": "agent",
        "typ": "agent",
        "iat": int(time.time()),
        "exp": int(time.time()) + 60,
        "jti": "0" * 32,
    }
    return {name: value for name, value in (base | changed).items() if value is not None}


def signed(keyring: KeyRing, body: dict[str, Any], **options: Any) -> str:
    header = {"kid": keyring.key_id("tokens")} | options.pop("headers", {})
    return jwt.encode(body, keyring.key("tokens"), options.pop("algorithm", "HS256"), headers=header)


def test_a_minted_token_is_read_back(keyring: KeyRing) -> None:
    identity = read(keyring, mint_agent_token(keyring, "ann", Role.EXPERT, 3600))
    assert (identity.agent_id, identity.role, identity.kind, identity.parent) == (
        "ann",
        Role.EXPERT,
        "agent",
        None,
    )
    assert 3590 < identity.expires_at - time.time() <= 3600


def test_two_tokens_of_one_agent_differ(keyring: KeyRing) -> None:
    first, second = (read(keyring, mint_agent_token(keyring, "ann", Role.AGENT, 60)) for _ in range(2))
    assert first.token_id != second.token_id


def test_a_session_token_keeps_its_parent(keyring: KeyRing) -> None:
    identity = Identity("ann", Role.AGENT, "1" * 32, "session", float(int(time.time()) + 60), "2" * 32)
    assert read(keyring, sign(keyring, identity)) == identity


@pytest.mark.parametrize("agent_id", ["", "a b", "-a", "a/b", "a" * 65, "é", "lighthouse", "a\n"])
def test_what_cannot_be_an_agent_gets_no_token(keyring: KeyRing, agent_id: str) -> None:
    with pytest.raises(LighthouseError):
        mint_agent_token(keyring, agent_id, Role.AGENT, 60)


@pytest.mark.parametrize("ttl", [0, -1, float("nan")])
def test_a_token_without_a_life_is_refused(keyring: KeyRing, ttl: float) -> None:
    with pytest.raises(LighthouseError):
        mint_agent_token(keyring, "ann", Role.AGENT, ttl)


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": int(time.time()) - 1},
        {"exp": None},
        {"exp": "soon"},
        {"aud": "elsewhere"},
        {"aud": ["lighthouse"]},
        {"aud": None},
        {"sub": None},
        {"sub": "lighthouse"},
        {"sub": "a b"},
        {"role": "king"},
        {"role": ["admin"]},
        {"role": None},
        {"typ": "other"},
        {"typ": "session"},
        {"typ": "agent", "par": "0" * 32},
        {"typ": None},
        {"jti": "short"},
        {"jti": None},
        {"iat": None},
    ],
)
def test_claims_that_are_not_ours_are_refused_even_when_signed(
    keyring: KeyRing, changed: dict[str, Any]
) -> None:
    with pytest.raises(BadToken):
        read(keyring, signed(keyring, claims(**changed)))


def test_another_key_is_refused(keyring: KeyRing) -> None:
    with pytest.raises(BadToken):
        read(keyring, mint_agent_token(OTHER, "ann", Role.ADMIN, 60))


def test_another_purposes_key_is_refused(keyring: KeyRing) -> None:
    token = jwt.encode(claims(), keyring.key("events"), "HS256", headers={"kid": keyring.key_id("tokens")})
    with pytest.raises(BadToken):
        read(keyring, token)


def test_another_key_id_is_refused(keyring: KeyRing) -> None:
    with pytest.raises(BadToken):
        read(keyring, signed(keyring, claims(), headers={"kid": "0" * 16}))


@pytest.mark.filterwarnings("ignore:The HMAC key is 32 bytes")
def test_another_algorithm_is_refused(keyring: KeyRing) -> None:
    with pytest.raises(BadToken):
        read(keyring, signed(keyring, claims(), algorithm="HS512"))


def test_no_algorithm_is_refused(keyring: KeyRing) -> None:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    for name in ("none", "None", "NONE"):
        header = {"alg": name, "typ": "JWT", "kid": keyring.key_id("tokens")}
        with pytest.raises(BadToken):
            read(keyring, f"{part(header)}.{part(claims(role='admin'))}.")


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b.c", "é.é.é", "\ud800", "x" * 5000, "null", "e30.e30.e30"]
)
def test_what_is_no_token_is_refused(keyring: KeyRing, token: str) -> None:
    with pytest.raises(BadToken):
        read(keyring, token)


def test_one_changed_letter_anywhere_is_refused(keyring: KeyRing) -> None:
    token = mint_agent_token(keyring, "ann", Role.OBSERVER, 60)
    # The last letter of a base64 text may carry bits that nobody reads; the one before it does not.
    for at in [*range(0, len(token) - 2, 7), len(token) - 2]:
        changed = token[:at] + ("A" if token[at] != "A" else "B") + token[at + 1 :]
        with pytest.raises(BadToken):
            read(keyring, changed)


def test_the_caller_is_not_told_why_and_the_log_is(keyring: KeyRing) -> None:
    expired, forged = (signed(keyring, claims(exp=1)), mint_agent_token(OTHER, "ann", Role.AGENT, 60))
    told = []
    for token in (expired, forged):
        with pytest.raises(BadToken) as caught:
            read(keyring, token)
        told.append(caught.value)
    assert str(told[0]) == str(told[1])
    assert told[0].reason != told[1].reason


def test_an_expired_token_still_names_itself_for_revoking(keyring: KeyRing) -> None:
    assert read(keyring, signed(keyring, claims(exp=1)), allow_expired=True).token_id == "0" * 32
