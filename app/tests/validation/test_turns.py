"""One agent that asks a lot keeps nobody else waiting: long calls are judged in turns."""

import asyncio

from lighthouse.policy import Call
from tests.validation.conftest import Room


async def test_who_asks_a_lot_waits_for_itself(room: Room) -> None:
    order: list[str] = []

    async def ask(agent: str, number: int) -> None:
        # Too long for the event loop, and each another.
        command = f"echo {number}; " + "; ".join(f"grep -rn word{part} src" for part in range(40))
        await room.validations.judge(Call("Bash", {"command": command}, str(room.project), agent))
        order.append(agent)

    flood = [asyncio.create_task(ask("ann", number)) for number in range(60)]
    await asyncio.sleep(0)
    await ask("bob", 0)
    assert order.count("ann") < 10, "bob's call went behind ann's"
    await asyncio.gather(*flood)
