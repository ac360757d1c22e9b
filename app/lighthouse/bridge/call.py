"""A route, and one call of it: what a handler declares and what it is given."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from aiohttp import web

from lighthouse.sessions import Identity, Permission

if TYPE_CHECKING:
    from lighthouse.bridge.bridge import Bridge


@dataclass(frozen=True, slots=True)
class Call:
    """`body` and `query` are decoded to the route's types; `identity` is None on open routes only."""

    request: web.Request
    identity: Identity | None
    body: Any
    query: Any

    @property
    def caller(self) -> Identity:
        """Who calls; for routes that are not open."""
        if self.identity is None:
            raise RuntimeError("an open route has no caller")
        return self.identity

    @property
    def peer(self) -> str:
        """Where the call comes from, as the log tells it."""
        return self.request.remote or "unix"


def connected(request: web.Request) -> bool:
    """Whether somebody still waits for the answer."""
    return request.transport is not None and not request.transport.is_closing()


@dataclass(frozen=True, slots=True)
class Answer:
    """What a status means: a type of schemas.py (or a tuple of some), a media type for what is not JSON."""

    text: str
    body: Any = None
    media_type: str = "application/json"
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[["Bridge", Call], Awaitable[web.StreamResponse | Any]]


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the table that the router, the checks, openapi.json and docs/http.md come from.

    `permission` None is an open route, "" one for everybody whose token is good. `errors` are the statuses it
    can answer besides those that every route of its kind can. With `body_as_it_comes` the handler reads the
    body itself, and `body` says what it understands. `face` says whom the route speaks to: the API's take a
    token and JSON, the console's a session's cookie and forms, and tell their refusals as pages.
    """

    method: str
    path: str
    name: str
    summary: str
    handler: Handler
    answers: Mapping[int, Answer]
    permission: Permission | str | None = ""
    body: Any = None
    body_optional: bool = False
    body_as_it_comes: bool = False
    query: Any = None
    errors: tuple[int, ...] = ()
    face: Literal["api", "console"] = "api"
    while_starting: bool = False
    path_parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def statuses(self) -> tuple[int, ...]:
        """All statuses but 404, 405 and 500, which need no route."""
        found = {*self.answers, *self.errors}
        if self.face == "console":
            found.add(421)
        if self.permission is not None:
            found |= {401 if self.face == "api" else 303, 429}
        if self.permission:
            found.add(403)
        if not self.while_starting:
            found.add(503)
        if self.body is not None and not self.body_as_it_comes:
            found |= {403, 408, 413, 422} | ({400} if self.face == "api" else set())
        if self.query is not None:
            found.add(422)
        return tuple(sorted(found))
