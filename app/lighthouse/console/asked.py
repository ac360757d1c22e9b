"""A judged call as a page shows it: what it would do first, and all else in the order of its weight."""

from dataclasses import dataclass
from typing import Any

import msgspec

from lighthouse.console.patch import Rows, rows
from lighthouse.console.row import BRIEF
from lighthouse.validation import DIFF_CUT, MAX_DIFF, Fact, Validation, is_clipped

# The field of a tool's input that says most, by the names that agents' clients use.
_MAIN = ("command", "file_path", "notebook_path", "path", "url", "query", "pattern", "prompt")
MOST_NUMBERED = 1000
# What a small window shows at once.
LONG_LINES, LONG_TEXT = 12, 1000


@dataclass(frozen=True, slots=True)
class Lately:
    """Something that happened before: a change of a file, or, with its `id`, a call that was decided."""

    word: str
    what: str
    at: str
    id: str = ""


@dataclass(frozen=True, slots=True)
class Asked:
    """`main` is what the call is about, `fields` the rest of its input; `doubts` are the acts in question.

    `lately` is what happened to its files and what the asker's last calls got, by kind.
    """

    call: Validation
    main: str
    brief: str
    description: str
    fields: tuple[tuple[str, str], ...]
    doubts: tuple[Fact, ...]
    permitted: tuple[Fact, ...]
    patch: Rows | None
    no_diff: str
    lately: tuple[Lately, ...]
    similar_why_not: str

    @property
    def lines(self) -> list[str]:
        """The lines of `main`, numbered so that one that is wrapped does not look like two; empty for one."""
        lines = self.main.split("\n")
        return lines if 1 < len(lines) <= MOST_NUMBERED else []

    @property
    def long(self) -> str:
        """How long `main` is, where a part of it may lie out of sight."""
        count = self.main.count("\n") + 1
        if count <= LONG_LINES and len(self.main) <= LONG_TEXT:
            return ""
        return f"{count:,} line{'' if count == 1 else 's'}, {len(self.main):,} characters"

    @property
    def cut(self) -> bool:
        """Whether what it is about, or another text of its input, was too long to be kept whole."""
        return any(is_clipped(text) for text in (self.main, *(text for _, text in self.fields)))

    @property
    def id(self) -> str:
        """The verdict's id."""
        return self.call.id


def asked(call: Validation) -> Asked:
    """The call in this form."""
    given = dict(call.tool_input)
    name = next((name for name in _MAIN if isinstance(given.get(name), str)), None)
    main = given.pop(name) if name is not None else ""
    description = given.pop("description", "")
    if not isinstance(description, str):
        description = _text(description)
    fields = tuple((name, _text(value)) for name, value in given.items())
    context = call.context or {}
    brief = main or ", ".join(f"{name}: {_brief(value)}" for name, value in given.items())
    return Asked(
        call=call,
        main=main,
        brief=brief if len(brief) <= BRIEF else f"{brief[:BRIEF]}…",
        description=description,
        fields=fields,
        doubts=tuple(fact for fact in call.facts if fact.decision != "allow"),
        permitted=tuple(fact for fact in call.facts if fact.decision == "allow"),
        patch=_patch(call.diff) if call.diff else None,
        no_diff=str(context.get("no_diff", "")),
        lately=(
            *(Lately(one["op"], one["path"], one["at"]) for one in context.get("changes", ())),
            *(
                Lately(one["decision"], f"{one['tool_name']}: {one['what']}", one["at"], one["id"])
                for kind in ("requests", "verdicts")
                for one in context.get(kind, ())
            ),
        ),
        similar_why_not=_why_not_similar(call),
    )


def _patch(diff: str) -> Rows:
    """In full width: it is bounded as a whole, and what is approved has to be in sight."""
    found = rows([diff.encode("utf-8", "replace")], columns=MAX_DIFF)
    found.cut = found.cut or diff.endswith(DIFF_CUT)
    return found


def _text(value: Any) -> str:
    return (
        value
        if isinstance(value, str)
        else msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    )


def _brief(value: Any) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _why_not_similar(call: Validation) -> str:
    """Why no rule for similar calls can be made of it; empty where one can."""
    if call.tier == "critical":
        return "too much is at stake"
    if any(fact.action == "uncertain" for fact in call.facts):
        return "it was not understood in full"
    return ""
