"""Whatever happens to the files: answers are within them, the same each time, no guess between equals."""

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.annotations.align import common_tokens
from lighthouse.annotations.errors import BadAnnotation
from lighthouse.annotations.text import MAX_BYTES
from tests.annotations.conftest import Files, anchor, resolve, resolver_of, told

PIECES = st.sampled_from(
    [
        "def total(lines):\n",
        "    return sum(line.price for line in lines)\n",
        "class Order:\n",
        "    def add(self, sku):\n",
        "        self.lines.append(sku)\n",
        "\n",
        "x = [\n",
        "]\n",
        "    pass\n",
        "import os\n",
        "'''\n",
        "\tß = (1,\n",
        "@cached\n",
        "key: value\n",
        "}\n",
    ]
)
SOURCES = st.lists(PIECES, min_size=1, max_size=25).map("".join)
NAMES = st.sampled_from(["a.py", "a.go", "a.yml", "a.c", "a.ts", "a.rs", "a.txt", "a.toml", "a.json", "a.sh"])


@settings(max_examples=300, deadline=None)
@given(name=NAMES, before=SOURCES, after=SOURCES, other=SOURCES, data=st.data())
def test_an_answer_is_always_within_a_file_that_is_there(
    name: str, before: str, after: str, other: str, data: st.DataObject
) -> None:
    old = Files({name: before.encode(), "other/b" + name[1:]: b"x = 1\n"})
    gone = data.draw(st.booleans())
    new = Files({"other/b" + name[1:]: other.encode()} | ({} if gone else {name: after.encode()}))
    rows = before.split("\n")
    line = data.draw(st.integers(1, len(rows)))
    end = data.draw(st.integers(line, len(rows)))
    try:
        resolve(old, old, f"{name}:{line}-{end}")
    except BadAnnotation:
        return
    standing = resolve(old, new, f"{name}:{line}-{end}")
    assert standing == resolve(old, new, f"{name}:{line}-{end}")
    if standing is None:
        return
    entry = new.lookup(standing.path)
    assert entry is not None
    assert standing.lines is not None
    first, last = standing.lines
    assert 1 <= first <= last <= len(new.contents[entry.hash].split(b"\n"))
    assert 0 < standing.confidence <= 1
    assert standing.status in ("same", "moved", "edited")


@settings(max_examples=200, deadline=None)
@given(name=NAMES, before=st.binary(max_size=300), after=st.binary(max_size=300))
def test_bytes_of_any_kind_break_nothing(name: str, before: bytes, after: bytes) -> None:
    old, new = Files({name: before}), Files({name: after})
    try:
        standing = resolve(old, new, f"{name}:1")
    except (BadAnnotation, AssertionError):
        return
    assert standing is None or standing.path == (name.encode(),)


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_myers_finds_a_longest_common_subsequence(old: list[str], new: list[str]) -> None:
    pairs = common_tokens(old, new)
    assert pairs is not None
    places = sorted(pairs.items())
    assert all(old[a] == new[b] for a, b in places)
    assert all(left[1] < right[1] for left, right in pairwise(places))
    lengths = [[0] * (len(new) + 1) for _ in range(len(old) + 1)]
    for a, left in enumerate(old):
        for b, right in enumerate(new):
            longer = max(lengths[a][b + 1], lengths[a + 1][b])
            lengths[a + 1][b + 1] = lengths[a][b] + 1 if left == right else longer
    assert len(pairs) == lengths[-1][-1]


FUNCTION = "def weigh(parcel, scale):\n    scale.tare()\n    return scale.read(parcel) - parcel.box\n"
OTHER = "import json\n\nLIMIT = 3\n"


def test_two_equal_copies_are_no_place_to_move_to() -> None:
    old = Files({"a.py": FUNCTION.encode(), "b.py": OTHER.encode(), "c.py": OTHER.encode()})
    both = Files({name: (OTHER + FUNCTION).encode() for name in ("b.py", "c.py")} | {"a.py": OTHER.encode()})
    one = Files({"a.py": OTHER.encode(), "b.py": (OTHER + FUNCTION).encode(), "c.py": OTHER.encode()})
    assert resolve(old, both, "a.py:1") is None
    assert told(resolve(old, one, "a.py:1")) == "moved b.py:4 weigh"


def test_a_twin_that_stood_there_before_is_not_where_it_went() -> None:
    twin = OTHER + FUNCTION
    old = Files({"a.py": FUNCTION.encode(), "b.py": twin.encode()})
    new = Files({"a.py": OTHER.encode(), "b.py": ("import re\n" + twin).encode()})
    assert resolve(old, new, "a.py weigh") is None


def test_a_body_that_got_another_name_is_followed_and_not_the_name() -> None:
    old = Files({"a.py": (FUNCTION + "\n\nweigh(1, 2)\n").encode()})
    renamed = FUNCTION.replace("weigh", "weigh_once")
    new = Files(
        {"a.py": (f"{renamed}\n\ndef weigh(parcel, scale):\n    return weigh_once(parcel, scale)\n").encode()}
    )
    assert told(resolve(old, new, "a.py:1")) == "edited a.py:1 weigh_once"


def test_where_the_grammar_sees_errors_the_lines_are_followed() -> None:
    broken = "def ok():\n    return 1\n\ndef (((\n    lost = compute(the, answer)\n    other = 2\n"
    old = Files({"a.py": broken.encode()})
    new = Files({"a.py": ("import os\n\n" + broken).encode()})
    assert told(resolve(old, new, "a.py:5")).startswith("same a.py:7")


def test_without_the_older_content_the_anchor_itself_is_enough() -> None:
    old = Files({"a.py": ("import os\n\n" + FUNCTION).encode()})
    new = Files({"a.py": (OTHER + FUNCTION).encode()})
    path, made = anchor(resolver_of(old), old, "a.py:5")
    found = resolver_of(new).resolve(path, made, new, new)
    assert told(found).startswith("moved a.py:6")


def test_a_file_as_a_whole() -> None:
    old = Files({"a.bin.txt": b"one\ntwo\n", "b": b""})
    assert told(resolve(old, Files({"a.bin.txt": b"one\n"}), "a.bin.txt")) == "edited a.bin.txt"
    assert told(resolve(old, Files({"z": b"one\ntwo\n"}), "a.bin.txt")) == "moved z"
    assert resolve(old, Files({"b": b""}), "a.bin.txt") is None


def test_a_file_too_large_to_follow_is_left_alone() -> None:
    old = Files({"a.py": FUNCTION.encode()})
    new = Files({"a.py": FUNCTION.encode() + b"x = 1\n" * (MAX_BYTES // 6)})
    assert resolve(old, new, "a.py:2") is None


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("a.py:9", "no lines 9 to 9"),
        ("a.py:2-1", "no lines 2 to 1"),
        ("a.py none", "no declaration is named none"),
        ("a.py add", "2 declarations are named add"),
        ("a.py:3", "nothing on these lines"),
    ],
)
def test_a_place_that_is_none(place: str, said: str) -> None:
    source = b"class A:\n    def add(self): ...\n\nclass B:\n    def add(self): ...\n"
    with pytest.raises(BadAnnotation, match=said):
        resolve(Files({"a.py": source}), Files({}), place)
