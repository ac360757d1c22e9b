"""Which folder of this machine is the project, and which paths in it are meant."""

import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from lighthouse.cli.restoring.disk import Changed, Disk
from lighthouse.cli.restoring.entries import Then
from lighthouse.errors import LighthouseError
from lighthouse.paths import ProjectPath

# So many files are compared before anything is believed.
SAMPLE = 100
LEAST_ALIKE = 0.8


class NotTheProject(LighthouseError):
    """The folder is not what the bridge follows, or a path is not in it; nothing was touched."""


def find(given: Path | None, current: Mapping[ProjectPath, Then], here: Path) -> Path:
    """The project's folder: `given`, or the nearest folder from `here` upwards that looks like it.

    A container knows the project under another path than its users, so it is recognised by what is in it.
    Raises NotTheProject, OSError.
    """
    if given is not None:
        folder = given.resolve(strict=True)
        _check(folder, current)
        return folder
    tops = {path[0] for path in current if len(path) == 1}
    here = here.resolve(strict=True)
    for folder in (here, *here.parents):
        if len(tops & _names(folder)) > LEAST_ALIKE * len(tops):
            _check(folder, current)
            return folder
    raise NotTheProject(f"{here} is not in the project", "go there, or name its folder with --project")


def _names(folder: Path) -> set[bytes]:
    """The names in a folder; none where it is closed to us: the project is not."""
    try:
        return {os.fsencode(place.name) for place in folder.iterdir()}
    except PermissionError:
        return set()


def _check(folder: Path, current: Mapping[ProjectPath, Then]) -> None:
    files = [path for path, entry in current.items() if entry.kind == "file" and entry.mark is None]
    sample = files[:: max(1, len(files) // SAMPLE)]
    disk = Disk(folder)
    try:
        alike = sum(_same(disk, path, current[path]) for path in sample)
    finally:
        disk.close()
    if alike < LEAST_ALIKE * len(sample):
        raise NotTheProject(
            f"{folder} is not the project: of {len(sample)} files {alike} are as the bridge has them",
            "name the folder that the bridge follows with --project",
        )


def _same(disk: Disk, path: ProjectPath, captured: Then) -> bool:
    try:
        now = disk.look(path)
    except (OSError, Changed):
        return False
    return now is not None and now.hash == captured.hash


def beneath(folder: Path, named: Sequence[Path], here: Path) -> list[ProjectPath]:
    """The paths as the project has them; none named is all of it. Raises NotTheProject.

    Neither the last name nor what is gone is resolved: a link is meant itself.
    """
    if not named:
        return [()]
    found: list[ProjectPath] = []
    for path in named:
        whole = Path(os.path.normpath(here / path))
        place = whole if whole == folder else whole.parent.resolve() / whole.name
        if not place.is_relative_to(folder):
            raise NotTheProject(f"{path} is not in {folder}", "name a path in the project")
        found.append(tuple(os.fsencode(part) for part in place.relative_to(folder).parts))
    return found


def require_known(wanted: Iterable[ProjectPath], *versions: Mapping[ProjectPath, Then]) -> None:
    """Raise NotTheProject for a path under which nothing was or is captured."""
    for root in wanted:
        if root and not any(path[: len(root)] == root for version in versions for path in version):
            name = os.fsdecode(b"/".join(root))
            raise NotTheProject(f"nothing is captured under {name}, then or now", "see `lighthouse diff`")
