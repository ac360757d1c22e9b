"""Lists of words that the judging goes by, kept in vocabulary.toml as text."""

import tomllib
from functools import cache
from importlib import resources


@cache
def _tables() -> dict[str, dict[str, str]]:
    text = (resources.files(__package__) / "vocabulary.toml").read_text("utf-8")
    return tomllib.loads(text)


def listed(room: str, name: str) -> frozenset[str]:
    """The words of one list."""
    return frozenset(_tables()[room][name].split())
