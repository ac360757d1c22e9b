"""The console's way in: a cookie instead of a token, forms instead of JSON, pages instead of problems."""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, quote

import msgspec
from aiohttp import web

from lighthouse.bridge import problems
from lighthouse.bridge.call import Call, Route
from lighthouse.bridge.door import MAX_BODY, read_query, read_raw, too_many
from lighthouse.bridge.problems import Rejected
from lighthouse.errors import LighthouseError
from lighthouse.sessions import BadToken, Identity, NotAllowed, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

COOKIE = "lighthouse_console"
HOME = "/"
LOGIN = "/console/login"
MOST_FIELDS = 20
# A longer address would not be taken as a request.
MOST_FOLLOWING = 4000
# On whatever a route of the console answers. With `no-referrer` browsers would call a form's origin `null`.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_CONSOLE = web.RequestKey("console", bool)

Next = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Form(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Common to all forms. The field `seal`, which each has besides, is the door's affair."""


class NotLoggedIn(LighthouseError):
    """There is no session, or it has ended: the way leads to the log-in."""


def make_handler(bridge: "Bridge", route: Route) -> Next:
    """The aiohttp handler of a console's route: admits, reads the form, calls, tells refusals as pages."""

    async def handle(request: web.Request) -> web.StreamResponse:
        request[_CONSOLE] = True
        identity: Identity | None = None
        try:
            _check_host(bridge, request)
            if not (route.while_starting or bridge.serving):
                raise Rejected(503, f"the bridge is {bridge.phase}", "try again in a moment")
            if request.method == "POST":
                _check_origin(request)
            if route.permission is not None:
                identity = _admit(bridge, route, request)
            body = await _form(bridge, route, request, identity)
            answer = await route.handler(bridge, Call(request, identity, body, read_query(route, request)))
        except NotLoggedIn:
            back = request.path_qs if request.method == "GET" else HOME
            following = quote(back, safe="")
            return redirect(f"{LOGIN}?next={following if len(following) <= MOST_FOLLOWING else '%2F'}")
        except web.HTTPRequestEntityTooLarge:
            return await _refusal(bridge, identity, 413, f"the form is larger than {MAX_BODY} bytes")
        except LighthouseError as error:
            if (status := problems.status_of(error)) is None:
                raise
            headers = error.headers if isinstance(error, Rejected) else {}
            return await _refusal(bridge, identity, status, str(error), headers)
        assert isinstance(answer, web.StreamResponse)  # noqa: S101 - what a page's handler returns
        return answer

    return handle


async def stamp(request: web.Request, response: web.StreamResponse) -> None:
    """Set the headers that hold a page together, on refusals and failures too."""
    if request.get(_CONSOLE):
        response.headers.update(HEADERS)


async def page(
    bridge: "Bridge",
    identity: Identity | None,
    template: str,
    values: dict[str, Any],
    *,
    status: int = 200,
    headers: dict[str, str] | None = None,
) -> web.Response:
    """A template as an answer. All of them want `title` and `here`, the page's place in the navigation."""
    known = {
        "who": identity,
        "seal": bridge.seal.of(identity) if identity is not None else "",
        "waiting": bridge.waiting if identity is not None else 0,
        "version": bridge.settings.version,
    }
    # A page may hold megabytes, and others wait on the loop.
    text = await asyncio.to_thread(bridge.pages.render, template, known | values)
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def redirect(location: str) -> web.Response:
    """Go on with a GET of another page."""
    return web.Response(status=303, headers={"Location": location})


async def _refusal(
    bridge: "Bridge", identity: Identity | None, status: int, detail: str, headers: Any = None
) -> web.Response:
    sent = dict(headers or {})
    if status in (429, 503):
        sent.setdefault("Retry-After", str(problems.RETRY_SECONDS))
    values = {"title": HTTPStatus(status).phrase, "here": "", "status": status, "detail": detail}
    return await page(bridge, identity, "refusal.html", values, status=status, headers=sent)


def _check_host(bridge: "Bridge", request: web.Request) -> None:
    """Raise Rejected (421) for a name that is not this bridge's.

    A stranger's page may let its own name lead to this machine, and the browser then takes both for one site.
    An address written in digits cannot be led elsewhere, and `localhost` is nobody's to lead.
    """
    host = _name(request.headers.get("Host", ""))
    known = {"localhost", bridge.settings.host_port[0].lower(), *bridge.settings.console_hosts}
    if host in known or host.endswith(".localhost"):
        return
    try:
        ipaddress.ip_address(host)
    except ValueError:
        raise Rejected(
            421,
            f"this bridge is not called {host[:100]!r}",
            "use its address, or name it in the setting console_hosts",
        ) from None


def _name(host: str) -> str:
    """The host of a `Host` header, without port and brackets, in lower case."""
    if host.startswith("["):
        return host[1:].partition("]")[0].lower()
    return host.partition(":")[0].lower()


def _check_origin(request: web.Request) -> None:
    """Raise NotAllowed unless the browser says that a page of this very origin sends the form.

    `SameSite` alone would let in the pages of other ports of this host: they are other users' programs.
    """
    site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin")
    host = request.headers.get("Host", "").lower()
    same = site in (None, "same-origin") and (site is not None or origin is not None)
    if not same or (origin is not None and origin.partition("://")[2].lower() != host):
        raise NotAllowed("the form was not sent from this console", "open the console and try again there")


def _admit(bridge: "Bridge", route: Route, request: web.Request) -> Identity:
    """Whose session the cookie is; raises NotLoggedIn, NotAllowed or Rejected (429)."""
    token = request.cookies.get(COOKIE)
    if not token:
        raise NotLoggedIn("there is no session")
    peer = request.remote or "unix"
    try:
        identity = bridge.sessions.authenticate(token)
    except BadToken as error:
        if wait := bridge.failure_limit.take(peer):
            raise too_many("failed attempts", wait) from error
        bridge.audit.rejected(401, error.reason, route.path, peer, None)
        raise NotLoggedIn("the session has ended") from error
    if wait := bridge.agent_limit.take(identity.agent_id):
        raise too_many("requests", wait)
    if identity.kind != "console" or not allows(identity.role, route.permission):  # type: ignore[arg-type]
        reason = f"a {identity.kind} token of the role {identity.role} is no session of the console"
        bridge.audit.rejected(403, reason, route.path, peer, identity.agent_id)
        raise NotAllowed(reason, "log in with an operator's token")
    return identity


async def _form(bridge: "Bridge", route: Route, request: web.Request, identity: Identity | None) -> Any:
    """The form's fields; raises NotAllowed where it was made for another session, Rejected for its shape."""
    if route.body is None:
        return None
    raw = await read_raw(request)
    try:
        pairs = parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=MOST_FIELDS)
        fields = dict(pairs)
        if len(fields) != len(pairs):
            raise Rejected(422, "a field is given twice", "send the form as the page has it")
        seal = fields.pop("seal", "")
        if identity is not None and not bridge.seal.holds(identity, seal):
            raise NotAllowed("the form is not of this session", "open the page again and send it from there")
        return msgspec.convert(fields, route.body, strict=False)
    except ValueError as error:
        raise Rejected(
            422, f"the form has the wrong shape ({error})", "send it as the page has it"
        ) from error
