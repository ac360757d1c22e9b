"""`lighthouse`: puts the commands together, and turns whatever goes wrong into one line and an exit code."""

import os
import sys
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from lighthouse import __version__
from lighthouse.cli import (
    agent,
    annotation,
    approval,
    collaboration,
    context,
    doctor,
    events,
    hook,
    lease,
    mcp,
    messages,
    pair,
    policy,
    proposal,
    question,
    restore,
    rules,
    search,
    serve,
    status,
    task,
    token,
    validate,
    versions,
)
from lighthouse.cli.output import note, print_line
from lighthouse.errors import LighthouseError

DONE, FAILED, USAGE = 0, 1, 2

app = typer.Typer(
    name="lighthouse",
    help="The one bridge that several AI coding agents go through to work on one project.",
    add_completion=False,
    pretty_exceptions_enable=False,
    # rich would take half of the time of a `--help`, and [text in brackets] for markup.
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("serve")(serve.serve)
app.command("mcp")(mcp.mcp)
app.command("hook")(hook.hook)
app.add_typer(agent.app, name="agent")
app.add_typer(token.app, name="token")
app.add_typer(events.app, name="events")
app.add_typer(policy.app, name="policy")
app.command("validate")(validate.validate)
app.command("approvals")(approval.approvals)
app.command("approve")(approval.approve)
app.command("deny")(approval.deny)
app.add_typer(rules.app, name="rules")
app.add_typer(question.app, name="question")
app.add_typer(lease.app, name="lease")
app.command("leases")(lease.leases)
app.add_typer(task.app, name="task")
app.add_typer(messages.app, name="messages")
app.command("status")(status.status)
app.command("snapshot")(versions.snapshot)
app.command("snapshots")(versions.snapshots)
app.command("diff")(versions.diff)
app.command("restore")(restore.restore)
app.command("search")(search.search)
app.add_typer(context.app, name="context")
app.add_typer(proposal.app, name="proposal")
app.command("annotate")(annotation.annotate)
app.command("annotations")(annotation.annotations)
app.add_typer(annotation.app, name="annotation")
app.add_typer(collaboration.app, name="collaboration")
app.add_typer(pair.app, name="pair")
app.command("doctor")(doctor.doctor)


def _show_version(wanted: bool) -> None:
    if wanted:
        print_line(__version__)
        raise typer.Exit


@app.callback()
def _lighthouse(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_show_version, help="Print the version.")
    ] = False,
) -> None:
    """The one bridge that several AI coding agents go through to work on one project."""


def run(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code: 0 done, 1 refused or failed, 2 usage."""
    try:
        code = app(list(arguments) or ["--help"], prog_name="lighthouse", standalone_mode=False)
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise  # typer turns only a broken pipe into this
        # Whoever read our output has seen enough. Nothing may be flushed into that pipe at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return DONE
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        where = context.command_path if context is not None else "lighthouse"
        note(f"{' '.join(error.format_message().split()).rstrip('.')}: see `{where} --help`")
        return error.exit_code
    except LighthouseError as error:
        note(str(error))
        return FAILED
    except typer.Abort:
        note("interrupted")
        return FAILED
    except OSError as error:
        where = f" {error.filename}" if error.filename is not None else ""
        note(f"the system refused{where}: {error.strerror or error}")
        return FAILED
    except Exception as error:
        # The last wall before a traceback, which would tell a person nothing.
        note(f"a fault in lighthouse itself: {type(error).__name__}: {' '.join(str(error).split())}")
        return FAILED
    # typer answers an interrupted command with the shell's 130; ours are 0, 1 and 2.
    return code if code in (DONE, FAILED, USAGE) else DONE if code is None else FAILED


def main() -> NoReturn:
    """The program."""
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()
