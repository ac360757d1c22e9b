"""Options that several commands share, worded once."""

from pathlib import Path
from typing import Annotated

import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for machines instead of a table.")]
Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        metavar="URL",
        help="The bridge's address [else LIGHTHOUSE_BRIDGE_URL, http://localhost:8765].",
    ),
]
State = Annotated[
    Path | None,
    typer.Option(
        "--state",
        metavar="DIR",
        help="State folder of a `lighthouse serve` [else the environment and config file of the bridge].",
    ),
]
EventType = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="Only this type; `note.*` takes all that begin so."),
]
Stream = Annotated[str | None, typer.Option("--stream", metavar="NAME", help="Only this stream.")]
Agent = Annotated[str | None, typer.Option("--agent", metavar="ID", help="Only this agent's events.")]
