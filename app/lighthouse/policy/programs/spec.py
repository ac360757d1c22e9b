"""What is known of a program, as the tables in this folder say it: options, operands, subcommands, acts."""

import tomllib
from functools import cache
from importlib import resources
from typing import Literal

import msgspec

from lighthouse.errors import LighthouseError


class Spec(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One program or subcommand, as a table describes it. A subcommand that is a text is the acts it does.

    `values` are options that take a value which touches nothing; `options` say by a role what a value does
    (`read`, `write`, `code`, …, or acts); `flags` say what the option's presence does, `recursive` among it.
    `operands` is the role of each operand, the last one's or the one with `...` repeated. `acts` are done in
    any case, unless an option of `harmless` is there. `sub` are subcommands, `otherwise` the acts of others.
    `kind` `wrapper` runs the words behind its options, the first `skip` left out, as a text where it `joins`;
    `service` is told by its verb (services.py). `handler` names a function for what no table can tell.
    `prints` says what is known of the output; `helps` that `--help` does nothing else.
    """

    operands: str = "data"
    values: str = ""
    options: dict[str, str] = {}
    flags: dict[str, str] = {}
    acts: str = ""
    harmless: str = ""
    sub: dict[str, "str | Spec"] = {}
    otherwise: str = ""
    style: Literal["", "single"] = ""
    kind: Literal["", "service", "wrapper"] = ""
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
