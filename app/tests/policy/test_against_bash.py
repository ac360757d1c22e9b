"""Whatever bash itself runs of a script stands among the facts, with its arguments.

The scripts call programs that do not exist; bash tells each of them to `command_not_found_handle`.
"""

import os
import shutil
import subprocess

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighthouse.policy.act import Facts
from lighthouse.policy.facts import facts
from lighthouse.policy.places import Roots

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash to compare with")

TELL = 'command_not_found_handle() { printf "%s\\0" "$#" "$@" >&9; }\n'
PLAIN = st.sampled_from(
    ["a", "b-c", "x.y", "7", "-n", "--", "'q r'", '"s t"', "\\$d", "e\\ f", "''", '""', "$'\\x41b'"]
)
VALUED = st.sampled_from(
    ["$v", '"$v"', "${v}", "p$v", "{a,b}", "z{1,2}y", "$(zz7 i)", '"$(zz8 j)"', "`zz9`", "~+x"]
)
WORD = st.one_of(PLAIN, PLAIN, VALUED)
NAME = st.sampled_from(["zz1", "zz2", "zz3", "\\zz4", "'zz5'", 'z"z"6', "z''z1", "zz{1,2}", "$p"])
SIMPLE = st.builds(lambda name, words: " ".join([name, *words]), NAME, st.lists(WORD, max_size=3))
DECORATED = st.builds(
    lambda simple, before, after: f"{before}{simple}{after}",
    SIMPLE,
    st.sampled_from(["", "", "", "w=1 ", "! ", ">/dev/null ", "\\\n"]),
    st.sampled_from(
        ["", "", "", " 2>&1", " >/dev/null", " </dev/null", " # zz6", " \\\n u", " <<< zz3", " 2>/dev/null"]
    ),
)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "'\\''") + "'"


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = [
        lambda x: f"({x}\n)",
        lambda x: f"{{ {x}\n}}",
        lambda x: f"{x}\n\\zz2 k",
        lambda x: f"{x}\n\n   zz3",
        lambda x: f"eval {_quoted(x)}",
        lambda x: f"if {x}\nthen zz1; else {x}\nfi",
        lambda x: f"for v in a 'b c'; do {x}\ndone",
        lambda x: f"while {x}\nfalse; do :; done",
        lambda x: f"case a in a) {x}\n;; b) zz2;; esac",
        lambda x: f"f() {{ {x}\n}}; f q",
        lambda x: f'v=$({x}\n); zz4 "$v"',
        lambda x: f'zz5 "$({x}\n)" r',
        lambda x: f"zz6 <<EOT\n$({x}\n)\nEOT\n",
        lambda x: f"zz6 <<'EOT'\n$({x}\n)\nEOT\nzz1 after",
        lambda x: f"zz6 <<EOT | zz1\nd\nEOT\n{x}",
        lambda x: f"[[ -n $({x}\n) ]]",
        lambda x: f"trap {_quoted(x)} EXIT",
        lambda x: f"until {x}\ntrue; do :; done",
        lambda x: f"command {x}",
        lambda x: f"builtin eval {_quoted(x)}",
    ]
    two = [
        lambda x, y: f"{x}\n{y}",
        lambda x, y: f"{{ {x}\n}} && {y}",
        lambda x, y: f"{{ {x}\n}} || {y}",
        lambda x, y: f"{{ {x}\n}} | {y}",
        lambda x, y: f"( {x}\n) & wait; {y}",
        lambda x, y: f"if false; then {x}\nelif {y}\nthen zz2; fi",
    ]
    return st.one_of(
        st.builds(lambda make, x: make(x), st.sampled_from(one), inner),
        st.builds(lambda make, x, y: make(x, y), st.sampled_from(two), inner, inner),
    )


SCRIPTS = st.recursive(DECORATED, _around, max_leaves=6).map(lambda text: f"v='m n' p=zz1\n{text}\n")


def ran_by_bash(script: str, folder: str) -> list[tuple[str, ...]]:
    read, write = os.pipe()
    with os.fdopen(read, "rb") as told:
        process = subprocess.Popen(
            [BASH or "bash", "-c", f"exec 9>&{write}\n{TELL}{script}"],
            cwd=folder,
            env={"PATH": "/nowhere"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(write,),
        )
        os.close(write)
        try:
            parts = told.read().split(b"\0")[:-1]
            process.wait(10)
        finally:
            process.kill()
            process.wait(10)
    found, at = [], 0
    while at < len(parts):
        count = int(parts[at])
        found.append(tuple(part.decode("utf-8", "replace") for part in parts[at + 1 : at + 1 + count]))
        at += count + 1
    return found


def understood(found: Facts) -> bool:
    return all(why.startswith("the program zz") and why.endswith("is not known") for why in found.uncertain)


def matches(ran: tuple[str, ...], told: tuple[str, ...]) -> bool:
    if ran == told:
        return True
    # What is only known when it runs is shown as an ellipsis, which may be any number of words.
    return ran[0] == told[0] and any("…" in word for word in told)


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=SCRIPTS)
def test_what_bash_runs_is_among_the_facts(script, tmp_path) -> None:
    found = facts("Bash", {"command": script}, str(tmp_path), Roots((str(tmp_path),)))
    if not understood(found):
        return
    told = {(program.name, *program.arguments) for program in found.programs}
    for ran in ran_by_bash(script, str(tmp_path)):
        assert any(matches(ran, one) for one in told), (ran, sorted(told))
