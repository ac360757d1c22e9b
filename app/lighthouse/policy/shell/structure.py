"""Questions about the shape of a command's tree, asked before it is run."""

from lighthouse.policy.shell.grammar import Node, NotUnderstood

# Parts of a statement that do nothing by themselves.
SILENT = frozenset(("comment", "variable_name", "heredoc_end", "heredoc_start"))


def assigns_apart(node: Node) -> bool:
    """Whether the assignments stand on a line before the command's, where the grammar takes them for its own.

    Refuses other words on different lines: the grammar also joins a line that begins with a backslash.
    """
    apart, assigns = False, True
    at, source = node.start_byte, node.text or b""
    for child in node.children:
        between = source[at - node.start_byte : child.start_byte - node.start_byte]
        assigns = assigns and child.type in ("variable_assignment", "command_name")
        if b"\n" in between.replace(b"\\\n", b"") or (child.text or b"").startswith(b"\n"):
            if not assigns:
                raise NotUnderstood("a line begins in a way that is not understood")
            apart = True
        at = child.end_byte
    return apart


def steps(node: Node) -> list[Node]:
    """The commands of a chain of `&&`, first to last."""
    steps: list[Node] = []
    while node.type == "list" and any(child.type == "&&" for child in node.children):
        steps.append(node.named_children[-1])
        node = node.named_children[0]
    return [node, *reversed(steps)]


def last_command(node: Node) -> Node:
    """The command of a list or a pipeline that a redirection behind it belongs to: the last."""
    while node.type in ("list", "pipeline", "negated_command"):
        node = [child for child in node.named_children if child.type != "comment"][-1]
    return node


def changes_folder(node: Node) -> bool:
    if node.type == "list":
        node = steps(node)[-1]
    if node.type == "redirected_statement" and node.named_children:
        node = node.named_children[0]
    name = node.child_by_field_name("name") if node.type == "command" else None
    return name is not None and name.text in (b"cd", b"pushd")


def leaves(node: Node) -> bool:
    """Whether the shell ends with this: `exit`, `return`, or a block whose last command is one."""
    while node.type in ("compound_statement", "list") and node.named_children:
        node = node.named_children[-1]
    name = node.child_by_field_name("name") if node.type == "command" else None
    return name is not None and name.text in (b"exit", b"return", b"continue", b"break")


def all(node: Node) -> list[Node]:
    found, stack = [], [node]
    while stack:
        current = stack.pop()
        found.append(current)
        stack.extend(current.children)
    return found
