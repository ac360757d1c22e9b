"""`lighthouse messages`: what agents say to each other, and what a person says to them."""

import sys
from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import note, print_json, print_line, print_table, printable_lines, shortened

if TYPE_CHECKING:
    from lighthouse.client.answers_messages import Message, MessagePage, ThreadPage
    from lighthouse.client.client import Client

MOST_SHOWN = 100
PAGE = 100
EVERYBODY = "*"

app = typer.Typer(help="Send, read and search messages between agents.", rich_markup_mode=None)

Limit = Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")]
Sender = Annotated[str | None, typer.Option("--from", metavar="ID", help="Only what this agent sent.")]
Recipient = Annotated[str | None, typer.Option("--to", metavar="ID", help="Only what is for this agent.")]
InThread = Annotated[
    str | None, typer.Option("--thread", metavar="ID", help="Only this thread, in its order.")
]


@app.callback()
def _messages() -> None:
    """Send, read and search messages between agents."""


@app.command("send")
def send(
    body: Annotated[str, typer.Argument(metavar="TEXT", help="What there is to say; - is standard input.")],
    to: Annotated[str | None, typer.Option("--to", metavar="ID", help="The agent that it is for.")] = None,
    everybody: Annotated[
        bool, typer.Option("--everybody", help="For every agent that is known instead.")
    ] = False,
    thread: Annotated[
        str | None,
        typer.Option("--thread", metavar="ID", help="Answer in this thread; without --to to all in it."),
    ] = None,
    subject: Annotated[str, typer.Option("--subject", metavar="TEXT", help="What it is about.")] = "",
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="The same again under it is sent once.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Send a message to an agent, to everybody, or to those of a thread."""
    if everybody and to is not None:
        raise typer.BadParameter("--to and --everybody exclude each other")
    if to is None and thread is None and not everybody:
        raise typer.BadParameter("say for whom it is: --to, --everybody or --thread")
    text = sys.stdin.read() if body == "-" else body
    whom = EVERYBODY if everybody else to
    sent = ask(
        url,
        lambda bridge: bridge.send_message(
            text, to=whom, thread=thread, subject=subject, idempotency_key=key
        ),
    )
    if as_json:
        print_json(sent)
        return
    print_line(f"{sent.id} is sent to {', '.join(sent.recipients)}")
    for agent_id in sent.unseen:
        note(f"nothing is known of {agent_id}: is the name right?")
    for agent_id in sent.left_out:
        note(f"{agent_id} was left out: too much waits there already")


@app.command("list")
def list_(
    unread: Annotated[
        bool, typer.Option("--unread", help="What you did not acknowledge, the oldest first.")
    ] = False,
    thread: InThread = None,
    sender: Sender = None,
    to: Recipient = None,
    limit: Limit = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List messages, the latest first."""
    if unread and (thread or sender or to):
        raise typer.BadParameter("--unread is for all of yours: leave out the other filters")
    _list(url, None, limit, unread=unread, thread=thread, sender=sender, to=to, as_json=as_json)


@app.command("search")
def search(
    words: Annotated[
        str,
        typer.Argument(
            metavar="WORDS", help='What is found in them: word "a phrase" begin* -without OR subject:word.'
        ),
    ],
    thread: InThread = None,
    sender: Sender = None,
    to: Recipient = None,
    limit: Limit = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Search messages by their words, the latest first. Exit 1 when not all that is stored was searched."""
    whole = _list(url, words, limit, unread=False, thread=thread, sender=sender, to=to, as_json=as_json)
    if not whole:
        raise typer.Exit(1)


@app.command("show")
def show(
    message_id: Annotated[str, typer.Argument(metavar="ID", help="The message.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Show one message, and who acknowledged it."""
    found = ask(url, lambda bridge: bridge.message(message_id))
    if as_json:
        print_json(found)
        return
    rows = [("message", found.id), ("thread", found.thread), ("from", found.agent_id)]
    rows += [("sent", found.sent_at), ("subject", found.subject)]
    rows += [("to", f"{agent}: {_state(at)}") for agent, at in found.recipients.items()]
    rows += [("left out", agent) for agent in found.left_out]
    print_table(("", ""), rows)
    print_line("")
    # Lines of whoever wrote it, each behind a bar, so that none can pass for ours.
    for line in found.body.split("\n"):
        sys.stdout.write(f"  | {printable_lines(line)}\n")


@app.command("ack")
def ack(
    message_ids: Annotated[list[str], typer.Argument(metavar="ID…", help="Messages that are for you.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge messages: they do not come again."""

    async def each(bridge: "Client") -> None:
        for message_id in message_ids:
            receipt = await bridge.acknowledge_message(message_id)
            if as_json:
                print_json(receipt)
            else:
                print_line(f"{receipt.id} was acknowledged at {receipt.acknowledged_at}")

    ask(url, each)


@app.command("threads")
def threads(
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="ID", help="Only those that this agent is in.")
    ] = None,
    limit: Limit = 20,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List threads, the one with the latest message first."""
    found: list[ThreadPage] = []

    async def pages(bridge: "Client") -> None:
        cursor, left = None, limit
        while left > 0:
            page = await bridge.threads(agent, limit=min(left, PAGE), cursor=cursor)
            found.append(page)
            left -= len(page.threads)
            if (cursor := page.next_cursor) is None:
                break

    ask(url, pages)
    known = [thread for page in found for thread in page.threads]
    if as_json:
        for thread in known:
            print_json(thread)
    else:
        columns = ("thread", "messages", "unread", "last", "agents", "subject")
        rows = [
            (
                one.id,
                one.messages,
                one.unread,
                one.last_at,
                shortened(", ".join(one.agents), MOST_SHOWN),
                shortened(one.subject, MOST_SHOWN),
            )
            for one in known
        ]
        print_table(columns, rows)
    _tell(found)


def _list(
    url: str | None,
    words: str | None,
    limit: int,
    *,
    unread: bool,
    thread: str | None,
    sender: str | None,
    to: str | None,
    as_json: bool,
) -> bool:
    """Print what is found; whether all that is stored was looked at."""
    found: list[MessagePage] = []

    async def pages(bridge: "Client") -> None:
        cursor, left = None, limit
        while left > 0:
            most = min(left, PAGE)
            if unread:
                page = await bridge.unread_messages(limit=most, cursor=cursor)
            else:
                page = await bridge.messages(
                    words, thread=thread, agent_id=sender, to=to, limit=most, cursor=cursor
                )
            found.append(page)
            left -= len(page.messages)
            if (cursor := page.next_cursor) is None or page.timed_out:
                break

    ask(url, pages)
    known = [message for page in found for message in page.messages]
    if as_json:
        for message in known:
            print_json(message)
    else:
        columns = ("message", "thread", "sent", "from", "to", "unread", "subject", "text")
        print_table(columns, [_row(message) for message in known])
    return _tell(found)


def _tell(pages: "list[MessagePage] | list[ThreadPage]") -> bool:
    """Say what a page does not tell; whether it tells all."""
    for page in pages:
        if not page.complete:
            why = page.problem or ("the search took too long" if page.timed_out else "the index is behind")
            note(f"what came after event {page.covered_to} may be missing: {why}; try again in a moment")
            return False
    if pages and pages[-1].next_cursor is not None:
        note("there are more: raise --limit")
    return True


def _row(message: "Message") -> tuple[object, ...]:
    to = "everybody" if message.to == EVERYBODY else message.to or "the thread"
    waits = sum(at is None for at in message.recipients.values())
    return (
        message.id,
        message.thread,
        message.sent_at,
        message.agent_id,
        to,
        f"{waits} of {len(message.recipients)}",
        shortened(message.subject, MOST_SHOWN),
        shortened(message.body, MOST_SHOWN),
    )


def _state(at: str | None) -> str:
    return "not acknowledged" if at is None else f"acknowledged at {at}"
