"""What a known program does with an option that nobody described is not understood, and never allowed."""

import tomllib
from importlib import resources

import pytest

from lighthouse.policy.programs.start import tables
from tests.policy.conftest import Bench


@pytest.mark.parametrize(
    "command",
    [
        "cp --frobnicate a b",
        "git status --frobnicate",
        "git frobnicate",
        "git stash frobnicate",
        "git rebase --onto main HEAD~3",
        "npm frobnicate",
        "npm ls --frobnicate",
        "cargo build --frobnicate",
        "kubectl get pods --frobnicate",
        "docker ps --frobnicate",
        "docker run --frobnicate alpine",
        "curl --frobnicate https://example.com",
        "tar --frobnicate -xf a.tar",
        "rsync --frobnicate a b",
        "pytest --frobnicate",
        "timeout --frobnicate 5 ls",
        "xargs --frobnicate ls",
        "python -Z app.py",
        "python -m pytest --frobnicate",
        "gh alias set x list",
        "aws frobnicate do",
        "psql -c 'select frobnicate(1)'",
        "redis-cli client kill 1",
        "mongosh --eval 'db.a.frobnicate()'",
    ],
)
def test_what_nobody_described_is_not_allowed(command, bench: Bench) -> None:
    assert bench.decision(command) != "allow"


@pytest.mark.parametrize(
    "command",
    [
        "python app.py --frobnicate",
        "timeout 5 ls --frobnicate",
        "ls --frobnicate",
        "npm test -- --watch",
    ],
)
def test_an_option_of_the_project_or_of_what_only_prints_is_its_own(command, bench: Bench) -> None:
    assert bench.decision(command) == "allow"


def test_every_list_is_of_a_known_program() -> None:
    text = (resources.files("lighthouse.policy") / "options.toml").read_text("utf-8")
    for names in tomllib.loads(text):
        for name in names.split(", "):
            assert name == "everywhere" or name.split(" ")[0] in tables(), name
