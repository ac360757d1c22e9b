"""`lighthouse hook`: asks the bridge about a tool call, for hosts that start a program for each."""

from typing import Annotated

import typer


def hook(
    seconds: Annotated[
        int, typer.Option("--seconds", min=1, max=86400, help="When to give up, and block the call.")
    ] = 320,
) -> None:
    """Ask the bridge about the tool call on standard input, in the form of Claude Code's hooks.

    Ends with 0 and the answer on standard output, or with 2 and a line that says why the call is blocked.
    Bridge and token come from LIGHTHOUSE_BRIDGE_URL and LIGHTHOUSE_TOKEN or LIGHTHOUSE_TOKEN_FILE.
    """
    from lighthouse.hook import main

    main(["--seconds", str(seconds)])
