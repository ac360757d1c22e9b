"""The aiohttp application: the routes behind the door, and the small one that answers the health probe."""

from collections.abc import Iterable

import msgspec
from aiohttp import web

from lighthouse.bridge import console_door
from lighthouse.bridge.bridge import Bridge
from lighthouse.bridge.call import Route
from lighthouse.bridge.door import MAX_BODY, REQUEST_KEY, make_handler, make_middleware
from lighthouse.bridge.encoded import HEADERS
from lighthouse.bridge.openapi import describe
from lighthouse.bridge.routes import ROUTES
from lighthouse.bridge.state import DESCRIPTION

STOP_SECONDS = 10.0


def make_app(bridge: Bridge, routes: Iterable[Route] = ROUTES) -> web.Application:
    """The application that serves `routes` for `bridge`."""
    app = web.Application(middlewares=[make_middleware(bridge)], client_max_size=MAX_BODY)
    for route in routes:
        # A name may hold a newline, which a plain dot would not match.
        pattern = route.path.replace("{path}", r"{path:[\s\S]*}")
        make = console_door.make_handler if route.face == "console" else make_handler
        app.router.add_route(route.method, pattern, make(bridge, route))
    app[DESCRIPTION] = msgspec.json.encode(describe(ROUTES, bridge.settings.version))
    app.on_response_prepare.extend((_stamp, console_door.stamp))
    return app


def make_health_app(bridge: Bridge) -> web.Application:
    """Only /health, for the probe's Unix socket."""
    return make_app(bridge, [route for route in ROUTES if route.name == "health"])


def make_runner(app: web.Application) -> web.AppRunner:
    """A runner with the limits of the API; signals are the program's business, not the server's."""
    return web.AppRunner(
        app,
        handle_signals=False,
        access_log=None,
        keepalive_timeout=75.0,
        shutdown_timeout=STOP_SECONDS,
        max_line_size=16 * 1024,
        max_field_size=16 * 1024,
    )


async def _stamp(request: web.Request, response: web.StreamResponse) -> None:
    response.headers["X-Request-Id"] = request.get(REQUEST_KEY, "-")
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
