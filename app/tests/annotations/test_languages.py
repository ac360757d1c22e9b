"""Each grammar loads, and names what a person would name."""

import pytest

from lighthouse.annotations.document import Document
from lighthouse.annotations.languages import language_of
from lighthouse.annotations.syntax import outline

SOURCES = {
    "a.py": (
        "class Ship:\n    deck: int = 3\n\n    @property\n    def name(self): ...\n\nPORT = 1\n",
        "Ship Ship.deck Ship.name PORT",
    ),
    "a.js": (
        "class A { #x = 1; go() {} }\nconst f = () => 1;\nfunction g() { const h = 2 }\n",
        "A A.#x A.go f g",
    ),
    "a.ts": (
        "interface I { a: string }\nexport enum E { A }\nabstract class C { go(): void {} }\n",
        "I E C C.go",
    ),
    "a.tsx": ("export const View = () => <p>hello</p>;\n", "View"),
    "a.go": ("package p\ntype T struct{}\nfunc (t *T) M() {}\nconst C = 1\nvar v int\n", "T T.M C v"),
    "a.rs": ("struct S;\nimpl<T> S { fn go(&self) {} }\nmod m { const C: u8 = 1; }\n", "S S S.go m m.C"),
    "a.c": ("#define N 1\nstruct s { int a; };\nstatic int *f(int a) { return 0; }\nint g = 3;\n", "N s f g"),
    "a.cpp": (
        "namespace n { class C { void go() {} }; }\nint C::add(int a) { return a; }\n",
        "n n.C n.C.go C::add",
    ),
    "a.java": ("class A { int x; A() {} void go() {} }\n", "A A.x A.A A.go"),
    "a.rb": (
        "module M\n  class C\n    def go; end\n    def self.make; end\n  end\nend\n",
        "M M.C M.C.go M.C.make",
    ),
    "a.sh": ("PORT=1\ngo() {\n  local x=2\n}\n", "PORT go"),
    "a.yaml": ("a:\n  b: 1\n  'c': {d: 2}\n", "a a.b a.c a.c.d"),
    "a.json": ('{"a": {"b": 1}}\n', "a a.b"),
    "a.toml": ("[tool.x]\na = 1\n[[arr]]\nq = 1\n", "tool.x tool.x.a arr arr.q"),
    "a.txt": ("nothing has a name\n", ""),
    "Makefile": ("all:\n", ""),
}


@pytest.mark.parametrize("name", SOURCES)
def test_declarations_by_language(name: str) -> None:
    source, symbols = SOURCES[name]
    document = Document(name.encode(), source.encode())
    assert [unit.symbol for unit in document.outline.walk()] == symbols.split()
    assert not document.outline.broken


def test_letters_of_all_scripts_neither_crash_bash_nor_are_lost() -> None:
    language = language_of(b"a.sh")
    assert language is not None
    letters = "".join(chr(code) for code in range(0x10000, 0x110000, 4099))
    found = outline(language, f"# {letters}\ngrüß() {{ echo ${{x}}{letters}; }}\n".encode())
    assert found is not None
    assert [unit.name for unit in found.roots] == ["grüß"]


def test_what_is_nested_very_deep_belongs_to_what_is_around_it() -> None:
    depth = 1500
    document = Document(b"a.js", b"function f(){\n" * depth + b"}\n" * depth)
    deepest = document.outline.innermost(depth, depth)
    assert deepest is not None
    assert deepest.symbol == ".".join("f" * 100)
