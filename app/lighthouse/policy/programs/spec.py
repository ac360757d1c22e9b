"""What is known of a program, as the tables in this folder say it: options, operands, subcommands, acts."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from lighthouse.errors import LighthouseError


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One program or subcommand; programs/README.md explains the fields to who writes a table."""

    operands: str = "data"
    values: str = ""
    options: dict[str, str] = {}
    flags: dict[str, str] = {}
    acts: str = ""
    harmless: str = ""
    sub: dict[str, "str | Spec"] = {}
    otherwise: str = ""
    style: Literal["", "single"] = ""
    kind: Literal["", "service", "wrapper", "tasks"] = ""
    skip: int = 0
    joins: bool = False
    prints: str = ""
    handler: str = ""
    helps: bool = True

    @property
    def takes_value(self) -> frozenset[str]:
        """Options that take their value from the next word where no `=` follows."""
        return _takes_value(self.values, tuple(self.options))


@cache
def _takes_value(values: str, options: tuple[str, ...]) -> frozenset[str]:
    return frozenset((*values.split(), *options))


class BadTable(LighthouseError):
    """A table of programs does not make sense."""


def load_tables(family: str = "") -> dict[str, Spec]:
    """All tables of this folder, or the one named. A key may name several programs, separated by spaces."""
    found: dict[str, Spec] = {}
    for file in sorted(resources.files(__package__).iterdir(), key=lambda file: file.name):
        if not file.name.endswith(f"{family}.toml"):
            continue
        try:
            table = msgspec.convert(tomllib.loads(file.read_text("utf-8")), dict[str, Spec])
        except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
            raise BadTable(f"{file.name}: {error}", "correct the table") from error
        for names, spec in table.items():
            for name in names.split():
                if name in found:
                    raise BadTable(f"{file.name}: {name} is described twice", "remove one")
                found[name] = spec
    return found
