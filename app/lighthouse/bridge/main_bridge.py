"""The program behind `lighthouse serve`, `lighthouse-bridge`, `python -m lighthouse.bridge.main_bridge`."""

import asyncio
import logging
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from lighthouse import config
from lighthouse.bridge import logs, service
from lighthouse.errors import LighthouseError

log = logging.getLogger("lighthouse.bridge")


def serve(
    project: Path | str | None = None,
    mount: Path | str | None = None,
    state: Path | str | None = None,
    listen: str | None = None,
    no_mount: bool = False,
) -> None:
    """Run the bridge until it is told to stop; raises LighthouseError, the reason logged, when it refuses.

    What goes wrong by a fault of its own is logged whole and raises typer.Exit(1).
    """
    # What is told to others, in the mount and in the log, has to mean the same in their working folder. This
    # does not look at the path: a mount that nobody serves yet never answers.
    folders = {"project_path": project, "mount_point": mount}
    given: dict[str, Any] = {
        name: str(Path(value).absolute()) for name, value in folders.items() if value is not None
    }
    if mount is not None:
        given["proposals_mount_point"] = f"{given['mount_point']}.proposals"
    if listen is not None:
        given["listen"] = listen
    folder = None if state is None else Path(state)
    if folder is not None:
        given["event_store"] = str(folder / "events")
    if no_mount:
        given["mount"] = False
    logs.configure("info")
    try:
        settings = config.load(os.environ, given)
        logs.configure(settings.log_level)
        secret = folder / "secret" if folder is not None else None
        asyncio.run(service.run(settings, dict(os.environ), create_secret_at=secret))
    except LighthouseError as error:
        log.critical("refused: %s", error)
        raise
    except Exception:
        log.critical("failed", exc_info=True)
        raise typer.Exit(1) from None


def command(
    project: Annotated[str | None, typer.Option(help="The folder to serve.", show_default=False)] = None,
    mount: Annotated[str | None, typer.Option(help="Where to mount the shadow.", show_default=False)] = None,
    state: Annotated[
        str | None, typer.Option(help="Where the log and the secret are kept.", show_default=False)
    ] = None,
    listen: Annotated[
        str | None, typer.Option(help="Address for the API, 127.0.0.1:8765.", show_default=False)
    ] = None,
    no_mount: Annotated[bool, typer.Option("--no-mount", help="Serve over HTTP only.")] = False,
) -> None:
    """Run the bridge until it is told to stop. What is not given comes from environment and config file."""
    # Text, not typer's Path: that one looks at the path, and a mount that nobody serves yet never answers.
    try:
        serve(project, mount, state, listen, no_mount)
    except LighthouseError:
        raise typer.Exit(1) from None


def main() -> None:
    """Run `serve` with the command line's options."""
    app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    app.command()(command)
    app(prog_name=Path(sys.argv[0]).name)


if __name__ == "__main__":
    main()
