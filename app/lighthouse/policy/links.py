"""The symbolic links of a project on this machine, for judging offline."""

import os
from pathlib import Path


def read_link(path: str) -> str | None:
    """A link's text; None for what is no link or is not there."""
    try:
        return os.readlink(path)  # noqa: PTH115 - the text as it stands
    except (OSError, ValueError):
        return None


def real_folder(path: Path) -> str:
    """The folder's own path, with every link on the way followed."""
    return os.path.realpath(path)
