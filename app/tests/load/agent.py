"""An agent under load: it acts at random, listens all the time, and keeps a ledger that can be checked."""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import aclosing, contextmanager
from typing import Any

from lighthouse.client import Client, NewEvent, Refused
from lighthouse.client.letters import Letter
from tests.load.told import Expected, Ledger, Plan

NUMBER = {"type": "integer"}

Act = Callable[[], Awaitable[None]]

PATIENCE = 60.0
# One of so many follows the whole log.
FOLLOWER = 10


class Agent:
    """One of a crowd. Whatever it does not understand goes into the ledger as wrong."""

    def __init__(self, name: str, plan: Plan, ledger: Ledger) -> None:
        self.name = name
        self._plan = plan
        self._ledger = ledger
        self._choice = random.Random(f"{plan.seed} {name}")
        self._others = [other for other in plan.everybody if other != name]
        self._received: dict[str, int] = ledger.received.setdefault(name, {})
        self._followed = 0
        self._client = Client(plan.url, plan.tokens[name])
        self._reopen = asyncio.Event()
        # A socket is left between two letters, never between taking one and saying so.
        self._reading = asyncio.Lock()

    async def live(self, leave: "asyncio.Future[Expected]", acted: Callable[[], None]) -> None:
        """Act for the plan's time; go on listening until what is expected has been seen."""
        async with self._client:
            listening = [asyncio.create_task(self._listen())]
            if self._plan.everybody.index(self.name) % FOLLOWER == 0:
                listening.append(asyncio.create_task(self._follow()))
            try:
                await self._act()
                acted()
                await self._until_seen(await leave)
            finally:
                for task in listening:
                    task.cancel()
                for ended in await asyncio.gather(*listening, return_exceptions=True):
                    if isinstance(ended, Exception):
                        self._ledger.wrong.append(f"{self.name} could not listen: {ended!r}")

    async def _act(self) -> None:
        acts: list[tuple[str, int, Act]] = [
            ("event", 4, self._store),
            ("query", 1, self._query),
            ("judge", 3, self._judge),
            ("question", 2, self._ask),
            ("message", 4, self._tell),
            ("search", 1, self._search),
            ("task", 2, self._dispatch),
            ("lease", 1, self._lease),
        ]
        end = time.monotonic() + self._plan.seconds
        due = time.monotonic() + self._choice.random() * self._plan.pace
        while due < end:
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            due += self._plan.pace * (0.5 + self._choice.random())
            [(kind, _, act)] = self._choice.choices(acts, [weight for _, weight, _ in acts])
            with self._timed(kind):
                await act()
            if self._choice.random() < 0.01:
                self._reopen.set()

    @contextmanager
    def _timed(self, kind: str) -> Any:
        began = time.perf_counter()
        try:
            yield
        except Refused as refusal:
            # That a bound was met is an answer; that the bridge failed is not.
            if refusal.status >= 500 or refusal.status in (400, 401, 403, 422):
                self._ledger.wrong.append(f"{self.name} {kind}: {refusal}")
            told = f"{kind} {refusal.status}"
            self._ledger.refused[told] = self._ledger.refused.get(told, 0) + 1
        else:
            self._ledger.took.setdefault(kind, []).append(time.perf_counter() - began)

    async def _store(self) -> None:
        data = {"text": "x" * self._choice.randrange(2000), "at": time.time()}
        receipt = await self._client.store_event(NewEvent("load.noted", data, f"load-{self.name}"))
        self._ledger.stored.append(receipt.seq)

    async def _query(self) -> None:
        await self._client.query_events(stream=f"load-{self.name}", limit=20)

    async def _judge(self) -> None:
        command = f"ls -l src | head -{self._choice.randrange(1000)}"
        verdict = await self._client.validate("Bash", {"command": command}, cwd=self._plan.project)
        if verdict.decision != "allow":
            self._ledger.wrong.append(f"{command} was {verdict.decision}: {verdict.reason}")

    async def _ask(self) -> None:
        number, to = self._choice.randrange(1000), self._choice.choice(self._others)
        question = await self._client.elicit(to, f"twice {number}", NUMBER, timeout_seconds=60)
        if question.content != 2 * number:
            self._ledger.wrong.append(f"{question.id} to {to} was {question.state}: {question.content}")

    async def _tell(self) -> None:
        to = self._choice.choice(self._others) if self._choice.random() < 0.97 else "*"
        sent = await self._client.send_message(
            f"{self.name} says {'so ' * self._choice.randrange(200)}", to=to
        )
        for recipient in sent.recipients:
            self._ledger.sent.setdefault(recipient, []).append(sent.id)
        if sent.left_out:
            self._ledger.wrong.append(f"{sent.id} was not sent to {sent.left_out}")

    async def _search(self) -> None:
        page = await self._client.messages("says", agent_id=self._choice.choice(self._others), limit=5)
        if page.timed_out or page.problem:
            self._ledger.wrong.append(f"a search of {self.name} knew up to {page.covered_to}: {page.problem}")

    async def _dispatch(self) -> None:
        number, to = self._choice.randrange(1000), self._choice.choice(self._others)
        task = await self._client.dispatch_task(f"twice {number}", to=to, lease_seconds=60, wait_seconds=50)
        self._ledger.tasks.append(task.id)
        if (task.state, task.result) != ("completed", 2 * number):
            self._ledger.wrong.append(f"{task.id} for {to} was {task.state}: {task.result}")

    async def _lease(self) -> None:
        # Few enough that some are wanted by several, who are refused or wait.
        path = f"load/{self._choice.randrange(len(self._others))}"
        lease = await self._client.take_lease([path], seconds=60, wait_seconds=self._choice.choice([0, 2]))
        await asyncio.sleep(self._choice.random())
        await self._client.release_lease(lease.id)

    async def _listen(self) -> None:
        """Over one socket after the other; what was not acknowledged on one comes on the next."""
        while True:
            hearing = asyncio.create_task(self._hear())
            leaving = asyncio.create_task(self._reopen.wait())
            try:
                await asyncio.wait({leaving, hearing}, return_when=asyncio.FIRST_COMPLETED)
                if hearing.done():
                    hearing.result()
                self._reopen.clear()
                async with self._reading:
                    hearing.cancel()
            finally:
                leaving.cancel()
                hearing.cancel()
                await asyncio.gather(leaving, hearing, return_exceptions=True)

    async def _hear(self) -> None:
        async with aclosing(self._client.letters()) as letters:
            async for letter in letters:
                async with self._reading:
                    await self._take(letter)
                    await letter.acknowledge()

    async def _take(self, letter: Letter) -> None:
        data = letter.data
        if letter.kind == "message.new":
            self._received[data["id"]] = self._received.get(data["id"], 0) + 1
        try:
            if letter.kind == "elicitation.request":
                await self._client.respond(data["id"], 2 * int(data["message"].split()[1]))
            if letter.kind == "task.offered":
                await self._client.claim_task(data["id"])
                await self._client.complete_task(data["id"], 2 * int(data["title"].split()[1]))
                self._ledger.done.append(data["id"])
        except Refused as refusal:
            self._ledger.wrong.append(f"{self.name} was told {letter.kind}: {refusal}")

    async def _follow(self) -> None:
        """The whole log from the first event on, without gap or double."""
        seen = self._ledger.followed.setdefault(self.name, [])
        async with aclosing(self._client.stream_events(1)) as events:
            async for event in events:
                if event.seq != self._followed + 1:
                    seen.append((self._followed, event.seq))
                self._followed = event.seq

    async def _until_seen(self, expected: Expected) -> None:
        messages = expected.messages.get(self.name, [])
        follows = self.name in self._ledger.followed
        end = time.monotonic() + PATIENCE
        while not all(id in self._received for id in messages) or (
            follows and self._followed < expected.head
        ):
            if time.monotonic() > end:
                missed = [id for id in messages if id not in self._received]
                self._ledger.wrong.append(
                    f"{self.name} saw {self._followed} and missed {missed[:5]} ({len(missed)})"
                )
                return
            await asyncio.sleep(0.05)
