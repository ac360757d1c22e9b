"""`lighthouse question`: asking an agent something, and answering what agents ask."""

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighthouse.cli.asking import ask as ask_bridge
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import fail, note, print_json, print_line, print_table, printable_lines, shortened
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_elicitation import Question
    from lighthouse.client.client import Client

PAGE = 100
MOST_SHOWN = 80

Id = Annotated[str, typer.Argument(metavar="ID", help="The question, as `lighthouse question list` has it.")]

app = typer.Typer(help="Ask agents, and answer what they ask.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def ask(
    to: Annotated[str, typer.Argument(metavar="AGENT", help="Whom to ask.")],
    message: Annotated[str, typer.Argument(metavar="QUESTION", help="What to ask.")],
    schema: Annotated[
        str,
        typer.Option("--schema", metavar="JSON", help="The JSON Schema of an answer, or @FILE."),
    ] = '{"type": "string"}',
    timeout: Annotated[
        str, typer.Option("--timeout", metavar="TIME", help="How long it waits for an answer: 1s to 1d.")
    ] = "5m",
    key: Annotated[
        str | None,
        typer.Option("--key", metavar="KEY", help="The same again under it is the same question."),
    ] = None,
    no_wait: Annotated[bool, typer.Option("--no-wait", help="Print the question's id, and end.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Ask an agent and print its answer as JSON; ends with 1 where there is none."""
    wanted = _schema(schema)
    time = seconds(timeout)

    async def asking(bridge: "Client") -> "Question":
        if no_wait:
            return await bridge.ask_question(to, message, wanted, timeout_seconds=time, idempotency_key=key)
        return await bridge.elicit(
            to,
            message,
            wanted,
            timeout_seconds=time,
            idempotency_key=key,
            on_away=lambda error: note(f"{error.message}; waiting for it"),
        )

    asked = ask_bridge(url, asking)
    if as_json:
        print_json(asked)
    elif asked.state == "accepted":
        print_json(asked.content)
    elif asked.state == "pending":
        print_line(asked.id)
    else:
        note(f"{asked.id} is {asked.state}{f': {asked.reason}' if asked.reason else ''}")
    if asked.state in ("declined", "expired"):
        raise typer.Exit(1)


@app.command("list")
def list_(url: Url = None, as_json: AsJson = False) -> None:
    """List the questions that wait for you."""
    found = ask_bridge(url, _pages)
    if as_json:
        print_json(found)
        return
    print_table(("id", "from", "question", "time left"), [_row(one) for one in found])


@app.command()
def show(question_id: Id, url: Url = None, as_json: AsJson = False) -> None:
    """Show a question, what an answer may be, and what became of it."""
    found = ask_bridge(url, lambda bridge: bridge.question(question_id))
    if as_json:
        print_json(found)
        return
    print_table(("", ""), [row for row in _details(found) if row[1]])
    print_line("")
    print_line(printable_lines(found.message))
    print_line("")
    print_json(found.schema)
    if found.state == "accepted":
        print_line("")
        print_json(found.content)


@app.command()
def answer(
    question_id: Id,
    content: Annotated[str, typer.Argument(metavar="JSON", help="The answer, or @FILE.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question that is for you."""
    said = _json(content, "the answer")
    answered = ask_bridge(url, lambda bridge: bridge.respond(question_id, said))
    print_json(answered) if as_json else print_line(f"{answered.id} is answered")


@app.command()
def decline(
    question_id: Id,
    reason: Annotated[
        str, typer.Option("--reason", metavar="TEXT", help="Why; whoever asked reads it.")
    ] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that you will not answer a question."""
    declined = ask_bridge(url, lambda bridge: bridge.decline(question_id, reason))
    print_json(declined) if as_json else print_line(f"{declined.id} is declined")


async def _pages(bridge: "Client") -> "list[Question]":
    found: list[Question] = []
    cursor = None
    while True:
        page = await bridge.questions(limit=PAGE, cursor=cursor)
        found += page.questions
        if (cursor := page.next_cursor) is None:
            return found


def _row(one: "Question") -> tuple[str, ...]:
    return one.id, one.agent_id, shortened(one.message, MOST_SHOWN), _time_left(one)


def _details(found: "Question") -> list[tuple[str, str]]:
    return [
        ("question", f"{found.id}, {found.state}"),
        ("from", f"{found.agent_id}, {found.asked_at}"),
        ("to", found.to),
        ("time left", _time_left(found) if found.state == "pending" else ""),
        ("ended", found.ended_at or ""),
        ("reason", found.reason),
    ]


def _time_left(one: "Question") -> str:
    left = (datetime.fromisoformat(one.expires_at) - datetime.now(UTC)).total_seconds()
    return f"{left / 60:.0f} min" if left >= 120 else f"{max(0.0, left):.0f} s"


def _schema(text: str) -> dict[str, Any]:
    schema = _json(text, "--schema")
    if not isinstance(schema, dict):
        fail("--schema is no JSON object", 2)
    return schema


def _json(text: str, what: str) -> Any:
    import msgspec

    raw = Path(text[1:]).read_bytes() if text.startswith("@") else text.encode()
    try:
        return msgspec.json.decode(raw)
    except msgspec.MsgspecError as error:
        fail(f"{what} is no JSON ({error}): texts are in double quotes", 2)
