"""A real Chromium before a real bridge, whose project and agents are as hostile as they can be."""

import asyncio
import json
import shutil
import urllib.request
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, BrowserContext, Page, async_playwright

from tests.conftest import RunningBridge

CHROMIUM = shutil.which("chromium")
SCRIPT = "<img src=x onerror=alert(1)><script>alert(2)</script>"
# What escalates, whatever it is given.
PUBLISH = "npm publish --access public"


class Harbour:
    """The bridge, and what agents do at it."""

    def __init__(self, bridge: RunningBridge) -> None:
        self.bridge = bridge
        self.url = bridge.url

    def call(self, path: str, body: Any = None, *, agent: str = "builder", role: str = "agent") -> Any:
        """An agent's request."""
        data = None if body is None else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {self.bridge.token(agent, role)}"}
        request = urllib.request.Request(self.url + path, data, headers)
        with urllib.request.urlopen(request, timeout=40) as answer:
            return json.loads(answer.read())

    def ask(self, command: str, *, agent: str = "builder", wait: float = 0, **fields: Any) -> Any:
        """A Bash call to be judged."""
        called = {
            "tool_name": "Bash",
            "tool_input": {"command": command} | fields,
            "cwd": str(self.bridge.project),
        }
        return self.call("/validate", called | {"wait_seconds": wait}, agent=agent)

    async def waiting(self, command: str, *, agent: str = "builder") -> "asyncio.Task[Any]":
        """A call that waits for its answer, once it is among those that wait."""
        asking = asyncio.create_task(asyncio.to_thread(self.ask, command, agent=agent, wait=30))
        async with asyncio.timeout(20):
            while not any(one["tool_input"].get("command") == command for one in await self.pending()):
                await asyncio.sleep(0.02)
        return asking

    async def pending(self) -> list[Any]:
        """What waits."""
        found: list[Any] = (await asyncio.to_thread(self.call, "/approvals"))["approvals"]
        return found


class Person:
    """An operator at a browser. Whatever the browser complains of is kept in `troubles`."""

    def __init__(self, harbour: Harbour, context: BrowserContext, page: Page) -> None:
        self.harbour = harbour
        self.context = context
        self.page = page
        self.troubles: list[str] = []
        page.on("console", lambda message: self._keep(message.type, message.text))
        page.on("pageerror", lambda error: self.troubles.append(f"error: {error}"))
        page.on("dialog", lambda dialog: self.troubles.append(f"dialog: {dialog.message}"))

    def _keep(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.troubles.append(f"{kind}: {text}")

    async def open(self, path: str) -> None:
        await self.page.goto(self.harbour.url + path)

    async def log_in(self, agent: str = "olga", role: str = "operator") -> None:
        await self.open("/console/login")
        await self.page.get_by_label("An operator's token").fill(self.harbour.bridge.token(agent, role))
        await self.page.get_by_role("button", name="Log in").click()


@pytest.fixture(scope="session")
def harbour(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Harbour]:
    """A bridge whose project has hostile names and contents."""
    if CHROMIUM is None:
        pytest.skip("Chromium is not installed")
    bridge = RunningBridge(tmp_path_factory.mktemp("harbour"))
    (bridge.project / "src").mkdir()
    (bridge.project / "src" / "main.py").write_text(
        "def total(cents):\n    return cents\n\n\nprint(total(3))\n"
    )
    hostile = "".join(f"{SCRIPT} \u202egnp.exe\u200b\x1b[31m line {number}\n" for number in range(3))
    (bridge.project / "<img src=x onerror=alert(1)>\u202e.txt").write_text(hostile)
    (bridge.project / "src" / "long.txt").write_text("".join(f"line {number}\n" for number in range(4500)))
    (bridge.project / "image.bin").write_bytes(bytes(range(256)))
    bridge.start()
    yield Harbour(bridge)
    bridge.stop()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    """One Chromium for all tests."""
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield launched
        await launched.close()


MakePerson = Callable[..., Awaitable[Person]]


@pytest_asyncio.fixture(loop_scope="session")
async def visit(harbour: Harbour, browser: Browser) -> AsyncIterator[MakePerson]:
    """`await visit(**options)`: somebody at a browser of their own, not logged in."""
    persons: list[Person] = []

    async def make(**options: Any) -> Person:
        context = await browser.new_context(**options)
        context.set_default_timeout(10_000)
        person = Person(harbour, context, await context.new_page())
        persons.append(person)
        return person

    yield make
    for person in persons:
        await person.context.close()
    assert [trouble for person in persons for trouble in person.troubles] == []


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session(harbour: Harbour, browser: Browser) -> Any:
    """What a browser keeps of an operator who has logged in."""
    context = await browser.new_context()
    person = Person(harbour, context, await context.new_page())
    await person.log_in()
    kept = await context.storage_state()
    await context.close()
    return kept


@pytest_asyncio.fixture(loop_scope="session")
async def olga(visit: MakePerson, session: Any) -> Person:
    """An operator who logged in before, at the first page."""
    person = await visit(storage_state=session)
    await person.open("/")
    return person
