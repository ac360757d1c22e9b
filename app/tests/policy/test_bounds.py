"""Nothing that can be written crashes the analysis or holds it up: past its bounds it escalates."""

import json
import re
import shlex
import time
from contextlib import suppress
from pathlib import Path
from random import Random
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.policy import analysis
from lighthouse.policy.facts import facts
from lighthouse.policy.places import Roots
from lighthouse.policy.programs.python_code import judge_python
from lighthouse.policy.shell.grammar import TakesTooLong
from tests.policy.conftest import PROJECT, Bench

ROOTS = Roots((PROJECT,))
COMMANDS = [
    json.loads(line).get("command", "ls")
    for table in sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
    for line in table.read_text().splitlines()
]
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
    "copies in sql": "psql -c '" + "copy " * 1_500 + "'",
    "long variables": "x=" + "a" * 16_000 + "; echo " + "$x" * 3_000,
    "loops that change": "while true; do " * 12 + "x=$x$y; y=$x; cd ..; " + "done; " * 12,
    "functions that double": "".join(f"f{n}(){{ f{n + 1}; f{n + 1}; }};" for n in range(30)) + "f0",
    "many reads": "while read a b c d; do cat $a; done; " * 800,
    "many paths": "cat " + " ".join(f"../a/b/c/d{n}" for n in range(900)),
    "many removals": "; ".join(f"rm -rf a{n} b{n}" for n in range(390)),
    "many containers": "docker run -v .:/w img " * 100 + "ls",
    "cases": "case a in " + "a) ls;; " * 3_500 + "esac",
    "imports": "python3 -c '" + "import a, " * 600 + "'",
    "arrows": "node -e '" + "=> " * 1_300 + "'",
    "here-documents that run": "".join(f"cat <<E{n}\n{'$(ls)' * 5}\nE{n}\n" for n in range(150)),
    "nested python": "python3 -c '" + "[" * 1_900 + "]" * 1_900 + "'",
    "python names": "python3 -c '" + "".join(f"a{n} = a{n + 1}\n" for n in range(280)) + "'",
    "python strings": 'python3 -c "' + "f'{x}' " * 560 + '"',
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


@pytest.mark.parametrize(("slow", "decision"), [(1, "allow"), (2, "escalate")])
def test_a_machine_that_stood_still_once_changes_no_verdict(
    slow: int, decision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = iter([0.0, 1.0] * slow)
    monkeypatch.setattr(analysis, "time", SimpleNamespace(thread_time=lambda: next(now, 2.0)))
    verdict = Bench().verdict("ls")
    assert verdict.decision == decision
    assert ("takes too long" in verdict.reason) == (decision == "escalate")


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_judged(text) -> None:
    facts("Bash", {"command": text}, PROJECT, ROOTS)


SCRAPS = r"""
import from as os sys x . , ( ) [ ] { } : ; = == * ** @ := # + - -> 1 é 🚀 \ ' " f' print open lambda def
class return yield for in if else with async await try except not None '''
"""
CODE = st.sampled_from([*re.findall(r"\S+", SCRAPS), "\n", "\t", "\x00"])


@settings(max_examples=300, deadline=None)
@given(
    st.lists(CODE, max_size=40), st.sampled_from(["python3 -c", "node -e", "perl -e", "ruby -e", "php -r"])
)
def test_any_code_of_another_language_is_judged(pieces, program) -> None:
    code = " ".join(pieces)
    facts("Bash", {"command": f"{program} {shlex.quote(code)}"}, PROJECT, ROOTS)
    with suppress(TakesTooLong):
        judge_python(code)


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


def mixed(random: Random, command: str) -> str:
    start, end = sorted((random.randint(0, len(command)), random.randint(0, len(command))))
    head, middle, tail = command[:start], command[start:end], command[end:]
    word = random.choice(re.split(r"(\s+|[;&|()<>\"'`$])", random.choice(COMMANDS)))
    repeated = word * random.choice((1, 1, 2, 50))
    return random.choice(
        (head + tail, tail + head, head + repeated + middle + tail, head + random.choice(COMMANDS) + tail)
    )


@pytest.mark.soak
@pytest.mark.timeout(900)
def test_commands_that_are_cut_and_mixed_are_judged_soon() -> None:
    random = Random(4)
    for _ in range(30_000):
        command = random.choice(COMMANDS)
        for _ in range(random.randint(1, 6)):
            command = mixed(random, command)
        before = time.thread_time()
        facts("Bash", {"command": command}, PROJECT, ROOTS)
        # Generous, for this machine may be slow: the bound is 50 ms.
        assert time.thread_time() - before < 0.2, command


@settings(max_examples=200, deadline=None)
@given(
    st.sampled_from(
        [
            "Write",
            "Read",
            "WebFetch",
            "Edit",
            "NotebookEdit",
            "Glob",
            "Bash",
            "MultiEdit",
            "mcp__x__get_y",
            "",
        ]
    ),
    st.dictionaries(
        st.sampled_from(["file_path", "path", "url", "command", "notebook_path", "query", "edits", "uri"]),
        st.one_of(
            st.text(max_size=60),
            st.sampled_from(["http://[", "/\0", "~", "//"]),
            st.none(),
            st.integers(),
            st.lists(st.text(max_size=3), max_size=2),
        ),
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
