"""Where a path leads."""

import pytest

from lighthouse.policy.places import PLACES, Roots, resolve
from tests.policy.conftest import PROJECT, Bench

ROOTS = Roots((PROJECT,))


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("src/a.py", "project"),
        ("/home/ann/shop/src", "project"),
        (".", "project_root"),
        ("src/..", "project_root"),
        (".git/config", "git"),
        ("sub/.git", "git"),
        ("node_modules/x", "generated"),
        (".claude/settings.json", "guard"),
        (".env", "secret"),
        (".env.local", "secret"),
        (".env.example", "project"),
        ("..", "home_root"),
        ("../other", "home"),
        ("~", "home_root"),
        ("~/.ssh/id_rsa", "secret"),
        ("~/.ssh/known_hosts", "home"),
        ("~/.bashrc", "startup"),
        ("~root/x", "home"),
        ("/", "root"),
        ("//", "root"),
        ("/etc/passwd", "system"),
        ("/etc/shadow", "secret"),
        ("/etc/cron.d/x", "startup"),
        ("/dev/sda", "device"),
        ("/dev/null", "null"),
        ("/tmp", "temp_root"),
        ("/tmp/x", "temp"),
        ("/tmp/../etc/passwd", "system"),
        ("/data/x", "other"),
        ("C:\\Windows", "system"),
        ("/var/lib/lighthouse/events", "guard"),
    ],
)
def test_a_path_has_its_place(path, kind) -> None:
    assert [place.kind for place in resolve(path, (PROJECT,), ROOTS)] == [kind]
    assert kind in PLACES


def test_a_link_leads_where_it_leads() -> None:
    links = {f"{PROJECT}/out": "/etc", f"{PROJECT}/in": "src", f"{PROJECT}/round": "round"}
    bench = Bench(links)
    assert bench.acts("cat out/passwd") == [("read", "system", "/etc/passwd")]
    assert bench.acts("cat in/a.py") == [("read", "project", f"{PROJECT}/src/a.py")]
    assert bench.decision("echo x > out/hosts") != "allow"
    assert bench.decision("cat round/x") == "escalate"


def test_a_change_of_folder_that_may_fail_keeps_both(bench: Bench) -> None:
    assert {path for _, _, path in bench.acts("cd /tmp/x; rm a")} == {"/tmp/x/a", f"{PROJECT}/a"}
    assert {path for _, _, path in bench.acts("cd /tmp/x && rm a")} == {"/tmp/x/a"}
    assert {path for _, _, path in bench.acts("cd /tmp/x || exit 1; rm a")} == {"/tmp/x/a"}
    assert {path for _, _, path in bench.acts("(cd /tmp/x && ls); rm a")} >= {f"{PROJECT}/a"}
