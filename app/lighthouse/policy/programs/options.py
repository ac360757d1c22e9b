"""Which options of a known program do no more than its table says: all others are not understood.

The lists are `options.toml`. What a table itself names, values, flags and roles, is known anyway.
"""

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources

from lighthouse.policy.programs.arguments import Arguments
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.spec import BadTable, Spec, load_tables
from lighthouse.policy.shell.marks import ANY, shown
from lighthouse.policy.vocabulary import listed

EVERYWHERE = "everywhere"
# Programs that read their words in a way of their own, and whose handlers tell what they do not know.
_OWN_GRAMMAR = listed("options", "own_grammar")


@dataclass(frozen=True, slots=True)
class Known:
    """Names of options; `*` at the end of one stands for all that begin so, and alone for all."""

    names: frozenset[str]
    beginnings: tuple[str, ...]

    def has(self, name: str) -> bool:
        """Whether the option is one of them."""
        return name in self.names or name.startswith(self.beginnings)


NONE = Known(frozenset(), ())


@cache
def lists() -> dict[str, Known]:
    """By program or subcommand; `PROGRAM *` counts for all its subcommands.

    A program's list counts for all that share its row in the tables.
    """
    rows: dict[int, list[str]] = {}
    table = load_tables()
    for name, spec in table.items():
        rows.setdefault(id(spec), []).append(name)
    texts = tomllib.loads((resources.files("lighthouse.policy") / "options.toml").read_text("utf-8"))
    found: dict[str, Known] = {}
    for names, text in texts.items():
        words = text.split()
        known = Known(
            frozenset(word for word in words if not word.endswith("*")),
            tuple(word[:-1] for word in words if word.endswith("*")),
        )
        for name in names.split(", "):
            program, _, verb = name.partition(" ")
            if name != EVERYWHERE and program not in table:
                raise BadTable(f"options.toml: no table describes {program}", "correct the name")
            for each in rows[id(table[program])] if name != EVERYWHERE else [EVERYWHERE]:
                key = f"{each} {verb}".rstrip()
                if key in found:
                    raise BadTable(f"options.toml: {key} is listed twice", "remove one")
                found[key] = known
    return found


def watch(call: Invocation, name: str, arguments: Arguments, spec: Spec, outer: Spec | None) -> None:
    """Tell of the options that nobody knows. `outer` is the program whose subcommand this is."""
    if not arguments.words or spec.handler in _OWN_GRAMMAR:
        return
    listing = lists()
    words = name.split(" ")
    words[0] = words[0] if words[0] in listing else words[0].rstrip("0123456789.").rstrip("-")
    known = [listing[EVERYWHERE], listing.get(" ".join(words), NONE)]
    if outer is not None:
        known.append(listing.get(words[0], NONE))
    known += [listing.get(" ".join([*words[:depth], "*"]), NONE) for depth in range(1, len(words))]
    harmless = spec.harmless.split()
    for word in arguments.words:
        if not all(_known(each, spec, outer, known, harmless) for each in word.names) and not _known(
            word.whole, spec, outer, known, harmless
        ):
            call.uncertain(f"the option {shown(word.whole)} is not known")


def _known(name: str, spec: Spec, outer: Spec | None, known: list[Known], harmless: list[str]) -> bool:
    if name in spec.takes_value or name in spec.flags or name in harmless:
        return True
    if outer is not None and name.startswith("--") and (name in outer.takes_value or name in outer.flags):
        return True
    if ANY in name:
        return True  # `open_option` tells of it
    if len(name) == 2 and name[1].isdigit():
        return True
    return any(each.has(name) for each in known)
