"""Redirections: the files they read and write, here-documents, and sockets."""

from typing import TYPE_CHECKING

from lighthouse.policy.shell.grammar import Node, NotUnderstood
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, Output

if TYPE_CHECKING:
    from lighthouse.policy.shell.run import Shell

_HERE = frozenset(
    (
        "heredoc_start",
        "heredoc_body",
        "heredoc_end",
        "file_descriptor",
        "<<",
        "<<-",
        "&&",
        "||",
        "|",
        "|&",
        ";",
        "&",
    )
)


class Redirections:
    """The redirections of one command: `apply` before it runs, `printed` and `rest` after."""

    def __init__(self, shell: "Shell", nodes: list[Node]) -> None:
        self._shell = shell
        self._nodes = nodes
        self._into: str | None = None
        self._appends = False
        self._rest: list[tuple[str, Node]] = []
        # The grammar takes words behind a redirection's target for more targets: they are arguments.
        self.arguments: list[Node] = [
            word
            for node in nodes
            if node.type == "file_redirect"
            for word in node.children_by_field_name("destination")[1:]
        ]

    def apply(self, stdin: Output | None = None) -> Output | None:
        """Tell what the redirections touch; gives the command's standard input."""
        for node in self._nodes:
            if node.type == "herestring_redirect":
                words = self._shell.words()
                stdin = Output(
                    "".join(
                        words.value(child) for child in node.named_children if child.type != "file_descriptor"
                    )
                    + "\n"
                )
            elif node.type == "heredoc_redirect":
                stdin = self._heredoc(node)
            else:
                stdin = self._file(node, stdin)
        return stdin

    def printed(self, output: Output) -> Output:
        """What is left to print: nothing, where it went into a file."""
        if self._into is None:
            return output
        if "endless" in output.sources and self._into != "/dev/null":
            self._shell.analysis.act("exhaust", "host", self._into, "bash", detail="fills the disk")
        self._shell.state.written[self._into] = ANY if self._appends else output.text
        return NOTHING

    def rest(self, output: Output) -> Output:
        """Run what stands behind `<<EOF` on its line."""
        for operator, node in self._rest:
            if operator in ("|", "|&"):
                output = self._shell.run(node, output)
            elif operator == "||":
                self._shell.branch(node, None)
            else:
                self._shell.run(node)
        return output

    def _heredoc(self, node: Node) -> Output:
        start = next((child for child in node.children if child.type == "heredoc_start"), None)
        body = next((child for child in node.children if child.type == "heredoc_body"), None)
        operator = ""
        for child in node.children:
            if child.type in ("&&", "||", "|", "|&"):
                operator = child.type
            elif child.type == "pipeline":
                self._rest.append(("|", child))
            elif child.type in ("file_redirect", "herestring_redirect"):
                self._file(child, None) if child.type == "file_redirect" else self._shell.words()
            elif child.type not in _HERE:
                if not child.is_named:
                    continue
                if child.type in (
                    "word",
                    "string",
                    "raw_string",
                    "concatenation",
                    "simple_expansion",
                    "expansion",
                    "number",
                ):
                    # The grammar takes arguments behind `<<EOF` out of the command.
                    raise NotUnderstood("arguments behind a here-document are not understood")
                self._rest.append((operator, child))
        if start is None or body is None:
            return NOTHING
        quoted = any(mark in (start.text or b"") for mark in (b"'", b'"', b"\\"))
        text = (body.text or b"").decode() if quoted else self._shell.words().text(body)
        if any(child.type == "<<-" for child in node.children):
            text = "\n".join(line.lstrip("\t") for line in text.split("\n"))
        return Output(text)

    def _file(self, node: Node, stdin: Output | None) -> Output | None:
        operator = next((child.type for child in node.children if not child.is_named), "")
        words = self._shell.words()
        shell = self._shell
        for child in node.children_by_field_name("destination")[:1] or node.named_children[-1:]:
            if child.type == "file_descriptor":
                continue
            fields = words.fields(child)
            target = literal(fields[0]) if len(fields) == 1 else ""
            if not target:
                raise NotUnderstood("a redirection's target is not understood")
            if operator in (">&", "<&", ">&-", "<&-") and (target.rstrip("-").isdigit() or target == "-"):
                continue
            if target.startswith(("/dev/tcp/", "/dev/udp/")):
                shell.analysis.act("send", "remote", target, "bash", detail="a socket of the shell")
                stdin = Output(sources=frozenset(("network",)))
                self._into = None
                continue
            action = "read" if operator in ("<", "<&") else "write"
            shell.analysis.path(action, target, shell.state, "bash", detail=f"by {operator}")
            if operator == "<>":
                shell.analysis.path("read", target, shell.state, "bash")
            if action == "read":
                stdin = Output(shell.state.written[target]) if target in shell.state.written else Output()
            elif not _is_descriptor(node, b"2") and not target.startswith("/dev/std"):
                self._into, self._appends = target, operator in (">>", "&>>")
        return stdin


def _is_descriptor(node: Node, number: bytes) -> bool:
    return any(child.type == "file_descriptor" and child.text == number for child in node.children)
