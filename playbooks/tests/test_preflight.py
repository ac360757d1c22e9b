"""What preflight reads and computes, on this host's own tables and on made-up ones."""

import os
import re
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

MODULE = "roles/preflight/library/lighthouse_preflight.py"
RANGES = st.lists(st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 2**32 - 1)), max_size=20)


@pytest.fixture(scope="module")
def preflight(load: Callable[[str], ModuleType]) -> ModuleType:
    return load(MODULE)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1:5.4.2+ds1-2", (5, 4, 2)),
        ("5.3.0-1ubuntu2", (5, 3, 0)),
        ("6.12.43+deb13-cloud-amd64", (6, 12, 43)),
        ("13", (13,)),
        ("25.04", (25, 4)),
        ("", ()),
    ],
)
def test_versions_become_numbers(preflight: ModuleType, version: str, expected: tuple[int, ...]) -> None:
    assert preflight.numbers(version) == expected


def test_an_older_podman_is_less(preflight: ModuleType) -> None:
    assert preflight.numbers("4.9.3+ds1-1") < preflight.numbers("5.3") <= preflight.numbers("5.3.0-1")
    assert preflight.numbers("5.10.0") > preflight.numbers("5.3")


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("podman:\n  Installed: (none)\n  Candidate: 5.4.2+ds1-2\n  Version table:\n", "5.4.2+ds1-2"),
        ("podman:\n  Installed: (none)\n  Candidate: (none)\n", ""),
        ("", ""),
    ],
)
def test_the_archive_s_candidate_is_found(preflight: ModuleType, policy: str, expected: str) -> None:
    assert preflight.candidate(policy) == expected


def test_subordinate_ranges_are_read_and_what_is_no_range_is_left_out(preflight: ModuleType, tmp_path: Path) -> None:
    table = tmp_path / "subuid"
    table.write_text("ann:100000:65536\n# a comment:1:2\n\nbob:165536:65536\nbroken:x:1\n1000:231072:65536\n")
    assert preflight.subordinate_ranges(table) == [
        ("ann", 100000, 65536),
        ("bob", 165536, 65536),
        ("1000", 231072, 65536),
    ]
    assert preflight.subordinate_ranges(tmp_path / "missing") == []


@given(taken=RANGES)
def test_a_free_range_touches_nobody_s(preflight: ModuleType, taken: list[tuple[int, int]]) -> None:
    wanted = preflight.SUBORDINATE_IDS
    start = preflight.free_range(taken)
    if start is not None:
        assert start >= 100000
        assert start + wanted <= preflight.LAST_ID
        assert all(start + wanted <= low or low + count <= start for low, count in taken)


@given(taken=RANGES)
def test_no_free_range_below_the_one_found(preflight: ModuleType, taken: list[tuple[int, int]]) -> None:
    """The lowest is found: every lower start would touch a range that ends after it."""
    wanted = preflight.SUBORDINATE_IDS
    start = preflight.free_range(taken)
    ends = {100000} | {low + count for low, count in taken if low + count > 100000}
    fits = [
        end
        for end in ends
        if end + wanted <= preflight.LAST_ID and all(end + wanted <= low or low + count <= end for low, count in taken)
    ]
    assert start == min(fits, default=None)


def test_a_host_whose_ids_are_used_up_has_no_range(preflight: ModuleType) -> None:
    assert preflight.free_range([(100000, 4294867295)]) is None
    assert preflight.free_range([]) == 100000
    assert preflight.free_range([(100000, 65536), (165536, 65536)]) == 231072


@pytest.mark.parametrize(("family", "address"), [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_a_listening_socket_is_seen_with_its_owner(preflight: ModuleType, family: int, address: str) -> None:
    with socket.socket(family, socket.SOCK_STREAM) as sock:
        try:
            sock.bind((address, 0))
        except OSError as error:
            pytest.skip(f"no {address} on this host: {error}")
        port = sock.getsockname()[1]
        kind = "IPv6" if family == socket.AF_INET6 else "IPv4"
        assert (os.getuid(), kind) not in list(preflight.listeners(port))
        sock.listen()
        assert (os.getuid(), kind) in list(preflight.listeners(port))


def test_a_folder_that_is_not_there_takes_no_idmapped_mount_and_the_reason_is_one_line(
    preflight: ModuleType, tmp_path: Path
) -> None:
    problem = preflight.idmapping_problem(tmp_path / "missing")
    assert problem
    assert "\n" not in problem


@pytest.mark.parametrize(("where", "works"), [("folder", True), ("/proc", False)])
def test_an_idmapped_mount_is_tried_for_real(preflight: ModuleType, tmp_path: Path, where: str, works: bool) -> None:
    if os.getuid() != 0:
        pytest.skip("an id-mapped mount takes root")
    said = subprocess.run(["mount", "--version"], capture_output=True, text=True, check=True).stdout
    if preflight.numbers(re.search(r"util-linux ([\d.]+)", said)[1]) < (2, 39):
        pytest.skip(f"X-mount.idmap came with util-linux 2.39, this is {said.strip()}")
    (tmp_path / "folder").mkdir()
    problem = preflight.idmapping_problem(tmp_path / where)
    assert (problem == "") is works
    mounts = Path("/proc/self/mountinfo").read_text()
    assert str(tmp_path) not in mounts


def test_every_obstacle_is_told_at_once_with_what_why_and_remedy(call: Callable[..., dict]) -> None:
    answer = call(
        MODULE,
        user="lighthouse-nobody",
        project_path="/nowhere/project",
        listen="192.0.2.1:1",
        mount_points=["/usr/project", "/usr/proposals"],
        state_path="/var/lib/nowhere/deeper",
        free_megabytes=2**40,
        architecture="pdp11",
    )
    assert answer["failed"] is True
    assert {"project", "mount_points", "disk", "port", "architecture"} <= {
        problem["check"] for problem in answer["problems"]
    }
    assert {problem["check"] for problem in answer["problems"]} <= set(answer["checks"])
    for problem in answer["problems"]:
        assert all(problem[part] and "\n" not in problem[part] for part in ("what", "why", "remedy"))
        assert f"{problem['what']}. Why it matters: {problem['why']}. What to do: {problem['remedy']}." in answer["msg"]
    assert answer["subordinate_ids"]["assigned"] is False


@pytest.mark.parametrize(
    "listen", ["192.0.2.1:8765", "0.0.0.0:8765", "[::]:8765", "127.0.0.1", "8765", "", "127.0.0.1:x"]
)
def test_an_address_that_is_no_port_on_the_loopback_is_told(preflight: ModuleType, listen: str) -> None:
    host = preflight.Host(SimpleNamespace(params={"listen": listen, "user": "lighthouse"}))
    ((what, why, _),) = host.check_port()
    assert listen in what
    assert "in the clear" in why


def test_a_taken_port_is_told_with_its_owner(preflight: ModuleType) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        sock.listen()
        port = sock.getsockname()[1]
        host = preflight.Host(SimpleNamespace(params={"listen": f"127.0.0.1:{port}", "user": "no-such-user-here"}))
        ((what, _, remedy),) = host.check_port()
    assert what == f"port {port} is taken on IPv4 by a process of uid {os.getuid()}"
    assert f":{port}" in remedy


def test_ids_that_are_assigned_are_not_given_again(
    preflight: ModuleType, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tables = {"/etc/subuid": "lighthouse:200000:65536\n", "/etc/subgid": "lighthouse:200000:65536\nann:100000:65536\n"}
    for path, text in tables.items():
        (tmp_path / Path(path).name).write_text(text)
    original: Callable[[object], list[tuple[str, int, int]]] = preflight.subordinate_ranges
    monkeypatch.setattr(preflight, "subordinate_ranges", lambda path: original(tmp_path / Path(path).name))

    def found(user: str) -> dict:
        return preflight.Host(SimpleNamespace(params={"user": user})).subordinate_ids()

    assert found("lighthouse") == {"assigned": True, "start": 265536, "end": 331071}
    assert found("ann")["assigned"] is False


@pytest.mark.parametrize(
    ("points", "problem"),
    [
        (("own/project", "own/proposals"), None),
        (("new/project", "new/proposals"), None),
        (("own/project", "new/proposals"), "are no siblings"),
        (("own/project", "own/project"), "are no siblings"),
        (("project", "proposals"), "holds 'own' besides"),
    ],
)
def test_the_mounts_are_siblings_in_a_folder_of_their_own(
    preflight: ModuleType, tmp_path: Path, points: tuple[str, str], problem: str | None
) -> None:
    for name in ("project", "proposals"):
        (tmp_path / "own" / name).mkdir(parents=True)
    host = preflight.Host(SimpleNamespace(params={"mount_points": [str(tmp_path / point) for point in points]}))
    told = list(host.check_mount_points())
    assert len(told) == (0 if problem is None else 1)
    assert problem is None or problem in told[0][0]


def test_the_project_has_the_names_agents_may_call_it_by_and_its_owner_s_home(
    preflight: ModuleType, tmp_path: Path
) -> None:
    folder, link = tmp_path / "shop", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)

    def project(path: object) -> dict:
        return preflight.Host(SimpleNamespace(params={"project_path": str(path)})).project()

    assert project(f"{link}/") == {"names": [str(link), str(folder)], "home": str(Path.home())}
    assert project(folder)["names"] == [str(folder)]
    assert project(tmp_path / "missing")["home"] == ""
