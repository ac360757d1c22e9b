"""A real bridge on a loopback port: real store, real shadow, and aiohttp's own client to speak to it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
from aiohttp import web
from yarl import URL

from lighthouse.bridge.app import make_app, make_runner
from lighthouse.bridge.bridge import Bridge
from lighthouse.bridge.schemas import Problem
from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query
from lighthouse.keys import KeyRing
from lighthouse.sessions import Role, mint_agent_token


class Answer(msgspec.Struct):
    """What came back, the body read."""

    status: int
    headers: Any
    body: bytes

    def json(self) -> Any:
        return msgspec.json.decode(self.body)

    def problem(self, status: int) -> Problem:
        """The body as a problem, after checking that it is one and has this status."""
        assert self.status == status, self.body
        assert self.headers["Content-Type"] == "application/problem+json"
        told = msgspec.json.decode(self.body, type=Problem)
        assert told.status == status
        assert told.instance == self.headers["X-Request-Id"]
        return told


class Api:
    """Speaks to a running bridge, as the agent `ann` unless told otherwise."""

    def __init__(
        self, bridge: Bridge, keyring: KeyRing, runner: web.AppRunner, session: aiohttp.ClientSession
    ) -> None:
        self.bridge = bridge
        self.keyring = keyring
        self.port: int = runner.addresses[0][1]
        self.runner = runner
        self.http = session
        self.ann = self.token("ann")

    def token(self, agent: str, role: Role = Role.AGENT, ttl: float = 3600) -> str:
        return mint_agent_token(self.keyring, agent, role, ttl)

    def url(self, path: str) -> URL:
        return URL(f"http://127.0.0.1:{self.port}{path}", encoded=True)

    def headers(self, token: str | None = "", **more: str) -> dict[str, str]:
        """`token` "" is ann's, None is no token at all."""
        shown = self.ann if token == "" else token
        return more | ({"Authorization": f"Bearer {shown}"} if shown is not None else {})

    async def call(
        self,
        method: str,
        path: str,
        *,
        token: str | None = "",
        headers: dict[str, str] | None = None,
        **body: Any,
    ) -> Answer:
        sent = self.headers(token) | (headers or {})
        async with self.http.request(method, self.url(path), headers=sent, **body) as answer:
            return Answer(answer.status, answer.headers, await answer.read())

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.call("GET", path, **options)

    async def post(self, path: str, json: Any, **options: Any) -> Answer:
        return await self.call("POST", path, data=msgspec.json.encode(json), **options)

    async def events(self, **query: Any) -> list[Event]:
        return (await self.bridge.store.query(Query(**{"limit": 1000} | query))).events


Start = Callable[..., Awaitable[Api]]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project to serve."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("# Harbour\n")
    (folder / "src" / "main.py").write_text("print('ahoy')\n")
    return folder


@pytest.fixture
async def start(tmp_path: Path, project: Path, keyring: KeyRing) -> AsyncIterator[Start]:
    """`await start(**settings)`: a bridge that serves `project`, without a mount unless asked for."""
    async with AsyncExitStack() as stack:

        async def begin(*, parts: bool = True, **settings: Any) -> Api:
            chosen = {
                "mount": False,
                "project_path": project,
                "event_store": tmp_path / "state/events",
            } | settings
            told = Settings(**chosen)
            store = EventStore.open(told.event_store, keyring)
            bridge = Bridge(told, keyring, store)
            stack.push_async_callback(bridge.stop)
            runner = make_runner(make_app(bridge))
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(bridge.begin_stop)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            if parts:
                await bridge.start()
            session = await stack.enter_async_context(aiohttp.ClientSession())
            return Api(bridge, keyring, runner, session)

        yield begin


@pytest.fixture
async def api(start: Start) -> Api:
    """A bridge that is ready, without a mount."""
    return await start()
