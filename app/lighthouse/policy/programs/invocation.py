"""One program that would run: its arguments, its input, and the means to tell what it does."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lighthouse.policy.analysis import Analysis
from lighthouse.policy.places import resolve
from lighthouse.policy.programs.arguments import Arguments
from lighthouse.policy.programs.spec import Spec
from lighthouse.policy.programs.tasks import act_of
from lighthouse.policy.shell.marks import ANY, is_open, literal, shown
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.shell.run import Shell
from lighthouse.policy.shell.state import State
from lighthouse.policy.vocabulary import listed

_BUILD_FILES = listed("build", "files")
_PROJECT = frozenset(("project", "project_root", "generated", "git"))
_PATH_ROLES = frozenset(("read", "write", "delete"))
_EVERY_ADDRESS = "0.0.0.0"  # noqa: S104
LOCAL = frozenset(("localhost", "127.0.0.1", "0.0.0.0", "::1", "[::1]", "host.docker.internal"))  # noqa: S104


@dataclass(slots=True)
class Invocation:
    """A program's run. `words` are the arguments as given, `arguments` told apart by the program's table.

    `outer` is the program's table where this is a subcommand of it.
    """

    shell: Shell
    name: str
    words: list[str]
    stdin: Output | None
    spec: Spec
    arguments: Arguments
    outer: Spec | None = None

    @property
    def analysis(self) -> Analysis:
        """The analysis that gathers the facts."""
        return self.shell.analysis

    @property
    def state(self) -> State:
        """The shell's state."""
        return self.shell.state

    def act(self, text: str, target: str = "", *, recursive: bool = False, detail: str = "") -> None:
        """Acts as the tables write them: `action` or `action:place`, several separated by spaces."""
        for item in text.split():
            action, _, place = item.partition(":")
            if action in ("ok", "data"):
                continue
            if (action, place) == ("execute", "project"):
                self._run_where_it_stands(target, detail)
                continue
            if action == "uncertain":
                self.analysis.uncertain(detail or f"{self.name}: {place or 'not understood'}", self.name)
            else:
                self.analysis.act(action, place, target, self.name, recursive=recursive, detail=detail)

    def _run_where_it_stands(self, target: str, detail: str) -> None:
        """A build or a test runs what the current folder holds: the project's code only in the project."""
        if not self.state.roots.project:  # in a container, or on another machine
            self.analysis.act("execute", "project", target, self.name, detail=detail)
            return
        made = next((path for path in self.state.written if path.rpartition("/")[2] in _BUILD_FILES), "")
        if made:
            self.uncertain(f"what it runs may stand in {shown(made)}, which was just written")
        for place in resolve(".", self.state.cwds, self.state.roots):
            if any(f"{place.path}/".startswith(f"{folder}/") for folder in self.state.fetched):
                self.analysis.act(
                    "execute", "network", target, self.name, detail="runs what was just fetched"
                )
            else:
                kind = "project" if place.kind in _PROJECT else place.kind
                self.analysis.act("execute", kind, target, self.name, detail=detail)

    def role(self, role: str, text: str | None, *, recursive: bool = False) -> None:
        """Tell what a value does by its role: a path, a command, a URL, or an act."""
        if text is None or role == "data":
            return
        if role in _PATH_ROLES:
            if text != "-" or role == "delete":
                self.analysis.path(role, text, self.state, self.name, recursive=recursive)
        elif role == "code":
            self.shell.script(literal(text), self.name)
        elif role == "source":
            if "://" in text or text.startswith("git@"):
                self.act("execute:network", literal(text), detail="builds what it fetches")
        elif role == "serve":
            to_all = host_place(text) != "local" or text.startswith(_EVERY_ADDRESS)
            self.act("send:remote" if to_all else "start:local", text, detail="serves to the network")
        elif role == "editable":
            self.act("install:registry" if text.startswith(".") else "install:remote", literal(text))
        elif role == "perl-module":
            if not re.fullmatch(
                r"=?(?:strict|warnings|utf8|feature|List::Util|POSIX|Data::Dumper|JSON(?:::PP)?|5[\d.]*)(?:=[\w,]+)?",
                text,
            ):
                self.uncertain(f"loads {shown(text)}")
        elif role == "execute":
            self.execute(text)
        elif role == "load":
            self.analysis.path("execute", text, self.state, self.name)
        elif role == "endpoint":
            if not re.match(r"https?://(?:localhost|127\.0\.0\.1)(?::\d+)?(?:/|$)", text):
                self.uncertain("asks another server than the service's own")
        elif role == "compiler-switch":
            if "plugin" in text:
                self.uncertain("loads a plugin")
        elif role == "secret":
            self.act("query:secret", text)
        else:
            self.act(role, text, recursive=recursive)

    def execute(self, path: str, words: Sequence[str] = ()) -> None:
        """A file would be run; where the same command wrote it, what it wrote is what runs.

        Its name and its arguments may say what it does.
        """
        if path == "-" or path.startswith(("data:", "http:", "https:", "npm:", "jsr:", "file:")):
            self.uncertain("runs what stands in no file")
            return
        said = [literal(word) for word in (path.rpartition("/")[2], *words) if ANY not in word]
        if act := act_of(said, script=True):
            self.act(
                act, " ".join(map(literal, (path, *words)))[:200], detail="as its name or its arguments say"
            )
        if (
            text := self.state.written.get(path.removeprefix("./"), self.state.written.get(path))
        ) is not None:
            self.shell.script(text, "sh")
            return
        for place in resolve(path, self.state.cwds, self.state.roots):
            if any(place.path.startswith(f"{folder}/") for folder in self.state.fetched):
                self.act("execute:network", place.path, detail="runs what was just fetched")
        self.analysis.path("execute", path, self.state, self.name)

    def fetched_into(self, folder: str) -> None:
        """What stands in the folder from here on came from elsewhere, within this very command."""
        self.state.fetched += [
            place.path for place in resolve(folder, self.state.cwds, self.state.roots) if place.path != "/"
        ]

    def run(self, words: list[str], *, stdin: Output | None = None) -> Output:
        """Start another program, as wrappers do."""
        if not words:
            return SOMETHING
        return self.shell.start(words, stdin if stdin is not None else self.stdin, wrapper=self.name)

    def uncertain(self, why: str) -> None:
        """Something was not understood."""
        self.analysis.uncertain(f"{self.name}: {why}", self.name)


def host_place(host: str) -> str:
    """Whether a host is this machine or another."""
    name = host.rpartition("@")[2].lower()
    if name.count(":") <= 1:
        name = name.partition(":")[0]
    return "local" if name in LOCAL or name.startswith("127.") else "remote"


__all__ = ["ANY", "Invocation", "host_place", "is_open", "shown"]
