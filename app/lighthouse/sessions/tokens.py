"""Tokens: JSON Web Tokens signed by HMAC-SHA256 with the installation's key; made and believed here alone."""

import re
import time
import uuid
from typing import Any, Literal, get_args

import jwt
import msgspec

from lighthouse.errors import LighthouseError
from lighthouse.keys import KeyRing
from lighthouse.sessions.roles import Role

ALGORITHM = "HS256"
AUDIENCE = "lighthouse"
PURPOSE = "tokens"
BRIDGE_AGENT = "lighthouse"
MAX_TOKEN = 4096
_AGENT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{0,63}")
_TOKEN_ID = re.compile(r"[0-9a-f]{32}")

# `session` is made from an agent's token and stands for it; `console` is what a browser keeps as a cookie.
Kind = Literal["agent", "session", "console"]


class BadToken(LighthouseError):
    """The token is not believed (HTTP 401). `reason` is for the log; the caller is told the same for all."""

    def __init__(self, reason: str) -> None:
        super().__init__("the token is not accepted", "get a new one from whoever runs the bridge")
        self.reason = reason


class Identity(msgspec.Struct, frozen=True):
    """Who a token speaks for. `expires_at` is in seconds since 1970; `parent` is the id of the agent token
    that a session token was made from."""

    agent_id: str
    role: Role
    token_id: str
    kind: Kind
    expires_at: float
    parent: str | None = None


def mint_agent_token(keyring: KeyRing, agent_id: str, role: Role, ttl_seconds: float) -> str:
    """An agent's token, made from the secret alone; raises LighthouseError for an id that cannot be one."""
    if not _AGENT_ID.fullmatch(agent_id):
        raise LighthouseError(
            f"{agent_id!r} cannot be an agent's id",
            "use 1 to 64 letters, digits and . _ @ -, a letter or digit first",
        )
    if agent_id == BRIDGE_AGENT:
        raise LighthouseError(f"{agent_id!r} is the bridge's own id", "choose another")
    if not ttl_seconds > 0:
        raise LighthouseError("a token has to live for some time", "give a positive number of seconds")
    expires_at = int(time.time() + ttl_seconds)
    return sign(keyring, Identity(agent_id, Role(role), new_token_id(), "agent", expires_at))


def new_token_id() -> str:
    """A fresh random id, 32 hex digits."""
    return uuid.uuid4().hex


def sign(keyring: KeyRing, identity: Identity) -> str:
    """The token that says `identity`."""
    claims: dict[str, Any] = {
        "aud": AUDIENCE,
        "sub": identity.agent_id,
        "role": identity.role.value,
        "typ": identity.kind,
        "iat": int(time.time()),
        "exp": int(identity.expires_at),
        "jti": identity.token_id,
    }
    if identity.parent is not None:
        claims["par"] = identity.parent
    return jwt.encode(claims, keyring.key(PURPOSE), ALGORITHM, headers={"kid": keyring.key_id(PURPOSE)})


def read(keyring: KeyRing, token: str, *, allow_expired: bool = False) -> Identity:
    """The identity a token carries, its signature checked; raises BadToken.

    `allow_expired` is for revoking, where a token past its time still names itself.
    """
    if len(token) > MAX_TOKEN:
        raise BadToken("longer than a token can be")
    try:
        # Before anything is verified: the library compares the algorithm, and we the key's name.
        header = jwt.get_unverified_header(token)
        claims = jwt.decode(
            token,
            keyring.key(PURPOSE),
            algorithms=[ALGORITHM],
            audience=AUDIENCE,
            options={
                "require": ["exp", "iat", "sub", "jti", "aud", "typ", "role"],
                "strict_aud": True,
                "verify_exp": not allow_expired,
                # A token minted on a host whose clock is ahead of the guest's is no forgery.
                "verify_iat": False,
            },
        )
    except jwt.ExpiredSignatureError as error:
        raise BadToken("expired") from error
    except (jwt.PyJWTError, ValueError, UnicodeError) as error:
        raise BadToken(f"not valid ({error})") from error
    if header.get("kid") != keyring.key_id(PURPOSE):
        raise BadToken("signed by this key but naming another")
    return _identity(claims)


def _identity(claims: dict[str, Any]) -> Identity:
    kind, parent, expires_at = claims["typ"], claims.get("par"), claims["exp"]
    ids = [claims["jti"]] if parent is None else [claims["jti"], parent]
    if (
        kind not in get_args(Kind)
        or (kind == "agent") != (parent is None)
        or not all(isinstance(item, str) and _TOKEN_ID.fullmatch(item) for item in ids)
        or not _AGENT_ID.fullmatch(claims["sub"])
        or claims["sub"] == BRIDGE_AGENT
        or not isinstance(claims["role"], str)
        or claims["role"] not in set(Role)
        or isinstance(expires_at, bool)
        or not isinstance(expires_at, int | float)
    ):
        raise BadToken("signed, but its claims are not those of this version")
    return Identity(claims["sub"], Role(claims["role"]), claims["jti"], kind, float(expires_at), parent)
