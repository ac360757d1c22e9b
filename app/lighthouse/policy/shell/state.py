"""What a shell knows while a command runs: variables, functions, the current folder, written files."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from lighthouse.policy.places import Roots
from lighthouse.policy.shell.grammar import Node
from lighthouse.policy.shell.marks import ANY, EMPTY, PLAIN, SPLIT
from lighthouse.policy.vocabulary import listed

_NAMES = listed("state", "names")
MOST_FOLDERS = 4
MOST_TEXT = 16 * 1024


@dataclass(slots=True)
class State:
    """A shell's state; `copy` it for what runs in a subshell."""

    roots: Roots
    cwds: tuple[str, ...]
    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Node] = field(default_factory=dict)
    written: dict[str, str] = field(default_factory=dict)
    # Folders that were fetched within this command.
    fetched: list[str] = field(default_factory=list)
    # Names that this command made links of, to what stands outside.
    linked: list[str] = field(default_factory=list)
    # Where the last change of folder led, if it went well.
    reached: tuple[str, ...] = ()
    # Within a branch that may not run, what was known before may still hold.
    conditional: int = 0

    def copy(self) -> "State":
        """A state that changes apart from this one, but for the files."""
        return State(
            self.roots,
            self.cwds,
            dict(self.variables),
            dict(self.functions),
            self.written,
            self.fetched,
            self.linked,
            self.reached,
            self.conditional,
        )

    def is_set(self, name: str) -> bool:
        """Whether the variable's value is known here."""
        return name in self.variables or name in ("HOME", "PWD", "TMPDIR", "CLAUDE_PROJECT_DIR")

    def get(self, name: str) -> str:
        """A variable's value, marked where it is unknown."""
        if (value := self.variables.get(name)) is not None:
            return value
        if name == "HOME":
            return self.roots.home_folder
        if name == "PWD":
            return self.cwds[0] if len(self.cwds) == 1 else ANY
        if name == "TMPDIR":
            return "/tmp"  # noqa: S108
        if name == "CLAUDE_PROJECT_DIR" and self.roots.project:
            return self.roots.project[0]
        if name == "IFS":
            return " \t\n"
        return PLAIN if name in _NAMES else ANY

    def assign(self, name: str, value: str) -> None:
        """Set a variable; in a branch that may not run, another value than before makes it unknown."""
        if len(value) > MOST_TEXT:
            value = ANY
        if self.conditional and self.variables.get(name) != value:
            value = ANY
        self.variables[name] = value

    def arguments(self, words: Sequence[str]) -> None:
        """The words are `$1`, `$2`, … and `$@` from here on; within quotes, too, `$@` is as many words."""
        for number in range(1, 10):
            self.variables[str(number)] = words[number - 1] if number <= len(words) else ""
        self.variables["@"] = SPLIT.join(word or EMPTY for word in words)
        self.variables["*"] = " ".join(words)

    def change_folder(self, folders: tuple[str, ...], *, may_fail: bool) -> None:
        """Go to a folder; where a failure would not stop what follows, both stay possible."""
        self.reached = folders
        self.stand_in((*folders, *(self.cwds if may_fail or self.conditional else ())))

    def stand_in(self, folders: Iterable[str]) -> None:
        """Be in one of the folders; too many of them are any."""
        self.cwds = tuple(dict.fromkeys(folders))
        if len(self.cwds) > MOST_FOLDERS:
            self.cwds = (ANY,)
