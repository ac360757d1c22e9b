"""Loops: how often a body runs is not known, and what one round sets holds in the next."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from lighthouse.policy.shell.grammar import Node, NotUnderstood
from lighthouse.policy.shell.marks import ANY, is_open
from lighthouse.policy.shell.output import NOTHING, Output, joined
from lighthouse.policy.shell.structure import SILENT

if TYPE_CHECKING:
    from lighthouse.policy.shell.run import Shell

MOST_ROUNDS = 24
MOST_AGAIN = 4


def run_while(shell: "Shell", node: Node, stdin: Output | None) -> Output:
    """`while` and `until`."""
    return _again(shell, lambda: _round(shell, node, stdin))


def _round(shell: "Shell", node: Node, stdin: Output | None) -> Output:
    """Once through the loop: its condition, which runs in any case, and its body."""
    body = node.child_by_field_name("body")
    before = dict(shell.state.variables)
    condition = [child for child in node.named_children if child.type not in SILENT and child != body]
    outputs = [shell.run(child, stdin) for child in condition]
    if body is not None:
        outputs.append(shell.branch(body, stdin))
    for name, value in shell.state.variables.items():
        if before.get(name) != value:
            shell.state.variables[name] = ANY
    return joined(outputs)


def run_for(shell: "Shell", node: Node, stdin: Output | None) -> Output:
    """`for x in …`: a round for each word that is known."""
    words = shell.words()
    variable = node.child_by_field_name("variable")
    body = node.child_by_field_name("body")
    if variable is None or body is None:
        raise NotUnderstood("a loop is not understood")
    name = (variable.text or b"").decode()
    values = [field for child in node.children_by_field_name("value") for field in words.fields(child)]
    if not any(child.type == "in" for child in node.children):
        values = [ANY]
    if len(values) > MOST_ROUNDS:
        raise NotUnderstood(f"a loop goes over more than {MOST_ROUNDS} words")
    before = shell.state.variables.get(name)

    def one(value: str) -> Output:
        shell.set(name, value)
        shell.state.variables[name] = value  # in the body it is certain
        return shell.branch(body, stdin)

    def several(value: str) -> Callable[[], Output]:
        return lambda: one(value)

    # A word that is not known may be any number of words, so of rounds.
    outputs = [_again(shell, several(value)) if is_open(value) else one(value) for value in values]
    if shell.state.conditional or not values:
        shell.state.variables[name] = before if before == shell.state.variables.get(name, ANY) else ANY
    return joined(outputs)


def run_c_for(shell: "Shell", node: Node, stdin: Output | None) -> Output:
    """`for ((…;…;…))`."""
    body = node.child_by_field_name("body")
    for child in node.named_children:
        if child != body:
            shell.inner_only(child)
    return _again(shell, lambda: shell.branch(body, stdin)) if body is not None else NOTHING


def _again(shell: "Shell", once: Callable[[], Output]) -> Output:
    """Go through a loop as often as its next round would find something else than this one did."""
    for _ in range(MOST_AGAIN):
        before = (dict(shell.state.variables), shell.state.cwds)
        output = once()
        if before == (shell.state.variables, shell.state.cwds):
            return output
    raise NotUnderstood("a loop changes what it goes by")
