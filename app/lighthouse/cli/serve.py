"""`lighthouse serve`: the bridge as a plain process, without container and systemd."""

from typing import Annotated

import typer


def serve(
    project: Annotated[
        str | None,
        typer.Option("--project", metavar="DIR", help="The project to serve [else LIGHTHOUSE_PROJECT_PATH]."),
    ] = None,
    mount: Annotated[
        str | None,
        typer.Option("--mount", metavar="DIR", help="Where to mount it [else LIGHTHOUSE_MOUNT_POINT]."),
    ] = None,
    state: Annotated[
        str | None,
        typer.Option(
            "--state",
            metavar="DIR",
            help="Keep the log (DIR/events) and the secret (DIR/secret, made if missing) here.",
        ),
    ] = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="HOST:PORT", help="Address to listen on [else LIGHTHOUSE_LISTEN]."),
    ] = None,
    no_mount: Annotated[bool, typer.Option("--no-mount", help="Serve over HTTP only.")] = False,
) -> None:
    """Run the bridge until SIGTERM or Ctrl-C. It logs JSON to standard output.

    A refusal to start is told on standard error as well.

    What no option says comes from the environment and /etc/lighthouse/config.toml.
    """
    # Text, not typer's Path: that one looks at the path, and a mount whose server hangs would never answer.
    from lighthouse.bridge.main_bridge import serve as run_bridge

    run_bridge(project=project, mount=mount, state=state, listen=listen, no_mount=no_mount)
