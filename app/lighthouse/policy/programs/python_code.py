"""Judges a few lines of Python by their syntax tree: what is called, on which files, and whether it is known.

Whatever can be called must be named, so every name and attribute must be a known harmless one, a name that
the code itself binds, or a call whose file is told. Modules that are not known may be imported and looked at;
nothing of theirs is called.
"""

import re
import time
from collections.abc import Iterator

import tree_sitter
import tree_sitter_python

from lighthouse.policy.programs.data import judge_sql
from lighthouse.policy.programs.found import Inline
from lighthouse.policy.programs.python_names import MODULES, MOST_STEPS, Names, Node, NotKnown, Value, every
from lighthouse.policy.shell.grammar import TakesTooLong
from lighthouse.policy.vocabulary import listed

_LANGUAGE = tree_sitter.Language(tree_sitter_python.language())
_WORDS = listed("inline", "python_words")
_MEMBERS = listed("inline", "python_members")
# Of these only the members that are listed; of the other modules every word that is known.
_CLOSED = frozenset(name.rpartition(".")[0] for name in _MEMBERS)
_FOREIGN_USES = frozenset(
    ("print", "repr", "str", "len", "type", "dir", "sorted", "hasattr", "getsource", "bool")
)
_DUNDERS = frozenset(
    ("__version__", "__name__", "__file__", "__doc__", "__path__", "__main__", "__init__", "__repr__")
)
_DECORATORS = frozenset(("property", "staticmethod", "classmethod", "dataclass", "lru_cache", "cache"))
_SECRET = re.compile(r"(?i)secret|passw|token|key|credential|auth")
PARSE_SECONDS = 0.01


def judge_python(code: str) -> Inline:
    """Judge code by its tree: what is not known as harmless makes it unknown. Raises TakesTooLong."""
    found = Inline()
    source = code.encode("utf-8", "replace")
    # Some texts take very long to repair: hence the deadline, as for bash (shell/grammar.py).
    end = time.thread_time() + PARSE_SECONDS
    parser = tree_sitter.Parser(_LANGUAGE)
    try:
        tree = parser.parse(
            lambda offset, _: source[offset : offset + 1024],
            progress_callback=lambda *_: time.thread_time() > end,
        )
    except ValueError as error:
        raise TakesTooLong("the code takes too long to parse") from error
    if tree.root_node.has_error:
        found.unknown = "the code is not understood"
        return found
    try:
        _Python(source, found).run(tree.root_node)
    except NotKnown as why:
        found.unknown = f"the code {why}"
    except RecursionError:
        found.unknown = "the code is nested too deeply"
    return found


class _Python(Names):
    def run(self, root: Node) -> None:
        nodes = list(every(root))
        if len(nodes) > MOST_STEPS:
            raise NotKnown("is long")
        for node in nodes:
            self._bind(node)
        for dotted in self._members:
            self._member(dotted)
        for node in nodes:
            self._check(node)

    # What every part of it is

    def _check(self, node: Node) -> None:
        match node.type:
            case "identifier":
                self._identifier(node)
            case "attribute":
                self._attribute(node)
            case "call":
                self._call(node)
            case "decorator":
                name = self._text(node.named_children[0]).partition("(")[0].rpartition(".")[2]
                if name not in _DECORATORS:
                    raise NotKnown(f"decorates with {name}")
            case "assignment" | "augmented_assignment" | "delete_statement":
                target = node.child_by_field_name("left") or node.named_children[0]
                for inner in every(target):
                    if (
                        inner.type == "attribute"
                        and self._value(inner.child_by_field_name("object")).kind == "module"
                    ):
                        raise NotKnown(f"changes {self._text(inner)[:40]}")
            case "exec_statement" | "print_statement":
                raise NotKnown("is of an old Python")

    def _identifier(self, node: Node) -> None:
        name = self._text(node)
        parent = node.parent
        if parent is None or _is_label(node, parent):
            return
        if name in self._imported or name in self._foreign:
            self._handed_on(node, name)
        elif name.startswith("__") and name not in _DUNDERS:
            raise NotKnown(f"uses {name}")
        elif name in self._bound:
            return
        elif name == "open":
            if not _is_callee(node):
                raise NotKnown("hands open on")
        elif name not in _WORDS or name == "compile":  # as a method, `re.compile`, it is harmless
            raise NotKnown(f"uses {name}")

    def _handed_on(self, node: Node, name: str) -> None:
        """A module may be asked for members; of one that is not known nothing is called."""
        parent = node.parent
        top, dotted = node, self._imported.get(name, name)
        while (
            top.parent is not None
            and top.parent.type == "attribute"
            and top.parent.child_by_field_name("object") == top
        ):
            top = top.parent
            dotted += "." + self._text(top.child_by_field_name("attribute") or top)
        if dotted in _FILE_CALLS.keys() | _OPENERS and not _is_callee(top):
            raise NotKnown(f"hands {dotted} on")
        if name in self._foreign:
            if _is_callee(top) or not self._looked_at(top):
                raise NotKnown(f"uses {name}")
        elif top == node and parent is not None and dotted in MODULES and not self._looked_at(node):
            raise NotKnown(f"hands {name} on")

    def _looked_at(self, node: Node) -> bool:
        """Whether the value is only shown, and nothing gets hold of it."""
        parent = node.parent
        while parent is not None and parent.type in (
            "interpolation",
            "string",
            "argument_list",
            "expression_statement",
        ):
            if parent.type == "expression_statement":
                return True
            if parent.type == "argument_list":
                called = parent.parent.child_by_field_name("function") if parent.parent is not None else None
                return called is not None and self._text(called).rpartition(".")[2] in _FOREIGN_USES
            parent = parent.parent
        return False

    def _attribute(self, node: Node) -> None:
        parent = node.parent
        name = self._text(node.child_by_field_name("attribute") or node)
        value = self._value(node)
        if value.kind in ("module", "member"):
            if parent is None or parent.type != "attribute":  # else the whole of it is looked at
                self._member(value.text or "")
        elif self._root(node) in self._foreign:
            if name.startswith("__") and name not in (*_DUNDERS, "__table__"):
                raise NotKnown(f"uses {name}")
        elif (name.startswith("_") and name not in _DUNDERS) or name not in _WORDS | _FILE_METHODS | {
            "execute"
        } | self._bound:
            raise NotKnown(f"uses {name}")
        elif name in MODULES:
            raise NotKnown(f"uses {name} of something")
        elif name in _FILE_METHODS and not _is_callee(node):
            raise NotKnown(f"hands {name} on")

    def _root(self, node: Node) -> str:
        while node.type == "attribute" and (inner := node.child_by_field_name("object")) is not None:
            node = inner
        return self._text(node) if node.type == "identifier" else ""

    def _member(self, dotted: str) -> None:
        """A module's member must be known as harmless, or be one whose calls are told."""
        names = dotted.split(".")
        for end in range(2, len(names) + 1):
            part, above, name = ".".join(names[:end]), ".".join(names[: end - 1]), names[end - 1]
            if part in _NAMED or (end < len(names) and any(one.startswith(f"{part}.") for one in _NAMED)):
                continue
            closed = next((outer for outer in _prefixes(above) if outer in _CLOSED), None)
            open_here = closed is None or f"{closed}.*" in _MEMBERS or above in _MEMBERS
            plain = name in _WORDS and name not in MODULES and name not in _FILE_METHODS
            if not (open_here and plain) or (name.startswith("_") and name not in _DUNDERS):
                raise NotKnown(f"uses {part}")
        if dotted in _DENIED:
            raise NotKnown(f"uses {dotted}")

    # Calls

    def _call(self, node: Node) -> None:
        function = node.child_by_field_name("function")
        if function is None:
            raise NotKnown("calls something")
        arguments = node.child_by_field_name("arguments")
        given = [] if arguments is None or arguments.type != "argument_list" else arguments.named_children
        given = [child for child in given if child.type != "comment"]
        if function.type == "identifier":
            name = self._text(function)
            if name == "open" and name not in self._bound:
                self._open(given)
            elif (dotted := self._imported.get(name)) is not None:
                self._module_call(dotted, given)
            return
        if function.type != "attribute":
            raise NotKnown("calls what is only known when it runs")
        name = self._text(function.child_by_field_name("attribute") or function)
        value = self._value(function)
        if value.kind in ("module", "member"):
            self._module_call(value.text or "", given)
            return
        base = self._value(function.child_by_field_name("object"))
        if name in _FILE_METHODS:
            self._file_method(name, base, given)
        elif name == "execute":
            self._statement(given)
        elif name == "replace" and len(given) < 2:
            raise NotKnown("moves a file, or replaces in a text")
        elif name == "get" and self._text(function).endswith("environ.get"):
            self._variable(given)

    def _module_call(self, dotted: str, given: list[Node]) -> None:
        if dotted.startswith("sys.path."):
            path = self._value(given[-1]).text if given else None
            if path is None:
                raise NotKnown("changes where code is looked for")
            self._found.loads.append(path)
        elif dotted in _OPENERS:
            self._open(given)
        elif dotted in _LOOKS:
            for child in given[:1]:
                self._found.reads.append(self._value(child).text or ".")
        elif dotted in ("os.getenv", "os.environ.get"):
            self._variable(given)
        elif (acts := _FILE_CALLS.get(dotted)) is not None:
            positional = [child for child in given if child.type != "keyword_argument"]
            if len(positional) < len(acts):
                raise NotKnown(f"calls {dotted} in a way that is not understood")
            for act, child in zip(acts, positional, strict=False):
                self._touch(act, self._value(child).text)

    def _file_method(self, name: str, base: Value, given: list[Node]) -> None:
        if base.kind != "path":
            raise NotKnown(f"calls {name} on what is only known when it runs")
        act = _FILE_METHODS_DO[name]
        if act == "open":
            mode = self._mode(given)
            act = "write" if set(mode) & set("wax+") else "read"
        if given and name in ("read_text", "read_bytes", "iterdir") and given[0].type == "identifier":
            raise NotKnown(f"calls {name} in a way that is not understood")
        self._touch(act, base.text)

    def _touch(self, act: str, path: str | None) -> None:
        if path is None or "://" in path:
            raise NotKnown(f"would {act} a file whose name is only known when it runs")
        if act == "read":
            self._found.reads.append(path)
        elif act == "write":
            self._found.writes.append(path)
        else:
            self._found.deletes.append(path)

    def _open(self, given: list[Node]) -> None:
        positional = [child for child in given if child.type != "keyword_argument"]
        if not positional or any("opener" in self._text(child) for child in given):
            raise NotKnown("opens a file in a way that is not understood")
        mode = self._mode(given[1:])
        if positional[0].type == "integer" and self._text(positional[0]) in ("0", "1", "2"):
            return
        self._touch("write" if set(mode) & set("wax+") else "read", self._value(positional[0]).text)

    def _mode(self, given: list[Node]) -> str:
        for child in given:
            node: Node | None = child
            if child.type == "keyword_argument":
                if self._text(child.child_by_field_name("name") or child) != "mode":
                    continue
                node = child.child_by_field_name("value")
            text = self._value(node).text
            if text is None or not re.fullmatch(r"[rwxabt+U]*", text):
                raise NotKnown("opens a file in a mode that is not understood")
            return text
        return "r"

    def _statement(self, given: list[Node]) -> None:
        text = self._value(given[0]).text if given else None
        if text is None or judge_sql(text)[0] != "query":
            raise NotKnown("hands on a statement that is more than a question")

    def _variable(self, given: list[Node]) -> None:
        text = self._value(given[0]).text if given else None
        if text is None or _SECRET.search(text):
            raise NotKnown("asks for a variable that may hold a secret")


_LOOKS = frozenset(("os.listdir", "os.walk", "os.scandir", "glob.glob", "pathlib.Path"))
_DENIED = frozenset(("torch.load", "numpy.load", "yaml.load", "numpy.fromfile"))
_OPENERS = frozenset(("io.open", "codecs.open"))
_FILE_METHODS_DO = {
    "read_text": "read",
    "read_bytes": "read",
    "write_text": "write",
    "write_bytes": "write",
    "touch": "write",
    "mkdir": "write",
    "unlink": "delete",
    "rmdir": "delete",
    "open": "open",
}
_FILE_METHODS = frozenset(_FILE_METHODS_DO)
# What calls do to the files that are their first arguments.
_FILE_CALLS: dict[str, tuple[str, ...]] = {
    "os.remove": ("delete",),
    "os.unlink": ("delete",),
    "os.rmdir": ("delete",),
    "os.removedirs": ("delete",),
    "os.mkdir": ("write",),
    "os.makedirs": ("write",),
    "os.rename": ("delete", "write"),
    "os.replace": ("delete", "write"),
    "shutil.rmtree": ("delete",),
    "shutil.copy": ("read", "write"),
    "shutil.copy2": ("read", "write"),
    "shutil.copyfile": ("read", "write"),
    "shutil.copytree": ("read", "write"),
    "shutil.move": ("delete", "write"),
    "sqlite3.connect": ("read",),
    "pandas.read_csv": ("read",),
    "pandas.read_json": ("read",),
}

_NAMED = _MEMBERS | MODULES | _FILE_CALLS.keys() | _OPENERS | _LOOKS


def _prefixes(dotted: str) -> Iterator[str]:
    while dotted:
        yield dotted
        dotted = dotted.rpartition(".")[0]


def _is_callee(node: Node) -> bool:
    parent = node.parent
    return parent is not None and parent.type == "call" and parent.child_by_field_name("function") == node


def _is_label(node: Node, parent: Node) -> bool:
    """Whether the identifier names a member, a parameter in a call, or a module that is imported."""
    if parent.type == "attribute":
        return parent.child_by_field_name("attribute") == node
    if parent.type == "keyword_argument":
        return parent.child_by_field_name("name") == node
    return parent.type in (
        "dotted_name",
        "aliased_import",
        "import_from_statement",
        "relative_import",
        "global_statement",
    )
