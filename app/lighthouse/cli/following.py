"""What `events tail` does: some of the events there are, then each new one as a line."""

from contextlib import aclosing
from typing import TYPE_CHECKING, NamedTuple

from lighthouse.cli.output import note, print_json, print_line

if TYPE_CHECKING:
    from lighthouse.client.answers import Event
    from lighthouse.client.client import Client


class Filter(NamedTuple):
    """Which events are shown; None takes all. `type` may end in `.*`."""

    type: str | None
    stream: str | None
    agent_id: str | None

    def takes(self, event: "Event") -> bool:
        """Whether the event is one of those asked for."""
        if self.type is not None:
            prefix = self.type[:-1] if self.type.endswith(".*") else None
            if not (event.type.startswith(prefix) if prefix else event.type == self.type):
                return False
        return self.stream in (None, event.stream) and self.agent_id in (None, event.agent_id)


async def show(
    bridge: "Client", shown: Filter, lines: int, from_seq: int | None, count: int | None, *, as_json: bool
) -> None:
    """Print from event `from_seq` on, or the last `lines` and all that follow; end after `count`."""
    async with bridge:
        if from_seq is None:
            # The head is asked for even where no old line is wanted: a wrong token is told now, not never.
            status = await bridge.status()
            head = status.head.seq if status.head else 0
            from_seq = max(1, head + 1 - lines)
        async with aclosing(bridge.stream_events(from_seq, on_away=_tell)) as events:
            left = count
            async for event in events:
                if not shown.takes(event):
                    continue
                print_json(event) if as_json else print_line(_line(event))
                if left is not None and (left := left - 1) == 0:
                    return


def _tell(error: Exception) -> None:
    note(f"{error}: trying again until it is back")


def _line(event: "Event") -> str:
    import msgspec

    data = msgspec.json.encode(event.data).decode("utf-8", "replace")
    return f"{event.seq}  {event.ts}  {event.type}  {event.stream}  {event.agent_id}  {data}"
