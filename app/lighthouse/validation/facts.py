"""What is kept of a judgement: its acts, what kinds they are of, and what it takes to answer."""

from hashlib import sha256

import msgspec

from lighthouse.annotations.languages import language_of
from lighthouse.events.event import canonical
from lighthouse.policy import Act, Call, Judgement
from lighthouse.validation.bounded import clipped
from lighthouse.validation.errors import BadCall

MAX_FACTS = 48 * 1024
MAX_TARGET = 500
MAX_PROGRAMS = 20
MAX_NEEDED_PATHS = 20

Kind = tuple[str, str, str, bool]
"""Action, place, program, and whether all beneath is meant: what a rule for similar calls is about."""


class Fact(msgspec.Struct, frozen=True):
    """One act of a call, and what the policies say to it."""

    action: str
    place: str
    target: str
    program: str
    recursive: bool
    detail: str
    decision: str
    rule: str

    @property
    def kind(self) -> Kind:
        """What the act has in common with similar ones."""
        return self.action, self.place, self.program, self.recursive


class Needs(msgspec.Struct, frozen=True):
    """What whoever answers should know: languages, paths from the project's root (absolute ones elsewhere),
    and the acts in doubt."""

    languages: tuple[str, ...] = ()
    paths: tuple[str, ...] = ()
    risks: tuple[str, ...] = ()


def kept(judged: Judgement) -> list[Fact]:
    """The acts, those in doubt first, as many as there is room for."""
    ordered = sorted(judged.acts, key=lambda one: one[1].weight(), reverse=True)
    found: list[Fact] = []
    room = MAX_FACTS
    for act, rule in ordered:
        fact = Fact(
            act.action,
            act.place,
            clipped(_plain(act.target), MAX_TARGET),
            clipped(_plain(act.program), MAX_TARGET),
            act.recursive,
            clipped(_plain(act.detail), MAX_TARGET),
            rule.decision,
            rule.id,
        )
        room -= len(msgspec.json.encode(fact))
        if room < 0:
            break
        found.append(fact)
    return found


def doubts(judged: Judgement) -> frozenset[Kind]:
    """The kinds of the acts that no policy permits."""
    return frozenset(
        (act.action, act.place, clipped(_plain(act.program), MAX_TARGET), act.recursive)
        for act, rule in judged.acts
        if rule.decision != "allow"
    )


def programs(judged: Judgement) -> list[str]:
    """The names of the programs that would run."""
    names = dict.fromkeys(program.name for program in judged.facts.programs)
    return [_plain(name)[:100] for name in list(names)[:MAX_PROGRAMS]]


def needs(judged: Judgement, roots: tuple[str, ...]) -> Needs:
    """What it takes to answer. Of what is outside of the project only what is in doubt counts."""
    paths: dict[str, None] = {}
    for act, rule in judged.acts:
        # What is not known from some point on may lead anywhere, whatever it begins with.
        inner = None if act.place == "unknown" else _within(act.target, roots)
        if inner is not None:
            paths[_plain(inner)] = None
        elif act.target.startswith("/") and rule.decision != "allow":
            paths[_plain(act.target)] = None
    languages = {
        language.name for path in paths if (language := language_of(path.encode("utf-8", "replace")))
    }
    if judged.facts.tool == "Bash":
        languages.add("bash")
    risks = {act.action for act, rule in judged.acts if rule.decision != "allow"}
    chosen = [clipped(path, MAX_TARGET) for path in paths]
    if len(chosen) > MAX_NEEDED_PATHS:
        # Who knows of some places only must not seem to know of all that are meant.
        chosen[MAX_NEEDED_PATHS - 1 :] = ["."]
    return Needs(tuple(sorted(languages)), tuple(chosen), tuple(sorted(risks)))


def _within(target: str, roots: tuple[str, ...]) -> str | None:
    """The path from the project's root, which is `.` itself; None for what is not in the project."""
    for root in roots:
        if target == root:
            return "."
        if target.startswith(root + "/"):
            return target[len(root) + 1 :] or "."
    return None


def digest(call: Call, judged: Judgement) -> str:
    """What makes two calls the same: tool, input, folder, and what it would do as things are."""
    acts = sorted(_whole(act) for act, _ in judged.acts)
    try:
        return sha256(canonical([call.tool, dict(call.fields), call.cwd, acts])).hexdigest()
    except (RecursionError, UnicodeError, TypeError, ValueError) as error:
        raise BadCall("the tool's input cannot be kept", "send plain JSON, not nested deeply") from error


def _whole(act: Act) -> tuple[str, ...]:
    return tuple(
        map(_plain, (act.action, act.place, act.target, act.program, str(act.recursive), act.detail))
    )


def _plain(text: str) -> str:
    """The text without halves of characters, which stand for what is not known and are no JSON."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode("utf-8")
