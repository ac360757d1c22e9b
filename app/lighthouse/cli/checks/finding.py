"""The result of a check, and how the machine is asked without ever hanging on the answer."""

import contextlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

State = Literal["ok", "warn", "fail", "not applicable"]


@dataclass(frozen=True)
class Finding:
    """`detail` says what was found and what it means; `todo`, empty when all is well, what to do about it."""

    check: str
    state: State
    detail: str
    todo: str = ""


class Outcome(NamedTuple):
    """How a program ended. `code` is None when it did not end in time."""

    code: int | None
    output: str
    errors: str

    @property
    def last_line(self) -> str:
        """The last line it wrote, errors first: usually the reason."""
        lines = (self.errors.strip() or self.output.strip()).splitlines()
        return lines[-1] if lines else ""


def ask(arguments: Sequence[str], seconds: float = 5.0) -> Outcome | None:
    """Run a program for at most `seconds`; None when there is no such program, or it cannot be started.

    A process stuck in a dead file system survives even being killed, so it is not waited for after that.
    """
    try:
        # Program names are our own, looked up on a fixed PATH.
        process = subprocess.Popen(  # noqa: S603
            list(arguments),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            env=_ENVIRONMENT,
            start_new_session=True,
        )
    except OSError:
        return None
    try:
        output, errors = process.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        process.kill()
        for pipe in (process.stdout, process.stderr):
            if pipe is not None:
                pipe.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(timeout=0.2)
        return Outcome(None, "", "")
    return Outcome(process.returncode, output, errors)


def read(path: str) -> str | None:
    """A small file of the system, stripped; None when it cannot be read."""
    try:
        return Path(path).read_text(errors="replace").strip()
    except OSError:
        return None


_ENVIRONMENT = {"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
