"""The console's log-in and log-out, and its assets: what there is without a session."""

import re
import time
from typing import TYPE_CHECKING, Annotated

import msgspec
from aiohttp import web

from lighthouse.bridge.call import Answer, Call, Route
from lighthouse.bridge.console_door import COOKIE, HOME, LOGIN, Form, page, redirect
from lighthouse.bridge.door import too_many
from lighthouse.bridge.problems import Rejected
from lighthouse.console import ASSETS
from lighthouse.sessions import BadToken, allows

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge

SESSION_SECONDS = 8 * 3600
_PLACE = re.compile(r"/(console/[^\\]*|\?[^\\]*)?")

Place = Annotated[str, msgspec.Meta(max_length=8000)]


class LoginQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`next` is the page to go on with."""

    next: Place = HOME


class Login(Form):
    """An operator's or admin's own token."""

    token: Annotated[str, msgspec.Meta(max_length=5000)]
    next: Place = HOME


class Logout(Form):
    """Nothing is asked."""


class AssetQuery(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """`v` tells one content of an asset from another."""

    v: str = ""


async def login_page(bridge: "Bridge", call: Call) -> web.Response:
    """The form that asks for a token."""
    wanted: LoginQuery = call.query
    return await _form(bridge, wanted.next, "")


async def login(bridge: "Bridge", call: Call) -> web.Response:
    """From a token to a session of the console alone, in a cookie out of reach of scripts and other sites."""
    form: Login = call.body
    try:
        identity = bridge.sessions.authenticate(form.token.strip())
    except BadToken as error:
        if wait := bridge.failure_limit.take(call.peer):
            raise too_many("failed attempts", wait) from error
        bridge.audit.rejected(401, error.reason, LOGIN, call.peer, None)
        return await _form(
            bridge, form.next, "This token is not accepted: it may have ended, or be of another bridge."
        )
    if wait := bridge.agent_limit.take(identity.agent_id):
        raise too_many("requests", wait)
    if identity.kind != "agent" or not allows(identity.role, "console.use"):
        what = f"a {identity.kind} token of the role {identity.role}"
        reason = f"{what} does not open the console"
        bridge.audit.rejected(403, reason, LOGIN, call.peer, identity.agent_id)
        return await _form(bridge, form.next, f"This is {what}: the console takes an operator's own.")
    token, session = await bridge.sessions.create(identity, SESSION_SECONDS, "console")
    answer = redirect(_inside(form.next))
    answer.set_cookie(
        COOKIE,
        token,
        max_age=max(1, int(session.expires_at - time.time())),
        path="/",
        httponly=True,
        samesite="Strict",
        # The bridge speaks plain HTTP; whether a proxy made it https the browser itself says.
        secure=call.request.headers.get("Origin", "").startswith("https:"),
    )
    return answer


async def logout(bridge: "Bridge", call: Call) -> web.Response:
    """End the session; its token is worth nothing from now on."""
    await bridge.sessions.revoke(call.caller, target=call.caller, reason="logged out of the console")
    answer = redirect(LOGIN)
    answer.del_cookie(COOKIE, path="/", httponly=True, samesite="Strict")
    return answer


async def asset(bridge: "Bridge", call: Call) -> web.Response:
    """A file of the console's own, which a browser may keep: its address changes with its content."""
    found = ASSETS.get(call.request.match_info["name"])
    if found is None:
        raise Rejected(404, "the console has no such file", "open the console at /")
    named = found.url.endswith(f"?v={call.query.v}")
    kept = {"Cache-Control": "public, max-age=31536000, immutable"} if named else {}
    return web.Response(body=found.content, content_type=found.media_type, charset="utf-8", headers=kept)


async def _form(bridge: "Bridge", following: str, trouble: str) -> web.Response:
    values = {"title": "Log in", "here": "", "next": _inside(following), "trouble": trouble}
    return await page(bridge, None, "login.html", values, status=403 if trouble else 200)


def _inside(place: str) -> str:
    """The place, if it is a page of the console; else its first page."""
    return place if place.isprintable() and _PLACE.fullmatch(place) else HOME


_PAGE = "text/html"

ROUTES: tuple[Route, ...] = (
    Route(
        "GET",
        "/console/login",
        "console_login_page",
        "The form that asks for an operator's token",
        login_page,
        {200: Answer("The form", media_type=_PAGE)},
        permission=None,
        query=LoginQuery,
        face="console",
    ),
    Route(
        "POST",
        "/console/login",
        "console_login",
        "Log in: an operator's or admin's token becomes a session in a cookie",
        login,
        {
            303: Answer(
                "Logged in", media_type="", headers={"Set-Cookie": "the session", "Location": "`next`"}
            ),
            403: Answer("The form again, with what is wrong with the token", media_type=_PAGE),
        },
        permission=None,
        body=Login,
        errors=(429, 507),
        face="console",
    ),
    Route(
        "POST",
        "/console/logout",
        "console_logout",
        "Log out: the session ends",
        logout,
        {303: Answer("To the log-in", media_type="", headers={"Location": "the log-in"})},
        permission="console.use",
        body=Logout,
        errors=(507,),
        face="console",
    ),
    Route(
        "GET",
        "/console/static/{name}",
        "console_asset",
        "Style, script and picture of the console",
        asset,
        {200: Answer("The file", media_type="text/css")},
        permission=None,
        query=AssetQuery,
        errors=(404,),
        while_starting=True,
        path_parameters={"name": "`console.css`, `console.js` or `icon.svg`"},
        face="console",
    ),
)
