"""No command and no option without help, and none that docs/cli.md does not know; nor the other way round."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from lighthouse.bridge import main_bridge
from lighthouse.cli import serve, token
from lighthouse.cli.main import app
from lighthouse.sessions import Role

DOCS = Path(__file__).parents[3] / "docs" / "cli.md"


def commands(command: Any = None, name: str = "lighthouse") -> Iterator[tuple[str, Any]]:
    command = command or typer.main.get_command(app)
    children = getattr(command, "commands", {})
    if not children:
        yield name, command
    for child, inner in children.items():
        yield from commands(inner, f"{name} {child}")


COMMANDS = dict(commands())


def section(name: str) -> str:
    found = re.search(rf"^## `{re.escape(name)}`\n(.*?)(?=^## |\Z)", DOCS.read_text(), re.M | re.S)
    assert found, f"docs/cli.md has no section for `{name}`"
    return found[1]


def options(command: Any) -> list[Any]:
    return [option for option in command.params if option.name != "help"]


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_explained(name) -> None:
    command = COMMANDS[name]
    assert command.help
    for option in options(command):
        assert option.help, f"{name} {option.opts} has no help"


@pytest.mark.parametrize("name", COMMANDS)
def test_the_documentation_names_exactly_the_options_there_are(name) -> None:
    there = {opt for option in options(COMMANDS[name]) for opt in option.opts if opt.startswith("--")}
    told = set(re.findall(r"^\| `(--[a-z-]+)", section(name), re.M))
    assert told == there


def test_the_documentation_knows_no_other_command() -> None:
    told = set(re.findall(r"^## `(lighthouse [^`]+)`", DOCS.read_text(), re.M))
    assert told == COMMANDS.keys()


@pytest.mark.parametrize("name", set(COMMANDS) - {"lighthouse serve", "lighthouse mcp", "lighthouse hook"})
def test_every_command_speaks_json(name) -> None:
    assert "as_json" in {option.name for option in COMMANDS[name].params}


def test_both_ways_to_serve_take_the_same_options() -> None:
    def names(function: Any) -> set[str]:
        program = typer.Typer()
        program.command()(function)
        return {opt for option in options(typer.main.get_command(program)) for opt in option.opts} - {
            "--install-completion",
            "--show-completion",
        }

    assert names(serve.serve) == names(main_bridge.command)


def test_the_roles_are_those_of_the_sessions() -> None:
    assert [role.value for role in token.RoleName] == [role.value for role in Role]
