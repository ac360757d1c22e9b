"""`restore`: files become what they were, after being shown, and nothing that exists nowhere else is lost."""

import itertools
import json
import os
import pty
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import RunningBridge


class Place:
    """A project followed by a bridge, with a snapshot `then` of some files, and the command."""

    def __init__(self, bridge, run) -> None:
        self.bridge = bridge
        self.project: Path = bridge.project
        self.env: dict[str, str] = bridge.environment()
        self._run = run
        self._from_seq = 1
        self.then = "then"

    def __call__(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        words = [self.then if word == "then" else word for word in arguments]
        return self._run(*words, env=self.env, cwd=cwd or self.project)

    def write(self, path: str, text: str) -> None:
        place = self.project / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(text)

    def files(self) -> dict[str, str]:
        """Everything there is, folders with a slash, links with an arrow."""
        found = {}
        for where, folders, names in os.walk(self.project):
            for name in [*folders, *names]:
                place = Path(where, name)
                path = str(place.relative_to(self.project))
                if place.is_symlink():
                    found[path] = f"-> {place.readlink()}"
                elif place.is_dir():
                    found[path + "/"] = ""
                else:
                    found[path] = place.read_text()
        return found

    def events(self, type: str) -> list[dict]:
        since = ("--from-seq", str(self._from_seq))
        lines = self("events", "query", "--type", type, *since, "--json").stdout.splitlines()
        return [json.loads(line) for line in lines]

    def begin(self, number: int) -> None:
        """Snapshots stay, so that each test has one of its own; `then` in a command means it."""
        self.then = f"then-{number}"
        self._from_seq = json.loads(self("snapshot", "then", "--json").stdout)["seq"]


@pytest.fixture(scope="module")
def bridge(tmp_path_factory) -> Iterator[RunningBridge]:
    """One bridge for all: starting one takes longer than a test."""
    running = RunningBridge(tmp_path_factory.mktemp("restore"))
    running.start()
    yield running
    running.stop()


numbers = itertools.count(1)


@pytest.fixture
def place(bridge, within) -> Place:
    for old in bridge.project.iterdir():
        shutil.rmtree(old) if old.is_dir() and not old.is_symlink() else old.unlink()
    made = Place(bridge, within)
    for number in range(5):
        made.write(f"kept{number}", f"kept {number}\n")
    made.write("edited", "before\n")
    made.write("sub/gone", "gone\n")
    made.write("run", "run\n")
    (made.project / "run").chmod(0o755)
    (made.project / "link").symlink_to("edited")
    (made.project / "empty").mkdir(mode=0o750)
    made.write(".gitignore", "*.log\n")
    made.begin(next(numbers))
    return made


def spoil(place: Place) -> None:
    """Do to the files what people do."""
    place.write("edited", "after\n")
    (place.project / "sub" / "gone").unlink()
    (place.project / "sub").rmdir()
    (place.project / "run").chmod(0o644)
    (place.project / "link").unlink()
    (place.project / "link").symlink_to("elsewhere")
    (place.project / "empty").rmdir()
    place.write("new/file", "new\n")
    place.write("debug.log", "ignored\n")
    place.write("new/deep.log", "ignored too\n")


def test_everything_comes_back(place) -> None:
    before = place.files()
    spoil(place)
    restored = place("restore", "then", "--yes")
    assert restored.returncode == 0, restored.stderr
    for part in ("-after\n+before\n", "--- /dev/null\n+++ b/sub/gone\n", "new mode 100755", "-elsewhere"):
        assert part in restored.stdout
    assert "1 file that was not there then" in restored.stderr
    stays = {"new/": "", "new/file": "new\n", "debug.log": "ignored\n", "new/deep.log": "ignored too\n"}
    assert place.files() == before | stays
    assert (place.project / "run").stat().st_mode & 0o777 == 0o755
    assert (place.project / "empty").stat().st_mode & 0o777 == 0o750
    (started,) = place.events("restore.started")
    (finished,) = place.events("restore.finished")
    assert started["agent_id"] == "ann"
    assert (started["data"]["moment"], started["data"]["uid"]) == (place.then, os.getuid())
    assert {step["path"] for step in started["data"]["steps"]} == {
        "edited", "sub", "sub/gone", "run", "link", "empty",
    }  # fmt: skip
    assert finished["data"]["started"] == started["seq"]
    assert (finished["data"]["done"], finished["data"]["left"]) == (6, [])
    assert json.loads(place("diff", "then", "--json").stdout)["changes"][0]["path"] == "new/file"
    assert "nothing to restore" in place("restore", "then", "--yes").stdout


def test_delete_takes_away_what_is_captured_and_nothing_else(place) -> None:
    before = place.files()
    spoil(place)
    restored = place("restore", "then", "--yes", "--delete")
    assert restored.returncode == 0, restored.stderr
    stays = {"new/": "", "debug.log": "ignored\n", "new/deep.log": "ignored too\n"}
    assert place.files() == before | stays


def test_a_dry_run_only_shows(place) -> None:
    spoil(place)
    before = place.files()
    shown = place("restore", "then", "--dry-run", "--delete")
    assert shown.returncode == 0
    assert "+before" in shown.stdout
    assert "+++ /dev/null" in shown.stdout
    assert place.files() == before
    assert place.events("restore.*") == []
    told = json.loads(place("restore", "then", "-n", "--json").stdout)
    assert {step["op"] for step in told["steps"]} == {"create", "replace", "mode"}
    assert (told["done"], told["kept"]) == (None, 1)


def test_only_some_paths_from_within_a_folder(place) -> None:
    spoil(place)
    place.write("sub/other", "other\n")
    told = place("restore", "then", "gone", "../edited", "--yes", "--json", cwd=place.project / "sub")
    assert told.returncode == 0, told.stderr
    assert {step["path"] for step in json.loads(told.stdout)["steps"]} == {"sub/gone", "edited"}
    assert (place.project / "edited").read_text() == "before\n"
    assert not (place.project / "empty").exists()
    for path, reason in [("nowhere", "nothing is captured"), ("/etc/passwd", "is not in")]:
        refused = place("restore", "then", path, "--yes")
        assert (refused.returncode, reason in refused.stderr) == (1, True), refused


def test_kinds_that_changed(place) -> None:
    before = place.files()
    (place.project / "sub" / "gone").unlink()
    (place.project / "sub").rmdir()
    place.write("sub", "a file now\n")
    (place.project / "edited").unlink()
    place.write("edited/inner", "a folder now\n")
    (place.project / "run").unlink()
    (place.project / "run").symlink_to("/etc/passwd")
    first = place("restore", "then", "--yes")
    assert first.returncode == 1
    assert "edited is left alone: a folder is in its place: --delete takes it away" in first.stderr
    assert (place.project / "run").read_text() == "run\n"
    assert (place.project / "sub" / "gone").read_text() == "gone\n"
    assert place("restore", "then", "--yes", "--delete").returncode == 0
    assert place.files() == before


def test_links_lead_nowhere_outside(place, tmp_path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "gone").write_text("precious\n")
    (place.project / "sub" / "gone").unlink()
    (place.project / "sub").rmdir()
    (place.project / "sub").symlink_to(outside)
    assert place("restore", "then", "--yes").returncode == 0
    assert (outside / "gone").read_text() == "precious\n"
    assert not (place.project / "sub").is_symlink()
    assert (place.project / "sub" / "gone").read_text() == "gone\n"


def test_what_is_captured_nowhere_is_not_lost(place) -> None:
    place.write("edited", "x" * 100)
    place.write(".gitignore", "edited\n")  # from here on it is ignored
    place.write("edited", "precious\n")
    restored = place("restore", "then", "edited", "--yes")
    assert "it is ignored at present" in restored.stderr
    assert (place.project / "edited").read_text() == "precious\n"


def test_it_asks_on_a_terminal_and_only_there(place) -> None:
    spoil(place)
    refused = place("restore", "then")
    assert refused.returncode == 1
    assert "no terminal" in refused.stderr
    assert (place.project / "edited").read_text() == "after\n"
    assert place("restore", "then", "--json").returncode == 2
    for answer, text, code in ((b"n\n", "after\n", 1), (b"y\n", "before\n", 0)):
        ours, theirs = pty.openpty()
        try:
            process = subprocess.Popen(
                [sys.executable, "-m", "lighthouse.cli.main", "restore", place.then],
                cwd=place.project,
                env=place.env,
                stdin=theirs,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            os.write(ours, answer)
            _, told = process.communicate(timeout=40)
        finally:
            os.close(ours)
            os.close(theirs)
        assert f"in {place.project} to {place.then} (version ".encode() in told
        assert process.returncode == code
        assert (place.project / "edited").read_text() == text


def test_the_project_is_found_and_nothing_else_is_taken_for_it(place, tmp_path) -> None:
    spoil(place)
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept0").write_text("of another project\n")
    outside = place("restore", "then", "--yes", cwd=other)
    assert (outside.returncode, "--project" in outside.stderr) == (1, True)
    wrong = place("restore", "then", "--yes", "--project", str(other))
    assert (wrong.returncode, "is not the project" in wrong.stderr) == (1, True)
    right = place("restore", "then", "--yes", "--project", str(place.project), cwd=other)
    assert right.returncode == 0, right.stderr
    assert (other / "kept0").read_text() == "of another project\n"
    assert (place.project / "edited").read_text() == "before\n"


def test_who_may_not_write_the_log_may_not_restore(place) -> None:
    spoil(place)
    place.env = place.bridge.environment("wanda", "observer")
    assert "403" in place("restore", "then", "--yes").stderr
    assert (place.project / "edited").read_text() == "after\n"


def test_what_is_not_there(place) -> None:
    assert "404" in place("restore", "nobody", "--yes").stderr


def test_names_of_any_bytes_and_large_contents(place) -> None:
    name = os.fsdecode(b"caf\xe9 \n")
    (place.project / name).write_bytes(b"\0\xff" * 10)
    large = os.urandom(9 * 1024 * 1024)
    (place.project / "large").write_bytes(large)
    assert place("snapshot", "odd").returncode == 0
    (place.project / name).write_bytes(b"other")
    (place.project / "large").unlink()
    place.env["LC_ALL"] = "C.UTF-8"
    assert place("restore", "odd", "--yes", "--json").returncode == 0
    assert (place.project / name).read_bytes() == b"\0\xff" * 10
    assert (place.project / "large").read_bytes() == large
