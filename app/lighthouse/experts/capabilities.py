"""What an expert is able to judge, and whether that covers what a request needs."""

import re
from collections.abc import Sequence
from typing import Protocol

import msgspec

from lighthouse import paths
from lighthouse.annotations.languages import NAMES
from lighthouse.experts.errors import BadExpert
from lighthouse.paths import BadPath
from lighthouse.policy import ACTIONS
from lighthouse.policy.verdict import TIERS
from lighthouse.search import BadGlob
from lighthouse.search.globs import Globs

MAX_WORDS = 100
MAX_GLOB = 1000
_SPECIALITY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class Needs(Protocol):
    """What a request touches: languages by name, paths from the project's root, kinds of risk."""

    @property
    def languages(self) -> Sequence[str]: ...
    @property
    def paths(self) -> Sequence[str]: ...
    @property
    def risks(self) -> Sequence[str]: ...


class Capabilities(msgspec.Struct, frozen=True):
    """A field of knowledge, and what of it the expert wants to be asked about; an empty list is no limit.

    `paths` are globs as in `.gitignore`; `risks` are the actions of policies, or tiers.
    """

    speciality: str
    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


class Coverage:
    """Capabilities made ready for matching. Raises BadExpert for those that make no sense."""

    def __init__(self, capabilities: Capabilities) -> None:
        told = capabilities
        if len(told.speciality) > 40 or not _SPECIALITY.fullmatch(told.speciality):
            raise BadExpert(
                f"{told.speciality[:50]!r} is no speciality",
                "use a short lower-case word such as security or database",
            )
        _check("language", told.languages, NAMES)
        _check("risk", told.risks, ACTIONS | TIERS.keys())
        if any(len(glob) > MAX_GLOB for glob in told.paths):
            raise BadExpert(f"a glob is longer than {MAX_GLOB} characters", "name folders")
        try:
            self._globs = Globs(told.paths)
        except BadGlob as error:
            raise BadExpert(error.message, error.hint) from error
        self._paths = bool(told.paths)
        self._languages = frozenset(told.languages)
        self._tiers = TIERS.keys() & told.risks
        self._actions = frozenset(told.risks) - self._tiers

    def specificity(self, needs: Needs, tier: str | None) -> int | None:
        """In how many respects the request is what the expert named; None where it is not covered.

        Who approves lets the whole call pass, so every path and every risk has to be covered; of the
        languages one is enough.
        """
        named = 0
        if self._tiers and tier is not None:
            if tier not in self._tiers:
                return None
            named += 1
        if self._actions and needs.risks:
            if not self._actions.issuperset(needs.risks):
                return None
            named += 1
        if self._paths and needs.paths:
            if not all(self._covers(path) for path in needs.paths):
                return None
            named += 1
        if self._languages and needs.languages:
            if self._languages.isdisjoint(needs.languages):
                return None
            named += 1
        return named

    def _covers(self, path: str) -> bool:
        try:
            return self._globs.covers(paths.parse(path))
        except BadPath:
            return False  # outside of the project


def _check(what: str, words: Sequence[str], known: frozenset[str] | set[str]) -> None:
    if len(words) > MAX_WORDS:
        raise BadExpert(f"more than {MAX_WORDS} {what}s", "name none: that is all of them")
    if unknown := [word for word in words if word not in known]:
        raise BadExpert(f"there is no {what} {unknown[0][:50]!r}", f"use some of {', '.join(sorted(known))}")
