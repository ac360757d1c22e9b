"""The door every request comes through: its id and limits, who sends it, its shape, how it is answered."""

import asyncio
import contextlib
import functools
import itertools
import logging
import re
import secrets
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import msgspec
from aiohttp import web

from lighthouse.bridge import problems
from lighthouse.bridge.call import Call, Route, connected
from lighthouse.bridge.encoded import Encoded
from lighthouse.bridge.logs import REQUEST_ID
from lighthouse.bridge.problems import Rejected
from lighthouse.bridge.schemas import EventBatch, EventStore, Request
from lighthouse.errors import LighthouseError
from lighthouse.sessions import BadToken, Identity, NotAllowed, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

MAX_BODY = 1024 * 1024
BODY_SECONDS = 30.0
REQUEST_KEY = web.RequestKey("request_id", str)
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
# Ids need to differ, not to be secret: a random part for this run, then a number.
_RUN = secrets.token_hex(4)
_NUMBERS = itertools.count(1)

log = logging.getLogger("lighthouse.http")

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


def make_middleware(bridge: "Bridge") -> Any:
    """Gives each request its id, turns every error into a problem, counts and logs the answer."""

    @web.middleware
    async def door(request: web.Request, handler: Next) -> web.StreamResponse:
        started = time.perf_counter()
        given = request.headers.get("X-Request-Id", "")
        request_id = given if _REQUEST_ID.fullmatch(given) else f"{_RUN}{next(_NUMBERS):08x}"
        request[REQUEST_KEY] = request_id
        context = REQUEST_ID.set(request_id)
        try:
            answer = await _answer(request, handler, request_id)
            seconds = None if answer.prepared else time.perf_counter() - started
            _tell(bridge, request, answer.status, seconds)
            return answer
        finally:
            REQUEST_ID.reset(context)

    return door


def make_handler(bridge: "Bridge", route: Route) -> Next:
    """The aiohttp handler of a route: admits, checks shapes, calls, encodes."""

    async def handle(request: web.Request) -> web.StreamResponse:
        if not (route.while_starting or bridge.serving):
            raise Rejected(503, f"the bridge is {bridge.phase}", "try again in a moment")
        identity = _admit(bridge, route, request)
        there = contextlib.nullcontext() if identity is None else _presence(bridge, request, identity)
        with there:
            body = await _body(bridge, route, request, identity)
            answer = await route.handler(bridge, Call(request, identity, body, read_query(route, request)))
        if isinstance(answer, web.StreamResponse):
            return answer
        return Encoded(msgspec.json.encode(answer), request[REQUEST_KEY])

    return handle


def _presence(
    bridge: "Bridge", request: web.Request, identity: Identity
) -> contextlib.AbstractContextManager[None]:
    return bridge.presence.during(identity.agent_id, lambda: connected(request))


async def _answer(request: web.Request, handler: Next, request_id: str) -> web.StreamResponse:
    try:
        return await handler(request)
    except LighthouseError as error:
        if (answer := problems.from_error(error, request_id)) is not None:
            return answer
        log.exception("a request failed")
    except web.HTTPException as error:
        headers = {name: error.headers[name] for name in ("Allow",) if name in error.headers}
        return problems.response(error.status, _explained(error), request_id, headers)
    except Exception:
        log.exception("a request failed")
    return problems.response(500, "the bridge failed; its log says more under this instance", request_id)


def _explained(error: web.HTTPException) -> str:
    if isinstance(error, web.HTTPRequestEntityTooLarge):
        return f"the body is larger than {MAX_BODY} bytes: send less at once"
    if isinstance(error, web.HTTPMethodNotAllowed):
        return f"{error.method} is not for this path: use {', '.join(sorted(error.allowed_methods))}"
    if isinstance(error, web.HTTPNotFound):
        return "there is no such route: see /openapi.json"
    return error.reason


def _tell(bridge: "Bridge", request: web.Request, status: int, seconds: float | None) -> None:
    resource = request.match_info.route.resource
    route = resource.canonical if resource is not None else "unknown"
    method = request.method if resource is not None else "unknown"
    bridge.metrics.answered(route, method, status, seconds)
    level = logging.ERROR if status == 500 else logging.INFO if status >= 400 else logging.DEBUG
    if log.isEnabledFor(level):
        took = None if seconds is None else round(seconds * 1000, 3)
        log.log(
            level,
            "answered",
            extra={"method": method, "route": route, "status": status, "milliseconds": took},
        )


def _admit(bridge: "Bridge", route: Route, request: web.Request) -> Identity | None:
    """Who calls, if the route asks; raises BadToken, NotAllowed or Rejected (429)."""
    if route.permission is None:
        return None
    peer = request.remote or "unix"
    try:
        identity = _named(bridge, _token(request))
    except (Rejected, BadToken) as error:
        if wait := bridge.failure_limit.take(peer):
            raise too_many("failed attempts", wait) from error
        if isinstance(error, BadToken):
            bridge.audit.rejected(401, error.reason, route.path, peer, None)
        raise
    if wait := bridge.agent_limit.take(identity.agent_id):
        raise too_many("requests", wait)
    if route.permission and not allows(identity.role, route.permission):  # type: ignore[arg-type]
        raise _refused(bridge, route, request, identity, f"the role {identity.role} lacks {route.permission}")
    return identity


def _named(bridge: "Bridge", token: str) -> Identity:
    identity = bridge.sessions.authenticate(token)
    if identity.kind == "console":
        # Browsers show cookies to whatever listens on this host: what one sees must not become a token.
        raise BadToken("a session of the console is no token of the API")
    return identity


def _token(request: web.Request) -> str:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Rejected(401, "this route needs a token", "send 'Authorization: Bearer TOKEN'")
    return token.strip()


def too_many(what: str, wait: float) -> Rejected:
    """The refusal of one who asks too often."""
    after = {"Retry-After": str(max(1, round(wait + 0.5)))}
    return Rejected(429, f"too many {what}", "slow down", after)


def _refused(
    bridge: "Bridge", route: Route, request: web.Request, identity: Identity, reason: str
) -> NotAllowed:
    bridge.audit.rejected(403, reason, route.path, request.remote or "unix", identity.agent_id)
    return NotAllowed(reason, "ask with a token that may")


async def _body(bridge: "Bridge", route: Route, request: web.Request, identity: Identity | None) -> Any:
    if route.body is None or route.body_as_it_comes:
        return None
    if request.content_length is not None and request.content_length > MAX_BODY:
        raise web.HTTPRequestEntityTooLarge(MAX_BODY, request.content_length)
    raw = await read_raw(request)
    body = decode(b"{}" if not raw and route.body_optional else raw, route.body)
    if identity is not None:
        for item in [body, *body.events] if isinstance(body, EventBatch) else [body]:
            if item.agent_id not in (None, identity.agent_id):
                reason = "the body names another agent than the token"
                raise _refused(bridge, route, request, identity, reason)
    return body


async def read_raw(request: web.Request) -> bytes:
    """The body, if it comes within its time; raises Rejected (408)."""
    if request.content.is_eof():
        # As nearly always, it came with the head: there is nothing to wait for, nor to ask the parser for.
        raw: bytes = request.content.read_nowait()
        if len(raw) > MAX_BODY:
            raise web.HTTPRequestEntityTooLarge(MAX_BODY, len(raw))
        return raw
    try:
        async with asyncio.timeout(BODY_SECONDS):
            return await request.read()
    except TimeoutError as error:
        raise Rejected(408, f"the body did not arrive within {BODY_SECONDS:.0f} s", "try again") from error


def decode(raw: bytes, kind: Any) -> Request:
    """`raw` as a `kind`; raises Rejected: 400 for what is not JSON, 422 for JSON of another shape."""
    if isinstance(kind, type):
        with contextlib.suppress(msgspec.MsgspecError, UnicodeError, RecursionError):
            well: Request = msgspec.json.decode(raw, type=kind)
            return well
    # Once more, slowly, to tell what is wrong with it.
    try:
        value = msgspec.json.decode(raw)
    except msgspec.ValidationError as error:
        raise Rejected(422, f"the body holds what this API has no use for ({error})", "correct it") from error
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise Rejected(400, f"the body is not JSON ({error})", "send one JSON object in UTF-8") from error
    if kind == (EventStore, EventBatch):
        kind = EventBatch if isinstance(value, dict) and "events" in value else EventStore
    try:
        request: Request = msgspec.convert(value, kind)
    except (msgspec.ValidationError, RecursionError) as error:
        raise Rejected(422, f"the body has the wrong shape ({error})", "see /openapi.json") from error
    return request


def read_query(route: Route, request: web.Request) -> Any:
    """The query as the route wants it; raises Rejected (422)."""
    if route.query is None:
        return None
    given = request.query
    if len(given) != len(set(given)):
        raise Rejected(422, "a query parameter is given twice", "give it once")
    try:
        query = msgspec.convert(dict(given), route.query, strict=False)
    except msgspec.ValidationError as error:
        raise Rejected(422, f"the query has the wrong shape ({error})", "see /openapi.json") from error
    for name in given:
        # `null` would pass for a limit left out, where a caller's program had no value for it.
        if getattr(query, _attributes(route.query)[name]) is None:
            raise Rejected(422, f"the query's {name} has no value", "leave it out, or say which")
    return query


@functools.cache
def _attributes(kind: Any) -> dict[str, str]:
    """The struct's attributes by the names that they have in a query."""
    return {field.encode_name: field.name for field in msgspec.structs.fields(kind)}
