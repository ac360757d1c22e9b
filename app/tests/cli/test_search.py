"""`search` prints what ripgrep would, page after page, and exits as grep does."""

import json
import shutil
import subprocess

import pytest

TREE = {
    "a.txt": "".join(f"{number} light\n" for number in range(2500)),
    "b/c.py": "def light():\n\treturn 1\n\n\nlight()\n",
    "b/d.md": "no match\n",
}
needs_rg = pytest.mark.skipif(shutil.which("rg") is None, reason="ripgrep is not installed")


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    from tests.conftest import RunningBridge

    bridge = RunningBridge(tmp_path_factory.mktemp("searched"))
    for name, text in TREE.items():
        path = bridge.project / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    bridge.start()
    yield bridge
    bridge.stop()


@needs_rg
@pytest.mark.parametrize(
    "options",
    [
        ["light"],
        ["-c", "light"],
        ["-l", "light"],
        ["-C1", "-g", "*.py", "light|return"],
        ["-B1", "^9.* light"],
        ["-F", "light()"],
        ["-i", "-w", "LIGHT", "b"],
        ["-S", "-m", "2", "light"],
        ["-t", "py", "-A", "2", "def"],
        ["-g", "!b", "99 light"],
    ],
)
def test_it_prints_as_ripgrep_does(lighthouse, searched, options) -> None:
    ours = lighthouse("search", *options, env=searched.environment())
    theirs = subprocess.run(
        ["rg", "--no-config", "--sort=path", "--hidden", "--no-heading", "-n", *options],
        cwd=searched.project,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (ours.stdout, ours.returncode, ours.stderr) == (theirs.stdout, theirs.returncode, "")


def test_nothing_found_exits_with_1_and_says_nothing(lighthouse, searched) -> None:
    ran = lighthouse("search", "nowhere", env=searched.environment())
    assert (ran.returncode, ran.stdout, ran.stderr) == (1, "", "")


def test_a_limit_counts_over_pages(lighthouse, searched) -> None:
    ran = lighthouse("search", "light", "--limit", "1500", env=searched.environment())
    assert (ran.returncode, len(ran.stdout.splitlines())) == (0, 1500)


def test_json_is_a_file_a_line(lighthouse, searched) -> None:
    ran = lighthouse("search", "light", "-g", "*.py", "--json", env=searched.environment())
    (file,) = map(json.loads, ran.stdout.splitlines())
    assert (file["path"], file["count"], [line["number"] for line in file["lines"]]) == ("b/c.py", 2, [1, 5])


def test_errors_are_one_line(lighthouse, searched) -> None:
    bad = lighthouse("search", "(", env=searched.environment())
    assert bad.returncode == 1
    assert "missing )" in bad.stderr
    assert bad.stderr.count("\n") == 1
    assert lighthouse("search", "-l", "-c", "x", env=searched.environment()).returncode == 2
    early = lighthouse("search", "x", "--at", "0", env=searched.environment())
    assert (early.returncode, "404" in early.stderr) == (1, True)
