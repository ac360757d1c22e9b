"""Many agents who do everything at once for a while: nothing is lost, nothing comes twice, nothing grows."""

import asyncio
import statistics
from collections import Counter
from collections.abc import Iterable

import pytest

from lighthouse.client import Client
from tests.conftest import RunningBridge
from tests.load.crowd import Crowd
from tests.load.memory import resident
from tests.load.told import Expected, Ledger, Plan

MEGABYTES = 250
GROWTH = 1.1
SHARE = 20


def plans(bridge: RunningBridge, agents: int, seconds: float, pace: float) -> list[Plan]:
    names = [f"agent-{number}" for number in range(agents)]
    return [
        Plan(
            url=bridge.url,
            project=str(bridge.project),
            tokens={name: bridge.token(name) for name in names[first : first + SHARE]},
            everybody=names,
            seconds=seconds,
            pace=pace,
            seed=1,
        )
        for first in range(0, agents, SHARE)
    ]


async def watch(pid: int, every: float, samples: list[float]) -> None:
    while True:
        samples.append(resident(pid))
        await asyncio.sleep(every)


def told(ledgers: Iterable[Ledger], samples: list[float]) -> None:
    """Print what it cost, for who runs this with -s."""
    took: dict[str, list[float]] = {}
    for ledger in ledgers:
        for kind, seconds in ledger.took.items():
            took.setdefault(kind, []).extend(seconds)
    for kind, seconds in sorted(took.items()):
        seconds.sort()
        p50, p99, longest = (seconds[int((len(seconds) - 1) * share)] * 1e3 for share in (0.5, 0.99, 1))
        print(f"{kind}: {len(seconds)} times, p50 {p50:.1f} ms, p99 {p99:.1f} ms, longest {longest:.0f} ms")
    refused = sum((Counter(ledger.refused) for ledger in ledgers), Counter[str]())
    print(f"refused: {dict(refused)}")
    print(f"memory: {samples[0]:.0f} to {samples[-1]:.0f} MB, at most {max(samples):.0f}")


async def team(bridge: RunningBridge, agents: int, seconds: float, pace: float) -> list[float]:
    """Have so many agents work; returns the bridge's memory, every second."""
    bridge.start()
    samples: list[float] = []
    watching = asyncio.create_task(watch(bridge.pid, 1.0, samples))
    async with Client(bridge.url, bridge.token("olga", "operator")) as olga:
        async with Crowd(plans(bridge, agents, seconds, pace)) as crowd:
            acted = await crowd.acted()
            messages: dict[str, list[str]] = {}
            for ledger in acted:
                for recipient, ids in ledger.sent.items():
                    messages.setdefault(recipient, []).extend(ids)
            head = (await olga.status()).head
            assert head is not None
            watching.cancel()
            ledgers = await crowd.leave(Expected(head.seq, messages))
        told(ledgers, samples)
        assert [wrong for ledger in ledgers for wrong in ledger.wrong] == []
        assert [gap for ledger in ledgers for gaps in ledger.followed.values() for gap in gaps] == []
        for ledger in ledgers:
            for name, received in ledger.received.items():
                assert Counter(messages.get(name, [])) == Counter(received), name
        given = [task for ledger in ledgers for task in ledger.tasks]
        assert sorted(given) == sorted(task for ledger in ledgers for task in ledger.done)
        stored = sorted(seq for ledger in ledgers for seq in ledger.stored)
        found: list[int] = []
        cursor = None
        while True:
            page = await olga.query_events(type="load.noted", limit=1000, cursor=cursor)
            found.extend(event.seq for event in page.events)
            if (cursor := page.next_cursor) is None:
                break
        assert found == stored
    await asyncio.gather(watching, return_exceptions=True)
    return samples


@pytest.mark.timeout(240)
async def test_twenty_agents_for_a_minute(own_bridge: RunningBridge) -> None:
    samples = await team(own_bridge, 20, 60.0, 0.5)
    assert max(samples) <= MEGABYTES


@pytest.mark.soak
@pytest.mark.timeout(1200)
async def test_a_hundred_agents_for_ten_minutes(own_bridge: RunningBridge) -> None:
    samples = await team(own_bridge, 100, 600.0, 1.0)
    assert max(samples) <= MEGABYTES
    second, tenth = statistics.median(samples[60:120]), statistics.median(samples[540:600])
    assert tenth <= GROWTH * second
