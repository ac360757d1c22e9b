"""POST /session/create, /session/validate, /session/revoke: from an agent's token to a short one and back."""

import time
from typing import TYPE_CHECKING

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import (
    SessionCreate,
    SessionCreated,
    SessionRevoke,
    SessionRevoked,
    SessionValidate,
    SessionValidity,
)
from lighthouse.bridge.state import moment
from lighthouse.sessions import BadToken, NotAllowed

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


async def create(bridge: "Bridge", call: Call) -> SessionCreated:
    """A session token, bound to the agent of the agent token that asks."""
    wanted: SessionCreate = call.body
    try:
        token, session = await bridge.sessions.create(call.caller, wanted.ttl_seconds)
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise
    return SessionCreated(
        token=token,
        token_id=session.token_id,
        agent_id=session.agent_id,
        role=session.role.value,
        expires_at=moment(session.expires_at),
        expires_in=max(0.0, session.expires_at - time.time()),
    )


async def validate(bridge: "Bridge", call: Call) -> SessionValidity:
    """Whom a token speaks for, if it is good; the answer to a bad one does not say why."""
    asked: SessionValidate = call.body
    identity = call.caller
    if asked.token is not None:
        try:
            identity = bridge.sessions.authenticate(asked.token)
        except BadToken as error:
            bridge.audit.rejected(200, error.reason, call.request.path, call.peer, call.caller.agent_id)
            return SessionValidity(valid=False)
    return SessionValidity(
        valid=True,
        agent_id=identity.agent_id,
        role=identity.role.value,
        kind=identity.kind,
        token_id=identity.token_id,
        expires_at=moment(identity.expires_at),
        expires_in=max(0.0, identity.expires_at - time.time()),
    )


async def revoke(bridge: "Bridge", call: Call) -> SessionRevoked:
    """End a token at once; an agent token takes the sessions made from it along."""
    wanted: SessionRevoke = call.body
    if wanted.token is not None and wanted.token_id is not None:
        raise Rejected(422, "a token and a token_id are both given", "give one of them")
    target, token_id = None, wanted.token_id
    if wanted.token is not None:
        try:
            target = bridge.sessions.named(wanted.token)
        except BadToken as error:
            raise Rejected(
                422, "the token to revoke is not one of this bridge", "nothing needs doing"
            ) from error
    elif token_id is None:
        target = call.caller
    try:
        seq = await bridge.sessions.revoke(
            call.caller, target=target, token_id=token_id, reason=wanted.reason
        )
    except NotAllowed as error:
        bridge.audit.rejected(403, error.message, call.request.path, call.peer, call.caller.agent_id)
        raise
    return SessionRevoked(target.token_id if target else str(token_id), seq)


ROUTES: tuple[Route, ...] = (
    Route(
        "POST",
        "/session/create",
        "session_create",
        "Exchange an agent token for a short session token of the same agent",
        create,
        {200: Answer("The session token", SessionCreated)},
        permission="session.create",
        body=SessionCreate,
        errors=(507,),
    ),
    Route(
        "POST",
        "/session/validate",
        "session_validate",
        "Whom a token speaks for; without one in the body, the request's own",
        validate,
        {200: Answer("`valid` false for a bad token", SessionValidity)},
        body=SessionValidate,
    ),
    Route(
        "POST",
        "/session/revoke",
        "session_revoke",
        "End a token: one's own, or as operator or admin anyone's; an agent token ends its sessions too",
        revoke,
        {200: Answer("It is worth nothing from now on", SessionRevoked)},
        body=SessionRevoke,
        errors=(507,),
    ),
)
