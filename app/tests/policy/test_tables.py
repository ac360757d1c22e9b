"""The tables of programs are sound: every act they name exists, every handler is there."""

from collections.abc import Iterator

from lighthouse.policy.act import ACTIONS
from lighthouse.policy.places import PLACES
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.programs.start import HANDLERS, tables

ROLES = {
    "data",
    "read",
    "write",
    "delete",
    "code",
    "execute",
    "editable",
    "perl-module",
    "load",
    "sql",
    "sql-file",
    "serve",
    "source",
    "inline",
    "module",
    "compiler-switch",
    "endpoint",
}
WORDS = ROLES | {"ok", "recursive", "secret", "uncertain"}


def specs(name: str, spec: "str | Spec") -> Iterator[tuple[str, "str | Spec"]]:
    yield name, spec
    if isinstance(spec, Spec):
        for verb, inner in spec.sub.items():
            yield from specs(f"{name} {verb}", inner)


def acts(spec: "str | Spec") -> Iterator[str]:
    if isinstance(spec, str):
        yield from spec.split()
        return
    yield from spec.acts.split()
    for text in (*spec.flags.values(), *spec.options.values()):
        yield from text.split()
    yield from (role.removesuffix("...") for role in spec.operands.split())
    if not spec.otherwise.startswith("@"):
        yield from spec.otherwise.split()


ALL = [one for name, spec in tables().items() for one in specs(name, spec)]


def test_every_act_of_every_table_exists() -> None:
    for name, spec in ALL:
        for act in acts(spec):
            action, colon, place = act.partition(":")
            assert action in (ACTIONS if colon else ACTIONS | WORDS), f"{name}: {act}"
            assert not colon or place in PLACES, f"{name}: {act}"


def test_every_handler_is_there_and_used() -> None:
    named = {spec.handler for _, spec in ALL if isinstance(spec, Spec) and spec.handler}
    named |= {
        spec.otherwise[1:] for _, spec in ALL if isinstance(spec, Spec) and spec.otherwise.startswith("@")
    }
    assert named == set(HANDLERS)


def test_there_are_many_programs() -> None:
    assert len(tables()) > 800
