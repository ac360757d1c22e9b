"""The project's paths as hosts name them and as its links lead: the same for judging and for leases."""

from lighthouse.config import Settings
from lighthouse.leases import Names
from lighthouse.policy import Roots
from lighthouse.policy.places import resolve
from lighthouse.validation.judging import host_roots
from lighthouse.validation.links import ProjectLinks


class ProjectPaths:
    """On one thread."""

    def __init__(self, settings: Settings) -> None:
        self._roots = host_roots(settings)
        self._links = ProjectLinks(settings.project_path, self._roots)
        self._judged = Roots(self._roots, settings.home, self._links.read)

    def follow(self, text: str) -> Names | None:
        """Where a path leads that is absolute or from the root, by its names there; None: out of the project.

        Raises NotUnderstood for what cannot be seen.
        """
        root = self._roots[0]
        with self._links:
            [place] = resolve(text if text.startswith("/") else f"{root}/{text}", (root,), self._judged)
        return within(place.path, self._roots)


def within(target: str, roots: tuple[str, ...]) -> Names | None:
    """The names of an absolute path from the project's root; None for what is not in it."""
    for root in roots:
        if target == root:
            return ()
        if target.startswith(root + "/"):
            return tuple(name for name in target[len(root) + 1 :].split("/") if name)
    return None
