"""The walls: read from /proc as the kernel writes it, and judged all or nothing where they are required."""

from pathlib import Path

import msgspec
import pytest

from lighthouse.bridge.confinement import judge, observe
from lighthouse.bridge.schemas import Confinement

CONFINED = {
    "status": "Name:\tpython3\nCapEff:\t0000000000000000\nNoNewPrivs:\t1\nSeccomp:\t2\n",
    "attr/current": "lighthouse-bridge (enforce)\n",
    "uid_map": "         0     100000       1000\n      1000          0          1\n",
    "mounts": "overlay / overlay ro,relatime 0 0\nproc /proc proc rw 0 0\n",
    "net/dev": "Inter-|   Receive\n face |bytes    packets\n    lo:       0       0\n",
}
BARE = {
    "status": "Name:\tpython3\nCapEff:\t000001ffffffffff\nNoNewPrivs:\t0\nSeccomp:\t0\n",
    "attr/current": "unconfined\n",
    "uid_map": "         0          0 4294967295\n",
    "mounts": "/dev/vda / ext4 rw,relatime 0 0\n",
}


def proc(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_a_confined_process_is_seen_as_one(tmp_path: Path) -> None:
    seen = observe(proc(tmp_path, CONFINED))
    assert (seen.label, seen.enforced) == ("lighthouse-bridge (enforce)", True)
    assert seen.cap_eff == "0000000000000000"
    assert (seen.no_new_privs, seen.seccomp, seen.user_namespace, seen.read_only_root) == (True,) * 4
    assert seen.interfaces == ["lo"]
    assert judge(seen, required=True).status == "ok"


def test_a_bare_process_is_ok_unless_confinement_is_required(tmp_path: Path) -> None:
    seen = observe(proc(tmp_path, BARE))
    assert not any((seen.enforced, seen.no_new_privs, seen.seccomp, seen.user_namespace, seen.read_only_root))
    allowed, refused = judge(seen, required=False), judge(seen, required=True)
    assert allowed.status == "ok"
    assert allowed.detail.startswith("unconfined")
    assert refused.status == "failed"


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"enforced": False}, "AppArmor"),
        ({"cap_eff": "0000000000000001"}, "capabilities"),
        ({"cap_eff": "unknown"}, "capabilities"),
        ({"no_new_privs": False}, "no-new-privileges"),
        ({"user_namespace": False}, "user namespace"),
    ],
)
def test_each_wall_that_is_missing_is_named(tmp_path: Path, change: dict[str, object], named: str) -> None:
    seen = msgspec.structs.replace(observe(proc(tmp_path, CONFINED)), **change)
    judged = judge(seen, required=True)
    assert judged.status == "failed"
    assert named in judged.detail


def test_where_proc_tells_nothing_no_wall_counts(tmp_path: Path) -> None:
    seen = observe(tmp_path)
    assert judge(seen, required=True).status == "failed"
    assert seen.label is None


def test_this_process_can_be_looked_at() -> None:
    assert isinstance(observe(), Confinement)
