"""`lighthouse task`: work that agents give to each other."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_line, print_section, print_table, shortened
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_tasks import Capability, Task, TaskNote
    from lighthouse.client.client import Client

PAGE = 100
MOST_SHOWN = 80
STATES = ("open", "pending", "claimed", "completed", "failed", "cancelled")

Id = Annotated[str, typer.Argument(metavar="ID", help="The task, as `lighthouse task list` has it.")]
Wait = Annotated[
    float, typer.Option("--wait", metavar="SECONDS", min=0, max=600, help="Wait so long for its end.")
]

app = typer.Typer(
    help="Give work to agents, and do what is given.", no_args_is_help=True, rich_markup_mode=None
)


@app.command()
def dispatch(
    title: Annotated[str, typer.Argument(help="What is to be done, in a line.")],
    to: Annotated[
        str | None, typer.Option("--to", metavar="AGENT", help="By whom [else an expert who fits].")
    ] = None,
    body: Annotated[str, typer.Option("--body", metavar="TEXT", help="All there is to say, or @FILE.")] = "",
    speciality: Annotated[
        str, typer.Option("--speciality", metavar="WORD", help="Without --to: what the expert knows.")
    ] = "",
    language: Annotated[
        list[str] | None, typer.Option("--language", metavar="NAME", help="A language of the work.")
    ] = None,
    path: Annotated[
        list[str] | None, typer.Option("--path", metavar="PATH", help="A path that it touches.")
    ] = None,
    risk: Annotated[
        list[str] | None, typer.Option("--risk", metavar="ACTION", help="An action that it needs.")
    ] = None,
    lease: Annotated[
        str, typer.Option("--lease", metavar="TIME", help="So long who has it may say nothing: 1m to 1d.")
    ] = "15m",
    retries: Annotated[int, typer.Option("--retries", min=0, max=10, help="How often it is tried anew.")] = 2,
    deadline: Annotated[
        str, typer.Option("--deadline", metavar="TIME", help="After that it has failed: 1m to 30d.")
    ] = "7d",
    key: Annotated[
        str | None, typer.Option("--key", metavar="KEY", help="The same again under it is the same task.")
    ] = None,
    wait: Wait = 0.0,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Have something done. With --wait, ends with 1 unless it is completed by then."""
    named = to if to is not None else _capability(speciality, language, path, risk)
    if to is not None and any((speciality, language, path, risk)):
        raise typer.BadParameter("--to names who does it: leave out what they have to be able to do")
    text = _text(body)
    lease_seconds, deadline_seconds = seconds(lease), seconds(deadline)
    made = ask(
        url,
        lambda bridge: bridge.dispatch_task(
            title,
            text,
            to=named,
            lease_seconds=lease_seconds,
            retries=retries,
            deadline_seconds=deadline_seconds,
            idempotency_key=key,
            wait_seconds=wait,
        ),
    )
    _end(made, wait, as_json=as_json)


@app.command("list")
def list_(
    state: Annotated[
        str | None, typer.Option("--state", metavar="STATE", help=f"One of {', '.join(STATES)}.")
    ] = None,
    agent: Annotated[
        str | None, typer.Option("--agent", metavar="ID", help="Of this agent: its own, and those for it.")
    ] = None,
    mine: Annotated[bool, typer.Option("--mine", help="Those that you may claim, the oldest first.")] = False,
    limit: Annotated[int, typer.Option("--limit", min=1, metavar="N", help="At most so many.")] = 100,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """List the tasks that are open, and the last that ended."""
    chosen = next((one for one in STATES if one == state), None)
    if chosen != state:
        raise typer.BadParameter(f"--state is one of {', '.join(STATES)}")
    if mine and (state or agent):
        raise typer.BadParameter("--mine is a list of its own: give no --state and no --agent")
    found = ask(url, lambda bridge: _pages(bridge, chosen, agent, limit, mine=mine))
    if as_json:
        print_json(found)
        return
    print_table(("id", "state", "of", "for", "task", "so far"), [_row(one) for one in found])


@app.command()
def show(task_id: Id, wait: Wait = 0.0, url: Url = None, as_json: AsJson = False) -> None:
    """Show a task, what was said on the way, and what became of it."""
    found = ask(url, lambda bridge: bridge.task(task_id, wait_seconds=wait))
    if as_json:
        print_json(found)
        return
    print_table(("", ""), [row for row in _details(found) if row[1]])
    if found.body:
        print_section("body", found.body.rstrip("\n"))
    if found.notes:
        print_line("")
        print_table(("at", "by", "%", "note"), [_note(note) for note in found.notes])
    if found.state == "completed":
        print_line("")
        print_json(found.result)


@app.command()
def claim(task_id: Id, url: Url = None, as_json: AsJson = False) -> None:
    """Take a task, for as long as its lease."""
    _told(ask(url, lambda bridge: bridge.claim_task(task_id)), as_json=as_json)


@app.command()
def progress(
    task_id: Id,
    text: Annotated[str, typer.Argument(metavar="[NOTE]", help="How far it is.")] = "",
    percent: Annotated[
        float | None, typer.Option("--percent", min=0, max=100, metavar="N", help="The same as a number.")
    ] = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say how far a task of yours is; the lease begins anew."""
    _told(ask(url, lambda bridge: bridge.progress_task(task_id, text, percent=percent)), as_json=as_json)


@app.command()
def complete(
    task_id: Id,
    result: Annotated[str, typer.Argument(metavar="[JSON]", help="The result, or @FILE.")] = "null",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that a task of yours is done."""
    import msgspec

    try:
        value: Any = msgspec.json.decode(_text(result))
    except msgspec.DecodeError as error:
        raise typer.BadParameter(f"the result is not JSON ({error}): a text is in double quotes") from None
    _told(ask(url, lambda bridge: bridge.complete_task(task_id, value)), as_json=as_json)


@app.command()
def fail(
    task_id: Id,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why; whoever wants it reads it.")],
    retry: Annotated[bool, typer.Option("--retry", help="Another may try, where tries are left.")] = False,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say that a task of yours cannot be done, or not by you."""
    _told(ask(url, lambda bridge: bridge.fail_task(task_id, reason, retry=retry)), as_json=as_json)


@app.command()
def cancel(
    task_id: Id,
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """End a task that need not be done."""
    _told(ask(url, lambda bridge: bridge.cancel_task(task_id, reason)), as_json=as_json)


def _capability(
    speciality: str, language: list[str] | None, path: list[str] | None, risk: list[str] | None
) -> "Capability":
    from lighthouse.client.answers_tasks import Capability

    return Capability(speciality, language or [], path or [], risk or [])


def _text(said: str) -> str:
    return Path(said[1:]).read_text() if said.startswith("@") else said


async def _pages(bridge: "Client", state: Any, agent: str | None, most: int, *, mine: bool) -> "list[Task]":
    found: list[Task] = []
    cursor = None
    while len(found) < most:
        limit = min(most - len(found), PAGE)
        if mine:
            page = await bridge.pending_tasks(limit=limit, cursor=cursor)
        else:
            page = await bridge.tasks(state=state, agent=agent, limit=limit, cursor=cursor)
        found += page.tasks
        if (cursor := page.next_cursor) is None:
            break
    return found


def _end(task: "Task", wait: float, *, as_json: bool) -> None:
    _told(task, as_json=as_json)
    if wait and task.state != "completed":
        raise typer.Exit(1)


def _told(task: "Task", *, as_json: bool) -> None:
    print_json(task) if as_json else print_line(f"{task.id} is {_state(task)}")


def _state(task: "Task") -> str:
    if task.state == "claimed":
        return f"claimed by {task.holder} until {task.lease_until}"
    if task.state == "pending" and task.attempt > 1:
        return f"pending, try {task.attempt} ({task.reason})"
    return f"{task.state}{f' ({task.reason})' if task.reason else ''}"


def _row(task: "Task") -> tuple[str, ...]:
    last = task.notes[-1].note if task.notes and not task.ended else task.reason
    far = "" if task.percent is None else f"{task.percent:g} % "
    return (
        task.id,
        task.state,
        task.agent_id,
        task.holder or _whom(task),
        shortened(task.title, MOST_SHOWN),
        shortened(f"{far}{last}", MOST_SHOWN),
    )


def _whom(task: "Task") -> str:
    if (able := task.capability) is None:
        return task.to
    words = [word for word in (able.speciality, *able.languages, *able.paths, *able.risks) if word]
    return f"who knows {', '.join(words)}" if words else "any expert"


def _details(task: "Task") -> list[tuple[str, str]]:
    return [
        ("task", f"{task.id}: {task.title}"),
        ("state", _state(task)),
        ("of", f"{task.agent_id}, {task.dispatched_at}"),
        ("for", _whom(task)),
        ("told", ", ".join(task.offered)),
        ("tried by", ", ".join(task.tried)),
        ("until", task.expires_at if not task.ended else ""),
        ("ended", f"{task.ended_at} by {task.ended_by}" if task.ended else ""),
    ]


def _note(note: "TaskNote") -> tuple[str, ...]:
    percent = "" if note.percent is None else f"{note.percent:g}"
    return note.at, note.agent_id, percent, shortened(note.note, MOST_SHOWN)
