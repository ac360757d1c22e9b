"""A tool call as commands are told it: a Bash command, or another tool with its input."""

from typing import Annotated, Any

import typer

from lighthouse.cli.output import fail

Tool = Annotated[str, typer.Option("--tool", metavar="NAME", help="Another tool than Bash.")]
Input = Annotated[
    str | None, typer.Option("--input", metavar="JSON", help="That tool's input, a JSON object.")
]


def tool_input(command: str | None, fields: str | None) -> dict[str, Any]:
    """The call's input; ends the command with 2 where there is none, or two."""
    import msgspec

    if (command is None) == (fields is None):
        fail("give a command, or --tool with --input", 2)
    if command is not None:
        return {"command": command}
    try:
        return msgspec.json.decode(fields or "", type=dict[str, Any])
    except msgspec.MsgspecError as error:
        fail(f"--input is no JSON object ({error})", 2)
