"""Walks through a parsed command as a shell would run it, and tells every program's arguments and input."""

import itertools
from collections.abc import Callable, Sequence

from lighthouse.policy.analysis import MOST_DEPTH, MOST_NESTING, Analysis
from lighthouse.policy.shell import loops
from lighthouse.policy.shell.environment import RUN_AS_COMMANDS, secret_variable, suspicion, told_away
from lighthouse.policy.shell.grammar import Node, NotUnderstood, inner_commands, parse
from lighthouse.policy.shell.marks import ANY, BELOW, PLAIN, literal, shown
from lighthouse.policy.shell.output import NOTHING, Output, joined
from lighthouse.policy.shell.redirection import Redirections
from lighthouse.policy.shell.state import State
from lighthouse.policy.shell.structure import (
    SILENT,
    all,
    assigns_apart,
    changes_folder,
    last_command,
    leaves,
    steps,
)
from lighthouse.policy.shell.words import Words

MOST_WORDS = 1000
# A program that runs, with all that is known of how: see programs/invocation.py.
Start = Callable[["Shell", list[str], Output | None], Output]


class Shell:
    """Runs nodes of the tree in a state. `within` names what the command runs in, as `sudo` or `sh -c`."""

    def __init__(
        self, analysis: Analysis, state: State, start: Start, within: tuple[str, ...] = (), depth: int = 0
    ) -> None:
        self.analysis = analysis
        self.state = state
        self.within = within
        self._start = start
        self._depth = depth
        self._calls: tuple[str, ...] = ()
        # Redirections that the grammar gives to a whole list and bash to its last command, by its node.
        self._moved: dict[int, list[Node]] = {}

    def script(self, text: str, within: str, stdin: Output | None = None, *, own: bool = True) -> Output:
        """Run the text as a script, in a shell of its own or in this one (`eval`)."""
        nested = (*self.within, within) if within else self.within
        if nested.count("sh") + nested.count("eval") > MOST_NESTING or len(nested) > 12:
            raise NotUnderstood(f"shells are nested deeper than {MOST_NESTING}")
        if ANY in text or BELOW in text:
            self.analysis.uncertain(f"what would run is only known when it runs: {shown(text)[:200]}", within)
            text = text.replace(ANY, "$__unknown").replace(BELOW, "$__unknown")
        tree = parse(literal(text.replace(PLAIN, "$UID")).encode("utf-8", "replace"))
        shell = self.inner(nested, self.state.copy() if own else self.state)
        return shell.run(tree, stdin)

    def inner(self, within: tuple[str, ...], state: State) -> "Shell":
        """A shell that starts from this one's depth."""
        shell = Shell(self.analysis, state, self._start, within, self._depth)
        shell._calls = self._calls
        shell._moved = self._moved
        return shell

    def start(self, argv: list[str], stdin: Output | None, wrapper: str = "") -> Output:
        """Start the program that the words name, as a shell or a wrapper (`sudo`) does."""
        self.analysis.step()
        if not argv:
            return NOTHING
        if wrapper:
            if len(self.within) > 12:
                raise NotUnderstood("too many programs within programs")
            return self.inner((*self.within, wrapper), self.state).start(argv, stdin)
        if argv[0] in self.state.functions:
            return self._call(argv, stdin)
        return self._start(self, argv, stdin)

    def run(self, node: Node, stdin: Output | None = None) -> Output:
        """Run a statement of any kind."""
        self.analysis.step()
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise NotUnderstood("the command is nested too deeply")
        try:
            if self._moved and (redirects := self._moved.pop(node.id, None)) is not None:
                return self._redirected_by(node, redirects, stdin)
            return _KINDS.get(node.type, Shell._unknown)(self, node, stdin)
        finally:
            self._depth -= 1

    def words(self) -> Words:
        """An expander of words in this shell's state."""
        return Words(self.state, self.substituted)

    def substituted(self, node: Node) -> str:
        """What a substitution is replaced by, after running what it holds in a subshell."""
        shell = self.inner(self.within, self.state.copy())
        if node.type == "process_substitution":
            output = shell._sequence(node, None)
            self._note_sources(output)
            return "/dev/fd/63" if not output.sources else f"/dev/fd/63{ANY}"
        redirect = next((child for child in node.children if child.type == "file_redirect"), None)
        if redirect is not None and len(node.named_children) == 1:  # $(<file)
            Redirections(self, [redirect]).apply()
            return ANY
        output = shell._sequence(node, None)
        self._note_sources(output)
        return output.text.rstrip("\n")

    def _note_sources(self, output: Output) -> None:
        for source in output.sources:
            if source != "secret":
                self.state.variables[f" {source}"] = "1"

    def _sequence(self, node: Node, stdin: Output | None) -> Output:
        outputs = []
        children = node.children
        for child, behind in itertools.zip_longest(children, children[1:]):
            if not child.is_named or child.type in SILENT:
                continue
            if behind is not None and behind.type == "&":
                # In the background it runs in a shell of its own.
                outputs.append(self.inner(self.within, self.state.copy()).run(child, stdin))
            else:
                outputs.append(self.run(child, stdin))
        return joined(outputs)

    def _unknown(self, node: Node, _: Output | None) -> Output:
        raise NotUnderstood(f"a part of the command is not understood ({node.type})")

    def inner_only(self, node: Node, _: Output | None = None) -> Output:
        """Run the substitutions alone that stand in a test, an expression or the like."""
        for inner in inner_commands(node):
            self.substituted(inner)
        return NOTHING

    def _command(self, node: Node, stdin: Output | None, more: Sequence[Node] = ()) -> Output:
        words = self.words()
        argv: list[str] = []
        assignments: list[tuple[str, str]] = []
        redirects: list[Node] = []
        if node.child_count > MOST_WORDS:
            raise NotUnderstood(f"a command has more than {MOST_WORDS} words")
        apart = assigns_apart(node)
        for child in node.children:
            kind = child.type
            if kind == "variable_assignment":
                assignments.append(self._assigned(child, words))
            elif kind in _REDIRECTS:
                redirects.append(child)
            elif kind == "command_name":
                argv += words.fields(child)
            elif kind in _KINDS and kind not in ("number", "comment"):
                # `time (…)`: the grammar takes the block for an argument.
                self.run(child, stdin)
            elif kind not in ("comment", ";", "&", "\n"):
                argv += words.fields(child)
        for child in (*Redirections(self, redirects).arguments, *more):
            argv += words.fields(child)
        if argv and argv[0] in ("echo", "printf") and (found := secret_variable(node.text or b"")):
            self.analysis.act("query", "secret", found, argv[0])
        if argv and argv[0] in _SPEAKING and (found := told_away(node.text or b"")):
            self.analysis.act("send", "remote", found, argv[0], detail=f"tells {found} to another machine")
        for name, value in assignments:
            if name == "IFS" and argv[:1] == ["read"] and not apart:
                continue  # it holds for this one command
            self.environment(name, value)
            if apart and name:
                self.state.assign(name, value)
        if redirects:
            applied = Redirections(self, redirects)
            stdin = applied.apply(stdin)
            output = self._with(assignments, argv, stdin)
            return applied.printed(output)
        return self._with(assignments, argv, stdin)

    def _with(self, assignments: list[tuple[str, str]], argv: list[str], stdin: Output | None) -> Output:
        return self.start(argv, stdin)

    def set(self, name: str, value: str) -> None:
        """A variable gets a value in another way than by an assignment, as `read` and `for` do."""
        self.state.assign(name, value)
        if suspicion(name, ".", self.state) or name in RUN_AS_COMMANDS:
            self.analysis.uncertain(f"{name} is set in a way that is not understood", name)

    def environment(self, name: str, value: str) -> None:
        """A variable is put into a program's environment: some make it run another program."""
        if why := suspicion(name, value, self.state):
            self.analysis.uncertain(why, name)
        elif name in RUN_AS_COMMANDS and value:
            self.script(value, name)

    def _assigned(self, node: Node, words: Words) -> tuple[str, str]:
        name = node.child_by_field_name("name")
        value = node.child_by_field_name("value")
        text = words.value(value) if value is not None else ""
        if name is None or name.type != "variable_name":
            for inner in inner_commands(node):
                self.substituted(inner)
            return "", ANY
        appends = any(child.type == "+=" for child in node.children)
        plain = (name.text or b"").decode()
        return plain, self.state.get(plain) + text if appends else text

    def _assignment(self, node: Node, _: Output | None) -> Output:
        words = self.words()
        for child in node.named_children if node.type == "variable_assignments" else [node]:
            name, value = self._assigned(child, words)
            if name:
                self.state.assign(name, value)
                self.environment(name, value)
        return NOTHING

    def _declaration(self, node: Node, _: Output | None) -> Output:
        words = self.words()
        for child in node.named_children:
            if child.type == "word" and (child.text or b"").startswith(b"-") and b"n" in (child.text or b""):
                raise NotUnderstood("a name that stands for another variable is not understood")
            if child.type == "variable_assignment":
                name, value = self._assigned(child, words)
                if name:
                    self.state.assign(name, value)
                    self.environment(name, value)
            else:
                for inner in inner_commands(child):
                    self.substituted(inner)
        return NOTHING

    def _unset(self, node: Node, _: Output | None) -> Output:
        for child in node.named_children:
            name = (child.text or b"").decode()
            self.state.assign(name, ANY)
            if name.startswith("HIST"):
                self.environment(name, "")
        return NOTHING

    def _redirected(self, node: Node, stdin: Output | None) -> Output:
        if node.child_count > MOST_WORDS:
            raise NotUnderstood(f"a command has more than {MOST_WORDS} words")
        redirects = [child for child in node.children if child.type in _REDIRECTS]
        body = node.child_by_field_name("body")
        if body is not None and (last := last_command(body)) is not body:
            self._moved[last.id] = redirects
            return self.run(body, stdin)
        return self._redirected_by(body, redirects, stdin)

    def _redirected_by(self, body: Node | None, redirects: list[Node], stdin: Output | None) -> Output:
        applied = Redirections(self, redirects)
        stdin = applied.apply(stdin)
        if applied.arguments and (body is None or body.type == "command"):
            if body is None:
                words = self.words()
                argv = [field for word in applied.arguments for field in words.fields(word)]
                output = applied.printed(self.start(argv, stdin))
            else:
                output = applied.printed(self._command(body, stdin, applied.arguments))
        elif applied.arguments:
            raise NotUnderstood("words behind a redirection are not understood")
        else:
            output = applied.printed(self.run(body, stdin) if body is not None else NOTHING)
        # After `<<EOF` on the same line the grammar puts the rest of that line into the redirection.
        return applied.rest(output)

    def _pipeline(self, node: Node, stdin: Output | None) -> Output:
        output = stdin
        for child in node.named_children:
            if child.type != "comment":
                shell = self.inner(self.within, self.state.copy())
                output = shell.run(child, output)
        return output or NOTHING

    def _list(self, node: Node, stdin: Output | None) -> Output:
        """`a && b || c`: what stands behind `&&` runs only where all before it went well."""
        before = self.state.cwds
        if any(child.type == "||" for child in node.children):
            left, right = node.named_children[0], node.named_children[-1]
            first = self.run(left, stdin)
            reached = self.state.reached
            second = self.branch(right, stdin)
            if changes_folder(left) and leaves(right):
                self.state.cwds = reached
            return joined([first, second])
        outputs = []
        known = self.state.variables
        between: tuple[str, ...] = ()  # where it stands if a later step fails
        for number, step in enumerate(steps(node)):
            outputs.append(self.run(step, stdin))
            if number == 0:
                known = dict(self.state.variables)
            between += self.state.cwds
            if changes_folder(step):
                self.state.cwds = self.state.reached
                between += self.state.cwds
        # What only the later steps set may as well not be set.
        for name, value in self.state.variables.items():
            if known.get(name) != value:
                self.state.variables[name] = ANY
        self.state.stand_in((*self.state.cwds, *before, *between))
        return joined(outputs)

    def branch(self, node: Node, stdin: Output | None) -> Output:
        """Run what may not run: what it sets is not certain afterwards."""
        self.state.conditional += 1
        try:
            return self.run(node, stdin)
        finally:
            self.state.conditional -= 1

    def _subshell(self, node: Node, stdin: Output | None) -> Output:
        return self.inner(self.within, self.state.copy())._sequence(node, stdin)

    def _compound(self, node: Node, stdin: Output | None) -> Output:
        if node.children and node.children[0].type == "((":
            return self.inner_only(node, stdin)
        return self._sequence(node, stdin)

    def _if(self, node: Node, stdin: Output | None) -> Output:
        outputs = []
        conditions = node.children_by_field_name("condition")
        for child in node.named_children:
            if child in conditions:
                self.run(child, stdin)
            elif child.type not in SILENT:
                outputs.append(self.branch(child, stdin))
        return joined(outputs)

    def _case(self, node: Node, stdin: Output | None) -> Output:
        outputs = []
        for item in node.named_children:
            if item.type != "case_item":
                self.inner_only(item, stdin)
                continue
            patterns = item.children_by_field_name("value")
            for child in item.named_children:
                if child in patterns:
                    self.inner_only(child, stdin)
                elif child.type not in SILENT:
                    outputs.append(self.branch(child, stdin))
        return joined(outputs)

    def _function(self, node: Node, _: Output | None) -> Output:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        taken = name is not None and (name.text or b"").decode() in self.state.functions
        if name is None or body is None or self.state.conditional or taken:
            raise NotUnderstood("a function is not understood")
        self.state.functions[(name.text or b"").decode()] = body
        return NOTHING

    def _call(self, argv: list[str], stdin: Output | None) -> Output:
        name, body = argv[0], self.state.functions[argv[0]]
        if name in self._calls:
            if any(child.type in ("&", "|") for child in all(body)):
                self.analysis.act(
                    "exhaust", "host", name, name, detail="a function starts copies of itself without end"
                )
                return NOTHING
            raise NotUnderstood(f"the function {name} calls itself")
        before, calls = dict(self.state.variables), self._calls
        self.state.arguments(argv[1:])
        self._calls = (*calls, name)
        try:
            return self.run(body, stdin)
        finally:
            self._calls = calls
            for key in [*map(str, range(1, 10)), "@", "*"]:
                self.state.variables.pop(key, None)
                if key in before:
                    self.state.variables[key] = before[key]


_SPEAKING = frozenset(("curl", "wget", "http", "https", "xh", "httpie", "nc", "ncat"))
_REDIRECTS = frozenset(("file_redirect", "heredoc_redirect", "herestring_redirect"))
_KINDS: dict[str, Callable[[Shell, Node, Output | None], Output]] = {
    "program": Shell._sequence,
    "command": Shell._command,
    "redirected_statement": Shell._redirected,
    "pipeline": Shell._pipeline,
    "list": Shell._list,
    "subshell": Shell._subshell,
    "compound_statement": Shell._compound,
    "do_group": Shell._sequence,
    "else_clause": Shell._sequence,
    "elif_clause": Shell._sequence,
    "negated_command": Shell._sequence,
    "if_statement": Shell._if,
    "while_statement": loops.run_while,
    "for_statement": loops.run_for,
    "c_style_for_statement": loops.run_c_for,
    "case_statement": Shell._case,
    "function_definition": Shell._function,
    "variable_assignment": Shell._assignment,
    "variable_assignments": Shell._assignment,
    "declaration_command": Shell._declaration,
    "unset_command": Shell._unset,
    "test_command": Shell.inner_only,
    "comment": Shell.inner_only,
    "heredoc_body": Shell.inner_only,
    "unary_expression": Shell.inner_only,
    "binary_expression": Shell.inner_only,
    "postfix_expression": Shell.inner_only,
    "parenthesized_expression": Shell.inner_only,
    "ternary_expression": Shell.inner_only,
    "number": Shell.inner_only,
}
