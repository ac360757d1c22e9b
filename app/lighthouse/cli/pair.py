"""`lighthouse pair`: two agents at one piece of work, from the request to its completion."""

from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.collaboration import Id, Idle, Paths, Reason, tell
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_line
from lighthouse.cli.place import Proposal, Symbol, Where, place_of
from lighthouse.cli.token import seconds

if TYPE_CHECKING:
    from lighthouse.client.answers_collaborations import Opinion

app = typer.Typer(help="Work as a pair: suggest, review, complete.", rich_markup_mode=None)

_OPINIONS: "tuple[Opinion, ...]" = ("accept", "change", "reject")


@app.callback()
def _pair() -> None:
    """Work as a pair: suggest, review, complete."""


@app.command()
def request(
    to: Annotated[str, typer.Argument(metavar="AGENT", help="Who is asked.")],
    goal: Annotated[str, typer.Argument(help="What is to be done.")],
    paths: Paths = None,
    idle: Idle = "1h",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Ask another agent to work on something as a pair."""
    time = seconds(idle)
    tell(
        ask(url, lambda bridge: bridge.request_pair(to, goal, paths=paths or (), idle_seconds=time)), as_json
    )


@app.command()
def accept(session_id: Id, url: Url = None, as_json: AsJson = False) -> None:
    """Be the partner of who asked."""
    tell(ask(url, lambda bridge: bridge.accept_pair(session_id)), as_json)


@app.command()
def decline(session_id: Id, reason: Reason = "", url: Url = None, as_json: AsJson = False) -> None:
    """Refuse to be the partner of who asked."""
    tell(ask(url, lambda bridge: bridge.decline_pair(session_id, reason)), as_json)


@app.command()
def suggest(
    session_id: Id,
    text: Annotated[str, typer.Argument(help="What there is to say of it.")],
    proposal: Proposal = None,
    at: Where = None,
    symbol: Symbol = None,
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Suggest a proposal, as it is now, or a note at a place to the partner."""
    place = place_of(at, symbol)
    made = ask(url, lambda bridge: bridge.suggest(session_id, text, proposal=proposal, **place))
    if as_json:
        print_json(made)
    else:
        print_line(f"{made.suggestion.id} waits for the partner's review")


@app.command()
def review(
    session_id: Id,
    suggestion_id: Annotated[
        str, typer.Argument(metavar="SUGGESTION", help="As `lighthouse collaboration show` has it.")
    ],
    verdict: Annotated[str, typer.Argument(help="accept, change or reject.")],
    comment: Annotated[str, typer.Option("--comment", metavar="TEXT", help="What there is to say.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """Say what you think of your partner's suggestion."""
    opinion = next((one for one in _OPINIONS if one == verdict), None)
    if opinion is None:
        raise typer.BadParameter(f"a verdict is one of {', '.join(_OPINIONS)}")
    tell(
        ask(url, lambda bridge: bridge.review_suggestion(session_id, suggestion_id, opinion, comment)),
        as_json,
    )


@app.command()
def complete(
    session_id: Id,
    summary: Annotated[str, typer.Argument(help="What came of it.")],
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """End a pair session that has done what it was for."""
    tell(ask(url, lambda bridge: bridge.complete_pair(session_id, summary)), as_json)
