"""Nothing that can be written crashes the analysis or holds it up: past its bounds it escalates."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.policy.facts import facts
from lighthouse.policy.places import Roots
from tests.policy.conftest import PROJECT, Bench

ROOTS = Roots((PROJECT,))
HOSTILE = {
    "substitutions": "$(" * 20_000,
    "substitutions that end": "$(" * 3_000 + "x" + ")" * 3_000,
    "backticks": "`" * 60_000,
    "quotes": '"' * 60_000,
    "open quotes": "'" * 60_001,
    "brackets": "(" * 60_000,
    "closing brackets": ")" * 60_000,
    "braces": "{ " * 30_000,
    "pipes": "a|" * 30_000,
    "few pipes": "a|" * 3_000,
    "less-than": "<" * 60_000,
    "arrays": "a=(" * 20_000,
    "here-documents": "<<A " * 16_000,
    "expansions": "${" * 30_000,
    "arithmetic": "$((1" + "+1" * 30_000 + "))",
    "words": "ls " + "a " * 30_000,
    "commands": "ls;" * 20_000,
    "conditions": "if " * 20_000,
    "functions": "f(){ " * 12_000,
    "brace expansion": "echo " + "{a,b}" * 40,
    "nested braces": "echo " + "{a," * 2_000 + "}" * 2_000,
    "nested shells": "bash -c '" * 100 + "ls" + "'" * 100,
    "evals": "eval " * 10_000 + "ls",
    "sudo": "sudo " * 10_000 + "ls",
    "env": "env " * 8_000 + "ls",
    "xargs": "xargs " * 8_000 + "ls",
    "find": "find . " + "-exec ls {} \\; " * 3_000,
    "variables": "".join(f"x{n}=$x{n - 1}$x{n - 1};" for n in range(1, 3_000)),
    "doubling": "x=aa;" + "x=$x$x;" * 60 + "echo $x",
    "recursion": "f() { f; }; f",
    "mutual recursion": "f() { g; }; g() { f; }; f",
    "loops": "for a in 1 2 3 4 5 6 7 8; do " * 8 + "ls; " + "done; " * 8,
    "too large": "echo " + "a" * 70_000,
    "regex in awk": "awk '" + "print " * 4_000 + "'",
    "sed": "sed '" + "s/a/b/;" * 6_000 + "'",
    "python": "python3 -c '" + "print(" * 5_000 + "'",
    "perl": "perl -e '" + "s/" * 20_000 + "'",
    "url": "curl http://" + "a." * 20_000,
    "path": "cat " + "../" * 15_000,
    "globs": "cat " + "*/" * 15_000,
    "sql": "psql -c '" + "select(" * 8_000 + "'",
    "comments": "#" * 60_000,
    "nul": "ls \0 -la",
    "not text": "ls \udc80",
    "our own marks": "rm -rf \ud800\ud803",
}


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.timeout(20)
def test_hostile_commands_end_soon(name) -> None:
    start = time.thread_time()
    found = facts("Bash", {"command": HOSTILE[name]}, PROJECT, ROOTS)
    # Generous: the bound is 50 ms, and this machine may be slow or busy.
    assert time.thread_time() - start < 1
    assert found.tool == "Bash"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_judged(text) -> None:
    facts("Bash", {"command": text}, PROJECT, ROOTS)


PIECES = st.sampled_from(
    [
        "rm",
        "-rf",
        "/",
        "~",
        "$(",
        ")",
        "`",
        '"',
        "'",
        ";",
        "&&",
        "",
        "",
        "",
        "",
        "",
        "{",
        "}",
        "<<E",
        "E",
        "\n",
        ">",
        "<",
        ">&",
        "2>",
        "if",
        "then",
        "fi",
        "for",
        "do",
        "done",
        "while",
        "case",
        "esac",
        "in",
        ";;",
        "f()",
        "[[",
        "]]",
        "((",
        "))",
        "$x",
        "${x",
        "}",
        "x=1",
        "sudo",
        "env",
        "xargs",
        "find",
        "-exec",
        "\\;",
        "{}",
        "bash",
        "-c",
        "eval",
        "git",
        "push",
        "--force",
        "curl",
        "sh",
        "python3",
        "-c",
        "awk",
        "sed",
        "e",
        "*",
        "?",
        "[",
        "\\",
        "#",
        "!",
        "$'",
        "\\x41",
        "@",
        ",",
        "..",
        "cat",
        "echo",
    ]
)


@settings(max_examples=500, deadline=None)
@given(st.lists(PIECES, max_size=30), st.sampled_from(["", " "]))
def test_any_mixture_of_shell_is_judged(pieces, glue) -> None:
    facts("Bash", {"command": glue.join(pieces)}, PROJECT, ROOTS)


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(["Write", "Read", "WebFetch", "Edit", "NotebookEdit", "Glob", "Bash", "mcp__x__y", ""]),
    st.dictionaries(
        st.sampled_from(["file_path", "path", "url", "command", "notebook_path", "query"]),
        st.one_of(st.text(max_size=60), st.none(), st.integers(), st.lists(st.text(max_size=3), max_size=2)),
    ),
)
def test_any_input_of_any_tool_is_judged(tool, fields) -> None:
    facts(tool, fields, PROJECT, ROOTS)


def test_letters_of_all_scripts_are_read_as_they_stand(bench: Bench) -> None:
    commands = ["echo 'grüß 你好' > ü.txt", "cat <<é\nx 🚀 $(rm ü)\né\n", "rm '\U000e5530 b'"]
    assert [bench.acts(command)[0][2] for command in commands] == [
        f"{PROJECT}/ü.txt",
        f"{PROJECT}/ü",
        f"{PROJECT}/\U000e5530 b",
    ]


def test_what_is_not_understood_is_escalated(bench: Bench) -> None:
    assert bench.decision("ls $(") == "escalate"
    assert bench.decision("echo " + "a" * 70_000) == "escalate"
    assert bench.decision("a|" * 30_000) == "escalate"
