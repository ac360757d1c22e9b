"""The console's way in, over plain HTTP: cookies, forms and the headers that hold a page together."""

import io
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

import pytest

from lighthouse.bridge.call import Route
from lighthouse.bridge.console_door import COOKIE
from lighthouse.bridge.limits import RateLimit
from lighthouse.bridge.routes import ROUTES
from lighthouse.sessions import BadToken, Role
from tests.bridge.conftest import Answer, Api, Start
from tests.conftest import WaitFor

CONSOLE = [route for route in ROUTES if route.face == "console"]
CLOSED = [route for route in CONSOLE if route.permission is not None]
STRICT = {
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "connect-src 'self'",
    "form-action 'self'",
}
POSTS = [route for route in CLOSED if route.method == "POST"]


class Visitor:
    """A browser as far as cookies and the origin of forms go."""

    def __init__(self, api: Api) -> None:
        self.api = api
        self.cookie = ""

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.api.port}"

    async def get(self, path: str, **headers: str) -> Answer:
        return await self._call("GET", path, headers)

    async def post(self, path: str, fields: dict[str, Any], **headers: str) -> Answer:
        sent = {"Origin": self.origin, "Content-Type": "application/x-www-form-urlencoded"} | headers
        return await self._call("POST", path, sent, data=urlencode(fields).encode())

    async def log_in(self, agent: str = "olga", role: Role = Role.OPERATOR, **fields: str) -> Answer:
        answer = await self.post("/console/login", {"token": self.api.token(agent, role)} | fields)
        if "Set-Cookie" in answer.headers:
            self.cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value
        return answer

    def seal(self) -> str:
        return self.api.bridge.seal.of(self.api.bridge.sessions.authenticate(self.cookie))

    async def _call(self, method: str, path: str, headers: dict[str, str], **body: Any) -> Answer:
        sent = headers | ({"Cookie": f"{COOKIE}={self.cookie}"} if self.cookie else {})
        return await self.api.call(method, path, token=None, headers=sent, allow_redirects=False, **body)


@pytest.fixture
def visitor(api: Api) -> Visitor:
    return Visitor(api)


@pytest.fixture
async def olga(visitor: Visitor) -> Visitor:
    """An operator who has logged in."""
    assert (await visitor.log_in()).status == 303
    return visitor


def path_of(route: Route) -> str:
    return route.path.replace("{path}", "README.md").replace("{name}", "console.css").replace("{id}", "v1")


async def test_the_cookie_is_for_this_site_and_no_script(visitor: Visitor) -> None:
    answer = await visitor.log_in(next="/console/events?type=note.added")
    assert (answer.status, answer.headers["Location"]) == (303, "/console/events?type=note.added")
    cookie = SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "Strict", "/")
    assert not cookie["secure"]
    assert not cookie["domain"]
    assert 3000 < int(cookie["max-age"]) <= 3600  # no longer than the operator's own token


async def test_the_cookie_is_secure_where_the_browser_came_over_https(visitor: Visitor) -> None:
    form = {"token": visitor.api.token("olga", Role.OPERATOR)}
    answer = await visitor.post("/console/login", form, Origin=visitor.origin.replace("http:", "https:"))
    assert SimpleCookie(answer.headers["Set-Cookie"])[COOKIE]["secure"]


ELSEWHERE = [
    "https://elsewhere.example/",
    "//elsewhere.example/",
    "/\\elsewhere.example",
    "/event/query",
    "javascript:alert(1)",
    "/console/\x00",
    "http://[",
]


async def test_log_in_leads_nowhere_else(visitor: Visitor) -> None:
    for place in ELSEWHERE:
        assert (await visitor.log_in(next=place)).headers["Location"] == "/", place


async def test_other_roles_do_not_get_in(visitor: Visitor) -> None:
    for role in (Role.OBSERVER, Role.AGENT, Role.EXPERT):
        answer = await visitor.log_in("mallory", role)
        assert answer.status == 403
        assert "Set-Cookie" not in answer.headers
        assert f"role {role}" in answer.body.decode()


async def test_a_bad_token_does_not_get_in_and_is_told_in_the_log(
    visitor: Visitor, wait_for: WaitFor
) -> None:
    answer = await visitor.post("/console/login", {"token": "nonsense"})
    assert answer.status == 403
    assert "Set-Cookie" not in answer.headers

    async def told() -> bool:
        return bool(await visitor.api.events(type="session.rejected"))

    await wait_for(told)


async def test_failed_log_ins_are_limited_as_bad_tokens_are(visitor: Visitor) -> None:
    visitor.api.bridge.failure_limit = RateLimit(0.001, 2)
    statuses = [(await visitor.post("/console/login", {"token": "nonsense"})).status for _ in range(3)]
    assert statuses == [403, 403, 429]
    assert (await visitor.api.get("/status", token="nonsense")).status == 429


async def test_a_session_token_makes_no_session(olga: Visitor) -> None:
    assert (await olga.post("/console/login", {"token": olga.cookie})).status == 403


async def visit(visitor: Visitor, route: Route) -> Answer:
    return await (visitor.get(path_of(route)) if route.method == "GET" else visitor.post(route.path, {}))


async def test_without_a_session_the_way_leads_to_the_log_in(visitor: Visitor) -> None:
    for route in CLOSED:
        for cookie in ("", "nonsense"):
            visitor.cookie = cookie
            answer = await visit(visitor, route)
            assert answer.status == 303, route.name
            assert answer.headers["Location"].startswith("/console/login?next=%2F")


async def test_from_the_longest_address_too(visitor: Visitor) -> None:
    answer = await visitor.get("/console/diff?path=" + "%C3%BC" * 1000)
    assert answer.status == 303
    assert (await visitor.get(answer.headers["Location"])).status == 200


async def test_an_agents_session_is_no_session_of_the_console(visitor: Visitor) -> None:
    made = await visitor.api.post("/session/create", {}, token=visitor.api.token("mallory"))
    for cookie in (made.json()["token"], visitor.api.token("olga", Role.OPERATOR)):
        visitor.cookie = cookie
        for route in CLOSED:
            assert (await visit(visitor, route)).status == 403, route.name


async def test_the_cookie_does_not_open_the_api(olga: Visitor) -> None:
    for path in ("/status", "/event/query", "/approvals", "/shadow/read/README.md", "/stream/events"):
        assert (await olga.get(path)).status == 401
    answer = await olga.post("/event/store", {"type": "note.added"})
    assert answer.status == 401


async def test_nor_does_what_the_cookie_holds(olga: Visitor) -> None:
    assert (await olga.get("/")).status == 200
    refused = [one for one in ROUTES if one.face == "api" and one.permission is not None]
    # One who fails so often in a row would be told to slow down.
    olga.api.bridge.failure_limit = RateLimit(len(refused), len(refused))
    for route in refused:
        answer = await olga.api.call(
            route.method, re.sub(r"\{\w+\}", "olga", route.path), token=olga.cookie, data=b"{}"
        )
        assert answer.status == 401, route.name


async def test_a_session_of_the_api_is_none_of_the_console(visitor: Visitor) -> None:
    made = await visitor.api.post("/session/create", {}, token=visitor.api.token("olga", Role.OPERATOR))
    visitor.cookie = made.json()["token"]
    assert (await visitor.get("/")).status == 403


async def test_a_token_does_not_open_the_console(api: Api) -> None:
    answer = await api.call("GET", "/", token=api.token("olga", Role.OPERATOR), allow_redirects=False)
    assert answer.status == 303


FIELDS = {
    "console_logout": {},
    "console_answer": {"id": "v1", "verdict": "approve"},
    "console_rule_revoke": {"id": "r1"},
}


async def test_a_form_without_this_sessions_seal_is_refused(olga: Visitor) -> None:
    other = Visitor(olga.api)
    await other.log_in()
    assert FIELDS.keys() == {route.name for route in POSTS}
    for route in POSTS:
        for seal in ({}, {"seal": ""}, {"seal": "ü" * 64}, {"seal": other.seal()}):
            answer = await olga.post(route.path, FIELDS[route.name] | seal)
            assert answer.status == 403, (route.name, seal)
            assert "not of this session" in answer.body.decode()
    assert (await olga.get("/")).status == 200
    answer = await olga.post("/console/answer", FIELDS["console_answer"] | {"seal": olga.seal()})
    assert answer.status == 404


FOREIGN = [
    {"Origin": "http://elsewhere.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:1"},
    {"Origin": ""},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "none"},
]


async def test_a_form_from_elsewhere_is_refused(olga: Visitor) -> None:
    login = {"token": olga.api.token("olga", Role.OPERATOR)}
    for headers in FOREIGN:
        assert (await olga.post("/console/login", login, **headers)).status == 403, headers
        for route in POSTS:
            fields = FIELDS[route.name] | {"seal": olga.seal()}
            assert (await olga.post(route.path, fields, **headers)).status == 403, (route.name, headers)
    assert (await olga.get("/")).status == 200


async def test_a_form_that_tells_no_origin_is_refused(api: Api) -> None:
    body = urlencode({"token": api.token("olga", Role.OPERATOR)}).encode()
    assert (await api.call("POST", "/console/login", token=None, data=body)).status == 403


async def test_a_name_that_is_not_the_bridges_is_refused(olga: Visitor) -> None:
    for host in (
        "elsewhere.example",
        "elsewhere.example:8765",
        "localhost.example",
        "1.2.3.4.example",
        "[x]",
    ):
        answer = await olga.get("/", Host=host)
        assert answer.status == 421, host
        assert "Log out" not in answer.body.decode()
        assert (await olga.get("/console/login", Host=host)).status == 421


async def test_addresses_and_localhost_are_the_bridges(olga: Visitor) -> None:
    for host in ("localhost:8765", "LOCALHOST", "lighthouse.localhost", "127.0.0.1", "[::1]:8765"):
        assert (await olga.get("/", Host=host)).status == 200, host


async def test_a_name_that_is_set_is_the_bridges(start: Start) -> None:
    visitor = Visitor(await start(console_hosts=("lighthouse.example",)))
    assert (await visitor.get("/console/login", Host="Lighthouse.example:443")).status == 200


async def test_every_answer_has_the_headers(olga: Visitor) -> None:
    for route in CONSOLE:
        if route.name != "console_stream":  # does not end; see below
            held_together(await visit(olga, route))
    held_together(await olga.get("/", Host="elsewhere.example"))
    olga.cookie = ""
    held_together(await olga.get("/"))


def held_together(answer: Any) -> None:
    policy = {part.strip() for part in answer.headers["Content-Security-Policy"].split(";")}
    assert policy >= STRICT | {"frame-ancestors 'none'", "base-uri 'none'"}
    assert not any("unsafe" in part or "*" in part for part in policy)
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "same-origin"
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"


async def test_pages_are_not_kept_and_assets_are(olga: Visitor) -> None:
    page = await olga.get("/")
    assert page.headers["Cache-Control"] == "no-store"
    text = page.body.decode()
    script = text.partition('<script src="')[2].partition('"')[0]
    asset = await olga.get(script)
    assert (asset.status, asset.headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert "immutable" in asset.headers["Cache-Control"]
    assert (await olga.get("/console/static/console.css?v=0")).headers["Cache-Control"] == "no-store"
    assert (await olga.get("/console/static/nothing.css")).status == 404


async def test_nothing_is_inline_or_from_elsewhere(olga: Visitor) -> None:
    for path in ("/", "/console/login", "/console/events", "/console/files/README.md", "/console/health"):
        text = (await olga.get(path)).body.decode()
        assert "<style" not in text
        assert " style=" not in text
        assert "http://" not in text.replace("http://www.w3.org", "")
        assert all(' src="/console/static/' in part for part in text.split("<script")[1:])


async def test_log_out_ends_the_session(olga: Visitor) -> None:
    answer = await olga.post("/console/logout", {"seal": olga.seal()})
    assert (answer.status, answer.headers["Location"]) == (303, "/console/login")
    assert SimpleCookie(answer.headers["Set-Cookie"])[COOKIE].value == ""
    assert (await olga.get("/")).status == 303
    with pytest.raises(BadToken):
        olga.api.bridge.sessions.authenticate(olga.cookie)


async def test_refusals_are_pages(olga: Visitor) -> None:
    for path, status in (
        ("/console/files/nothing", 404),
        ("/console/files/%2e%2e/x", 400),
        ("/console/files/?at=never%20ever", 422),
        ("/console/events?colour=red", 422),
        ("/console/request/v999999", 404),
        ("/console/diff?from=9999", 404),
    ):
        answer = await olga.get(path)
        assert answer.status == status, path
        assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
        assert "olga" in answer.body.decode()


SHAPES = [
    b"id=v1&id=v2&verdict=deny",
    b"verdict=maybe&id=v1",
    b"\xff\xfe",
    b"&".join(b"x%d=1" % number for number in range(50)),
]


async def test_a_form_of_another_shape_is_refused(olga: Visitor) -> None:
    headers = {"Origin": olga.origin, "Cookie": f"{COOKIE}={olga.cookie}"}
    for body in SHAPES:
        sealed = body + f"&seal={olga.seal()}".encode()
        answer = await olga.api.call("POST", "/console/answer", token=None, headers=headers, data=sealed)
        assert answer.status == 422, body


async def test_a_form_that_is_too_large_is_refused(olga: Visitor) -> None:
    headers = {"Origin": olga.origin, "Cookie": f"{COOKIE}={olga.cookie}"}
    large = io.BytesIO(b"reason=" + b"x" * 2_000_000)
    answer = await olga.api.call("POST", "/console/answer", token=None, headers=headers, data=large)
    assert answer.status == 413


async def test_the_stream_tells_what_waits_and_ends_with_the_session(olga: Visitor) -> None:
    headers = {"Cookie": f"{COOKIE}={olga.cookie}"}
    async with olga.api.http.get(olga.api.url("/console/stream"), headers=headers) as answer:
        held_together(answer)
        assert await answer.content.readuntil(b"\n\n") == b'event: waiting\ndata: {"waiting":0}\n\n'
        await olga.post("/console/logout", {"seal": olga.seal()})
        assert await answer.content.read() == b""


async def test_while_it_starts_it_says_so(start: Start) -> None:
    visitor = Visitor(await start(parts=False))
    answer = await visitor.get("/")
    assert answer.status == 503
    assert answer.headers["Retry-After"]
    assert (await visitor.get("/console/static/console.css")).status == 200
