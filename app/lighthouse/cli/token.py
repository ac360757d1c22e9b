"""`lighthouse token`: agents' tokens, made offline from the installation's secret."""

import re
from enum import StrEnum
from typing import Annotated

import typer

from lighthouse.cli.options import AsJson, State
from lighthouse.cli.output import print_json, print_line

app = typer.Typer(help="Mint agents' tokens.", rich_markup_mode=None)

_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}
_TTL = re.compile(r"([0-9]{1,12})([smhdw]?)")
LONGEST = 10 * 365 * 86400


class RoleName(StrEnum):
    """The roles, named here too so that `--help` need not load what signs tokens; a test compares them."""

    OBSERVER = "observer"
    AGENT = "agent"
    EXPERT = "expert"
    OPERATOR = "operator"
    ADMIN = "admin"


def seconds(text: str) -> int:
    """`30d`, `12h`, `90m`, `45s` or plain seconds as a number; raises typer.BadParameter."""
    found = _TTL.fullmatch(text)
    value = int(found[1]) * _UNITS[found[2]] if found else 0
    if not 0 < value <= LONGEST:
        raise typer.BadParameter(
            f"{text!r} is no time to live: write 30d, 12h, 90m or seconds, at most ten years"
        )
    return value


@app.callback()
def _token() -> None:
    """Mint agents' tokens."""


@app.command("create")
def create(
    agent: Annotated[str, typer.Option("--agent", metavar="ID", help="The agent the token speaks for.")],
    role: Annotated[RoleName, typer.Option("--role", help="What the agent may do.")] = RoleName.AGENT,
    ttl: Annotated[
        str, typer.Option("--ttl", metavar="TIME", help="How long it counts: 30d, 12h, 90m or seconds.")
    ] = "30d",
    state: State = None,
    as_json: AsJson = False,
) -> None:
    """Mint an agent's token from the secret, without a bridge, and print it alone."""
    lifetime = seconds(ttl)

    from lighthouse.cli.store import keyring
    from lighthouse.sessions import Role, mint_agent_token

    token = mint_agent_token(keyring(state), agent, Role(role.value), lifetime)
    if as_json:
        print_json({"token": token, "agent_id": agent, "role": role.value, "expires_in": lifetime})
    else:
        print_line(token)
