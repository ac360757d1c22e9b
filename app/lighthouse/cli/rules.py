"""`lighthouse rules`: answers that count for later calls too."""

from typing import TYPE_CHECKING, Annotated

import typer

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_line, print_table, shortened

if TYPE_CHECKING:
    from lighthouse.client.answers_validations import RememberedRule

MOST_SHOWN = 80

app = typer.Typer(help="List and revoke remembered answers.", rich_markup_mode=None)


@app.callback()
def _rules() -> None:
    """List and revoke remembered answers."""


@app.command("list")
def list_(url: Url = None, as_json: AsJson = False) -> None:
    """List the remembered answers that count."""
    found = ask(url, lambda bridge: bridge.rules())
    if as_json:
        print_json(found)
    else:
        columns = ("id", "decides", "for", "scope", "call", "until", "by", "reason")
        print_table(columns, [_row(rule) for rule in found])


@app.command("revoke")
def revoke(
    rule_id: Annotated[
        str, typer.Argument(metavar="ID", help="The rule, as `lighthouse rules list` has it.")
    ],
    reason: Annotated[str, typer.Option("--reason", metavar="TEXT", help="Why.")] = "",
    url: Url = None,
    as_json: AsJson = False,
) -> None:
    """End a remembered answer before its time."""
    ended = ask(url, lambda bridge: bridge.revoke_rule(rule_id, reason))
    print_json(ended) if as_json else print_line(f"{ended.id} is revoked")


def _row(rule: "RememberedRule") -> tuple[str, ...]:
    what = rule.what if rule.tool_name == "Bash" else f"{rule.tool_name} {rule.what}"
    return (
        rule.id,
        rule.decision,
        rule.agent_id or "anyone",
        rule.scope,
        shortened(what, MOST_SHOWN),
        rule.expires_at,
        rule.by,
        shortened(rule.reason, MOST_SHOWN),
    )
