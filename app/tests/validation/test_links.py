"""Links of the project are read, name by name, and never followed; what cannot be seen is not understood."""

import os
from pathlib import Path

import pytest

from lighthouse.config import Settings
from lighthouse.policy.shell.grammar import NotUnderstood
from lighthouse.validation.judging import host_roots
from lighthouse.validation.links import ProjectLinks

HOST = "/home/ann/shop"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    (folder / "src" / "deep").mkdir(parents=True)
    (folder / "src" / "main.py").touch()
    (folder / "src" / "deep" / "up").symlink_to("../..")
    (folder / "away").symlink_to("/etc")
    return folder


@pytest.fixture
def links(project: Path) -> ProjectLinks:
    return ProjectLinks(project, (HOST, str(project)))


def test_links_and_what_is_none(links: ProjectLinks, project: Path) -> None:
    with links:
        assert links.read(f"{HOST}/away") == "/etc"
        assert links.read(f"{project}/away") == "/etc"
        assert links.read(f"{HOST}/src/deep/up") == "../.."
        for none in ("src", "src/main.py", "src/main.py/x", "nowhere", "nowhere/at/all", "a\0b", "n" * 300):
            assert links.read(f"{HOST}/{none}") is None
        assert links.read("/etc/mtab") is None  # outside of the project


def test_a_link_on_the_way_is_not_followed(links: ProjectLinks) -> None:
    with links:
        assert links.read(f"{HOST}/away/mtab") is None
        assert links.read(f"{HOST}/src/deep/up/away") is None


def test_nothing_stays_open(links: ProjectLinks) -> None:
    before = sum(1 for _ in Path("/proc/self/fd").iterdir())
    for _ in range(20):
        with links:
            links.read(f"{HOST}/src/deep/up")
            links.read(f"{HOST}/nowhere/up")
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == before


def test_what_changes_is_seen_anew(links: ProjectLinks, project: Path) -> None:
    with links:
        assert links.read(f"{HOST}/src/new") is None
    (project / "src" / "new").symlink_to("main.py")
    with links:
        assert links.read(f"{HOST}/src/new") == "main.py"


def test_a_project_that_is_away_is_not_understood(tmp_path: Path) -> None:
    with (
        ProjectLinks(tmp_path / "away", (HOST,)) as links,
        pytest.raises(NotUnderstood, match="cannot be seen"),
    ):
        links.read(f"{HOST}/src")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may look everywhere")
def test_a_folder_that_is_closed_is_not_understood(links: ProjectLinks, project: Path) -> None:
    (project / "src").chmod(0)
    try:
        with links, pytest.raises(NotUnderstood, match="cannot be seen"):
            links.read(f"{HOST}/src/main.py")
    finally:
        (project / "src").chmod(0o755)


def test_what_the_host_calls_the_project(tmp_path: Path, project: Path) -> None:
    roots = {HOST + "/": str(project), "/srv/other": "/elsewhere"}
    settings = Settings(project_path=project, roots=roots)
    assert host_roots(settings) == (HOST, str(project))
    other = tmp_path / "link"
    other.symlink_to(project)
    assert host_roots(Settings(project_path=other)) == (str(other), str(project))
