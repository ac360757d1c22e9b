"""Checkers and formatters that only look this time: what others leased is left as it is."""

import re

from lighthouse.leases.pattern import OPEN
from lighthouse.policy.act import Facts, Program

# These change files where an option says so.
_LOOKING = frozenset(
    (
        *(
            "actionlint",
            "autoflake",
            "autopep8",
            "bandit",
            "basedpyright",
            "biome",
            "checkov",
            "clang-format",
        ),
        *("clang-tidy", "codespell", "cppcheck", "cpplint", "eslint", "flake8", "gofmt", "gofumpt"),
        *("goimports", "golangci-lint", "golint", "govulncheck", "hadolint", "luacheck", "mypy", "oxlint"),
        *("phpstan", "prettier", "pycodestyle", "pydocstyle", "pyflakes", "pylint", "pyright", "radon"),
        *("revive", "rubocop", "ruff check", "shellcheck", "shfmt", "standard", "standardrb", "staticcheck"),
        *("stylelint", "tfsec", "vulture", "xo", "yapf"),
    )
)
_CHANGES = re.compile(
    r"-[A-Za-z]*[oiwaAx]|--(?!output-format|outputjson)\S*(?:"
    r"fix|write|out|report|xml|html|place|apply|correct|noqa|unsafe|save|create|install|update|generate)"
)
# These change files unless an option says that they do not.
_CHANGING = frozenset(
    ("black", "cargo fmt", "dprint fmt", "isort", "ruff format", "rustfmt", "taplo fmt", "terraform fmt")
)
_LOOKS = re.compile(r"--?check(?:-only)?(?:=|$)|--?diff(?:=|$)|-c$")


def looking(facts: Facts) -> frozenset[str]:
    """The programs of the call that change nothing, as often as they run in it."""
    looks: set[str] = set()
    changes: set[str] = set()
    for program in facts.programs:
        found = _looks(program)
        if found is not None:
            (looks if found else changes).add(program.name.rpartition("/")[2])
    return frozenset(looks - changes)


def _looks(program: Program) -> bool | None:
    """Whether it only looks; None for a program of which nothing is known."""
    name = program.name.rpartition("/")[2]
    words = program.arguments
    names = {name, f"{name} {words[0]}" if words else name}
    known = not any(OPEN in word for word in words)
    if names & _LOOKING:
        return known and not any(_CHANGES.match(word) for word in words)
    if names & _CHANGING:
        return known and any(_LOOKS.match(word) for word in words)
    # Other verbs of these are told apart from the ones above by what they do.
    return None if name in ("cargo", "terraform") else False
