"""How a command asks a running bridge: it shows the token itself: asking leaves no session in the log."""

import os
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from lighthouse.client.client import Client

T = TypeVar("T")


def client(url: str | None) -> "Client":
    """A client of the bridge at `url`, else of the one that the environment names."""
    from lighthouse.client import connection_from
    from lighthouse.client.client import Client

    connection = connection_from(os.environ, url)
    return Client(connection.url, connection.token, session_seconds=None)


def ask(url: str | None, question: "Callable[[Client], Awaitable[T]]") -> T:
    """The answer to one question."""
    import asyncio

    async def asking() -> T:
        async with client(url) as bridge:
            return await question(bridge)

    return asyncio.run(asking())
