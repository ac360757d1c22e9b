"""Tells options, their values and operands apart, as getopt does."""

from dataclasses import dataclass, field

from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.shell.marks import ANY, literal


@dataclass(frozen=True, slots=True)
class OptionWord:
    """A word with options in it: as a whole, and the one or several that it is made of."""

    whole: str
    names: tuple[str, ...]


@dataclass(slots=True)
class Arguments:
    """A program's arguments, told apart. `open_option` says that one may be an option that nobody knows."""

    options: list[tuple[str, str | None]] = field(default_factory=list)
    operands: list[str] = field(default_factory=list)
    words: list[OptionWord] = field(default_factory=list)
    open_option: bool = False
    after_dashes: int | None = None

    def has(self, *names: str) -> bool:
        """Whether one of the options is there."""
        return any(name in names for name, _ in self.options)

    def value(self, *names: str) -> str | None:
        """The last value of one of the options."""
        return next((value for name, value in reversed(self.options) if name in names), None)


def split(words: list[str], spec: Spec, *, stops: bool = False) -> Arguments:
    """The words as arguments of the program; with `stops` everything from the first operand on is operand."""
    found = Arguments()
    takes = spec.takes_value
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word == "--":
            found.after_dashes = len(found.operands)
            found.operands += words[at:]
            break
        if len(word) < 2 or word[0] != "-":
            if word.startswith(ANY):
                found.open_option = True
            if word[:1] == "+" and "+" in spec.flags:
                if "!" in word or "|" in word or ANY in word:
                    found.options.append(("+", word[1:]))
                continue
            found.operands.append(word)
            if stops:
                found.operands += words[at:]
                break
            continue
        word = literal(word)
        if word.startswith("--") or spec.style == "single":
            name, equals, value = word.partition("=")
            name = _whole_name(name, spec, takes) if word.startswith("--") else name
            found.words.append(OptionWord(name, (name,)))
            if equals:
                found.options.append((name, value))
            elif name in takes:
                found.options.append((name, words[at] if at < len(words) else None))
                at += 1
            else:
                found.options.append((name, None))
            if ANY in name:
                found.open_option = True
            continue
        before = len(found.options)
        at = _cluster(word, words, at, takes, found)
        found.words.append(
            OptionWord(word, tuple(name for name, _ in found.options[before:] if len(name) == 2) or (word,))
        )
    return found


def _cluster(word: str, words: list[str], at: int, takes: frozenset[str], found: Arguments) -> int:
    """`-xzf name`: letters, the first that takes a value taking the rest."""
    if word in takes:
        found.options.append((word, words[at] if at < len(words) else None))
        return at + 1
    for number, letter in enumerate(word[1:], 1):
        if letter == ANY:
            found.open_option = True
        name = "-" + letter
        if name in takes:
            rest = word[number + 1 :]
            if rest:
                found.options.append((name, rest.removeprefix("=")))
                return at
            found.options.append((name, words[at] if at < len(words) else None))
            return at + 1
        found.options.append((name, None))
    # Whole words behind one dash (`-delete`, `-rf`) are looked up as they stand, too.
    if len(word) > 2:
        found.options.append((word, None))
    return at


def _whole_name(name: str, spec: Spec, takes: frozenset[str]) -> str:
    """A long option's full name where it was shortened, as GNU programs allow."""
    if name in takes or name in spec.flags or len(name) < 4:
        return name
    longer = [known for known in (*takes, *spec.flags) if known.startswith(name)]
    return longer[0] if longer else name
