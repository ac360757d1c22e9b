"""`lighthouse events`: follow, search, prove and write out the log."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighthouse.cli.asking import client
from lighthouse.cli.options import Agent, AsJson, EventType, State, Stream, Url
from lighthouse.cli.output import fail, note, print_json, print_line, print_table, progress

if TYPE_CHECKING:
    from lighthouse.client.answers import Event

app = typer.Typer(help="Follow, search, prove and write out the log.", rich_markup_mode=None)

PAGE = 1000


@app.callback()
def _events() -> None:
    """Follow, search, prove and write out the log."""


@app.command("tail")
def tail(
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="Events that are there already to begin with.")
    ] = 10,
    from_seq: Annotated[
        int | None, typer.Option("--from-seq", min=1, metavar="N", help="Begin with event N instead.")
    ] = None,
    count: Annotated[
        int | None, typer.Option("--count", min=1, metavar="N", help="End after N events; else follow on.")
    ] = None,
    type: EventType = None,
    stream: Stream = None,
    agent: Agent = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Follow the log; each event is one line. Goes on by itself when the bridge was away."""
    import asyncio

    from lighthouse.cli.following import Filter, show

    shown = Filter(type, stream, agent)
    with suppress(KeyboardInterrupt):
        asyncio.run(show(client(url), shown, lines, from_seq, count, as_json=as_json))


@app.command("query")
def query(
    type: EventType = None,
    stream: Stream = None,
    agent: Agent = None,
    from_seq: Annotated[
        int | None, typer.Option("--from-seq", min=0, metavar="N", help="From event N on.")
    ] = None,
    to_seq: Annotated[int | None, typer.Option("--to-seq", min=0, metavar="N", help="Up to event N.")] = None,
    since: Annotated[
        str | None, typer.Option("--since", metavar="TIME", help="From this RFC 3339 time on.")
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="Up to this RFC 3339 time.")
    ] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many events.")] = 100,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Search the log of a running bridge, oldest first. With --json each event is one line."""
    import asyncio

    async def ask() -> None:
        rows: list[Event] = []
        cursor: str | None = None
        left = limit
        async with client(url) as bridge:
            while left:
                page = await bridge.query_events(
                    type=type,
                    stream=stream,
                    agent_id=agent,
                    from_seq=from_seq,
                    to_seq=to_seq,
                    since=since,
                    until=until,
                    limit=min(left, PAGE),
                    cursor=cursor,
                )
                left -= len(page.events)
                cursor = page.next_cursor
                for event in page.events:
                    print_json(event) if as_json else rows.append(event)
                if cursor is None:
                    break
        if not as_json:
            _print_events(rows)
        if cursor is not None:
            note(f"there are more than {limit} events: raise --limit, or narrow the search")

    asyncio.run(ask())


@app.command("verify")
def verify(
    state: State = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Check an export instead (- for standard input)."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Prove that no event was changed, removed, added or moved, without a bridge and without writing."""
    from lighthouse.cli.store import keyring, locate
    from lighthouse.events import verify_folder, verify_lines

    with progress("verifying") as show:
        if file is None:
            store = locate(state)
            report = verify_folder(store.folder, store.keyring, show)
        elif str(file) == "-":
            report = verify_lines(sys.stdin.buffer, keyring(state), show)
        else:
            with file.open("rb") as lines:
                report = verify_lines(lines, keyring(state), show)
    if as_json:
        print_json(report)
    elif report.ok:
        print_line(f"{report.events} events verified, the last is {report.head_seq}")
    if not report.ok:
        reason = report.reason or f"event {report.broken_seq} is not sound"
        fail(f"the log is broken: {reason}: keep the store as it is and compare it with a backup")


@app.command("export")
def export(
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="Write here [else standard output].")
    ] = None,
    from_seq: Annotated[int, typer.Option("--from-seq", min=1, metavar="N", help="From event N on.")] = 1,
    to_seq: Annotated[int | None, typer.Option("--to-seq", min=1, metavar="N", help="Up to event N.")] = None,
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Write events out of the store, one JSON object a line, without a bridge.

    `events verify --file` proves such lines. With --output, --json tells what was written as JSON too.
    """
    from lighthouse.cli.exporting import write
    from lighthouse.cli.store import locate

    if as_json and output is None:
        raise typer.BadParameter("--json tells of a file: give --output too")
    with progress("exporting") as show:
        written = write(locate(state).folder, output, from_seq, to_seq, show)
    if as_json:
        print_json(written)
    elif output is not None:
        print_line(f"{written.events} events written to {output}")


def _print_events(events: "list[Event]") -> None:
    rows = [
        (event.seq, event.ts, event.type, event.stream, event.agent_id, _brief(event.data))
        for event in events
    ]
    print_table(("seq", "time", "type", "stream", "agent", "data"), rows)


def _brief(data: dict[str, Any]) -> str:
    import msgspec

    text = msgspec.json.encode(data).decode("utf-8", "replace")
    return text if len(text) <= 200 else text[:199] + "…"
