"""`lighthouse collaboration`: sessions of several agents, and the record of any session."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line, print_table, printable_lines, shortened
from lighthouse.cli.place import Proposal, Symbol, Where, place_of
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_collaborations import (
        Collaboration,
        CollaborationEntry,
        CollaborationRecord,
        CollaborationStanding,
    )
    from lighthouse.client.client import Client

app = typer.Typer(
    help="Work together in sessions of several agents, and read their record.", rich_markup_mode=None
)

PAGE = 100
MOST_SHOWN = 60

Id = Annotated[
    str, typer.Argument(metavar="ID", help="The session, as `lighthouse collaboration list` has it.")
]
Reason = Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")]
Paths = Annotated[
    list[str] | None, typer.Option("--path", metavar="PATH", help="What it is about; may be given again.")
]
Idle = Annotated[
    str, typer.Option("--idle", metavar="TIME", help="It ends when nothing happened for so long: 1m to 1d.")
]


@app.callback()
def _collaboration() -> None:
    """Work together in sessions of several agents, and read their record."""


@app.command("list")
def list_(
    ended: Annotated[bool, typer.Option("--ended", help="The last that ended instead.")] = False,
    mine: Annotated[bool, typer.Option("--mine", help="Those you are in, or were asked to.")] = False,
    awaiting: Annotated[bool, typer.Option("--awaiting", help="Those where it is your turn.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")] = 100,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the collaborations and pair sessions that go on."""

    async def pages(bridge: "Client") -> "tuple[list[Collaboration], bool]":
        found: list[Collaboration] = []
        cursor = None
        while len(found) < limit:
            page = await bridge.collaborations(
                ended=ended, mine=mine, awaiting=awaiting, limit=min(limit - len(found), PAGE), cursor=cursor
            )
            found += page.collaborations
            if (cursor := page.next_cursor) is None:
                break
        return found, cursor is not None

    found, more = ask(url, pages)
    if as_json:
        print_json(found)
    else:
        columns = ("id", "kind", "state", "by", "in it", "asked", "to review", "topic")
        print_table(columns, [_row(one) for one in found])
    if more:
        note(f"there are more than {limit}: raise --limit")


@app.command()
def show(
    session_id: Id,
    after: Annotated[
        int, typer.Option("--after", min=0, metavar="SEQ", help="Only what came after this event.")
    ] = 0,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Replay a session: all that happened in it, with patches and notes as they were then."""

    async def whole(bridge: "Client") -> "tuple[Collaboration, list[CollaborationEntry]]":
        entries: list[CollaborationEntry] = []
        while True:
            last = entries[-1].seq if entries else after
            page: CollaborationRecord = await bridge.collaboration(session_id, after=last)
            entries += page.entries
            if page.next_cursor is None:
                return page.collaboration, entries

    session, entries = ask(url, whole)
    if as_json:
        print_json({"collaboration": session, "entries": entries})
        return
    print_line(f"{session.id}, a {session.kind}: {session.topic}")
    print_line(f"{session.state}{f' ({session.how})' if session.how else ''}; in it: {_names(session)}")
    for entry in entries:
        _show(entry)


@app.command()
def start(
    topic: Annotated[str, typer.Argument(help="What it is about.")],
    others: Annotated[list[str], typer.Argument(metavar="AGENT…", help="Who is asked to join.")],
    paths: Paths = None,
    idle: Idle = "1h",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Begin a collaboration, and ask other agents to join."""
    time = seconds(idle)
    tell(
        ask(
            url,
            lambda bridge: bridge.start_collaboration(topic, others, paths=paths or (), idle_seconds=time),
        ),
        as_json,
    )


@app.command()
def join(session_id: Id, url: Url = None, as_json: AsJson = False) -> None:
    """Come into a collaboration."""
    tell(ask(url, lambda bridge: bridge.join_collaboration(session_id)), as_json)


@app.command()
def say(
    session_id: Id,
    text: Annotated[str, typer.Argument(help="What there is to say.")],
    proposal: Proposal = None,
    at: Where = None,
    symbol: Symbol = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Tell the others in a collaboration, or the partner in a pair, something."""
    place = place_of(at, symbol)
    tell(ask(url, lambda bridge: bridge.say(session_id, text, proposal=proposal, **place)), as_json)


@app.command()
def leave(session_id: Id, reason: Reason = "", url: Url = None, as_json: AsJson = False) -> None:
    """Leave a collaboration, or decline to join."""
    tell(ask(url, lambda bridge: bridge.leave_collaboration(session_id, reason)), as_json)


@app.command()
def close(session_id: Id, reason: Reason = "", url: Url = None, as_json: AsJson = False) -> None:
    """End a session for everybody: who began it, a partner, or an operator."""
    tell(ask(url, lambda bridge: bridge.close_collaboration(session_id, reason)), as_json)


def tell(standing: "CollaborationStanding", as_json: bool) -> None:
    """How a session stands after a move."""
    if as_json:
        print_json(standing)
        return
    waits = f"; asked: {', '.join(standing.invited)}" if standing.invited else ""
    print_line(f"{standing.id} is {standing.state}; in it: {', '.join(standing.members) or 'nobody'}{waits}")


def _show(entry: "CollaborationEntry") -> None:
    data = entry.data
    told = [str(data[name]) for name in ("suggestion", "verdict", "how") if name in data]
    if "proposal" in data:
        told.append(f"proposal {data['proposal']['name']}")
    if entry.note is not None:
        lines = dict.fromkeys(entry.note.lines or ())
        told.append(":".join(filter(None, (entry.note.path, "-".join(map(str, lines))))))
    if data.get("moved_on"):
        told.append("(the proposal went on since)")
    words = [data[name] for name in ("text", "comment", "summary", "reason") if data.get(name)]
    verb = entry.type.partition(".")[2]
    name = f" s{entry.seq}" if verb == "suggested" else ""
    line = f"{entry.seq} {entry.at[:19]} {entry.agent_id} {verb}{name}"
    print_line(" ".join((line, *told)) + (":" if words else ""))
    for text in (*words, entry.patch or ("[a patch that is not UTF-8]" if entry.patch_b64 else "")):
        for row in printable_lines(text).splitlines():
            sys.stdout.write(f"    {row}\n")
    if entry.lost:
        print_line("    [what it points to cannot be read any more]")


def _row(session: "Collaboration") -> tuple[object, ...]:
    waiting = [one for one in session.asked if one not in session.members and one not in session.left]
    return (
        session.id,
        session.kind,
        session.state,
        session.agent_id,
        _names(session),
        ", ".join(waiting),
        session.open_suggestions or "",
        shortened(session.topic, MOST_SHOWN),
    )


def _names(session: "Collaboration") -> str:
    return ", ".join(session.members) or "nobody"
