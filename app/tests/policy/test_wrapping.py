"""No way of wrapping or quoting a command that is stopped makes it allowed."""

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.policy.conftest import Bench
from tests.policy.wrappings import WRAPPINGS

CASES = [
    json.loads(line)
    for table in sorted((Path(__file__).parent / "cases").glob("*.jsonl"))
    for line in table.read_text().splitlines()
]
# Within a function or xargs, `$@` and `{}` are something else.
STOPPED = [
    case["command"]
    for case in CASES
    if case["expect"] != "allow"
    and "command" in case
    and "$@" not in case["command"]
    and "{}" not in case["command"]
]
DENIED = [case["command"] for case in CASES if case["expect"] == "deny" and case["command"] in STOPPED]
BENCH = Bench()


def understood(command: str) -> bool:
    return "not valid bash" not in BENCH.verdict(command).reason


@pytest.mark.parametrize("name", WRAPPINGS)
def test_no_wrapping_makes_it_allowed(name) -> None:
    wrap = WRAPPINGS[name]
    sample = [command for command in DENIED[::7] + STOPPED[::23] if understood(command)]
    assert not [wrap(command) for command in sample if BENCH.decision(wrap(command)) == "allow"]


@pytest.mark.soak
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", WRAPPINGS)
def test_no_wrapping_makes_any_case_allowed(name) -> None:
    wrap = WRAPPINGS[name]
    assert not [wrap(x) for x in STOPPED if understood(x) and BENCH.decision(wrap(x)) == "allow"]


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(DENIED), st.lists(st.sampled_from(sorted(WRAPPINGS)), min_size=2, max_size=3))
def test_no_wrappings_within_each_other_make_it_allowed(command, names) -> None:
    if not understood(command):
        return
    for name in names:
        command = WRAPPINGS[name](command)
    assert BENCH.decision(command) != "allow"


def quotings(word: str) -> st.SearchStrategy[str]:
    middle = len(word) // 2
    return st.sampled_from(
        [
            word,
            shlex.quote(word) if shlex.quote(word) != word else f"'{word}'",
            f'"{word}"' if not set(word) & set('"$`\\') else word,
            f"{word[:middle]}''{word[middle:]}",
            f'{word[:middle]}""{word[middle:]}',
            "".join(f"\\{char}" if char.isalnum() else char for char in word),
            "$'" + "".join(f"\\x{ord(char):02x}" for char in word) + "'",
            f"$(printf '%s' '{word}')",
        ]
    )


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_quoting_makes_it_allowed(data) -> None:
    words = data.draw(
        st.sampled_from(
            [
                ["rm", "-rf", "/"],
                ["rm", "-r", "-f", "/etc"],
                ["git", "push", "--force"],
                ["git", "reset", "--hard"],
                ["dd", "if=/dev/zero", "of=/dev/sda"],
                ["mkfs.ext4", "/dev/sda1"],
                ["cat", "/etc/shadow"],
                ["find", "/", "-delete"],
                ["chmod", "-R", "777", "/"],
                ["shutdown", "-h", "now"],
            ]
        )
    )
    command = " ".join(data.draw(quotings(word)) for word in words)
    assert BENCH.decision(command) != "allow"
