"""Health tells the truth: things are broken for real, and it says so, and says when they are mended."""

import asyncio
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from lighthouse.bridge import health
from lighthouse.bridge.schemas import Component
from tests.bridge.conftest import Api, Start
from tests.conftest import WaitFor

needs_fuse = pytest.mark.skipif(
    not os.access("/dev/fuse", os.R_OK | os.W_OK) or shutil.which("fusermount3") is None,
    reason="needs /dev/fuse and fusermount3",
)


@pytest.fixture(autouse=True)
def always_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)


@contextmanager
def mounted(place: Path, kind: str, *options: str) -> Iterator[Path]:
    place.mkdir()
    done = subprocess.run(
        ["mount", "-t", kind, *options, kind, str(place)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        pytest.skip(f"{kind} cannot be mounted here: {done.stderr.strip()}")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 12 MiB for the state."""
    with mounted(tmp_path / "disk", "tmpfs", "-o", "size=12m") as place:
        yield place


@pytest.fixture
def connections(tmp_path: Path) -> Iterator[Path]:
    """The kernel's folder of FUSE connections."""
    with mounted(tmp_path / "connections", "fusectl") as place:
        yield place


async def component(api: Api, name: str) -> Component:
    answer = await api.get("/health")
    parts = answer.json()["components"]
    assert answer.status == (503 if any(part["status"] == "failed" for part in parts.values()) else 200)
    return Component(**parts[name])


async def test_a_full_disk_is_told_before_and_after_somebody_wants_to_write(
    start: Start, small_disk: Path
) -> None:
    api = await start(event_store=small_disk / "events")
    assert (await component(api, "event_store")).status == "ok"
    filler = small_disk / "filler"
    with filler.open("wb") as file:
        try:
            while True:
                file.write(b"\0" * 65536)
                file.flush()
        except OSError:
            pass
    told = await component(api, "event_store")
    assert told.status == "failed"
    assert "no room" in told.detail
    body = {"type": "note.added", "data": {"x": "x" * 200_000}}
    (await api.post("/event/store", body)).problem(507)
    filler.unlink()
    # The bridge appends by itself to find out whether it can again, and says that it could.
    assert (await component(api, "event_store")).status == "ok"
    assert (await api.post("/event/store", body)).status == 200


async def test_a_store_whose_file_is_gone_is_told(api: Api) -> None:
    folder = api.bridge.store.folder
    (folder / "events.db").rename(folder / "moved")
    told = await component(api, "event_store")
    assert told.status == "failed"
    assert "gone" in told.detail
    (folder / "moved").rename(folder / "events.db")
    assert (await component(api, "event_store")).status == "ok"


async def test_a_store_replaced_by_another_file_is_told(api: Api) -> None:
    folder = api.bridge.store.folder
    shutil.copy(folder / "events.db", folder / "copy")
    (folder / "events.db").rename(folder / "moved")
    (folder / "copy").rename(folder / "events.db")
    assert (await component(api, "event_store")).status == "failed"
    (folder / "moved").rename(folder / "events.db")


async def test_a_store_whose_folder_is_gone_is_told(api: Api) -> None:
    folder = api.bridge.store.folder
    folder.rename(folder.with_name("away"))
    assert (await component(api, "event_store")).status == "failed"
    folder.with_name("away").rename(folder)


async def test_a_project_that_is_away_is_told_and_comes_back(
    api: Api, project: Path, wait_for: WaitFor
) -> None:
    project.rename(project.with_name("away"))

    async def is_told() -> bool:
        return (await component(api, "watcher")).status == "failed"

    async def is_back() -> bool:
        return (await component(api, "watcher")).status == "ok"

    await wait_for(is_told, timeout=30)
    assert (await api.get("/shadow/read/README.md")).body == b"# Harbour\n"
    project.with_name("away").rename(project)
    await wait_for(is_back, timeout=30)


async def test_confinement_that_is_required_and_missing_is_told(start: Start) -> None:
    api = await start(require_confinement=True)
    seen = (await api.get("/status")).json()["confinement"]
    told = await component(api, "confinement")
    walls = (seen["enforced"], seen["no_new_privs"], seen["user_namespace"], set(seen["cap_eff"]) == {"0"})
    assert told.status == ("ok" if all(walls) else "failed")


async def test_many_who_ask_at_once_are_one_question(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 60.0)
    first = await api.bridge.health()
    assert all(one is first for one in await asyncio.gather(*(api.bridge.health() for _ in range(50))))


@needs_fuse
async def test_a_mount_that_was_unmounted_from_outside_is_told(
    start: Start, tmp_path: Path, wait_for: WaitFor
) -> None:
    place = tmp_path / "mount"
    api = await start(mount=True, mount_point=place, proposals_mount_point=tmp_path / "mount.proposals")
    assert (await component(api, "mount")).status == "ok"
    listing = await asyncio.to_thread(os.listdir, place / "current")
    assert sorted(listing) == ["README.md", "src"]
    subprocess.run(["fusermount3", "-u", "-z", str(place)], check=True)

    async def is_told() -> bool:
        return (await component(api, "mount")).status == "failed"

    await wait_for(is_told)
    status = (await api.get("/status")).json()
    assert (status["status"], status["mount"]["alive"]) == ("failed", False)
    assert status["summary"].startswith("failed: mount")


@needs_fuse
async def test_a_connection_that_was_aborted_is_told(
    start: Start, connections: Path, tmp_path: Path, wait_for: WaitFor
) -> None:
    place = tmp_path / "mount"
    api = await start(mount=True, mount_point=place, proposals_mount_point=tmp_path / "mount.proposals")
    number = os.minor((await asyncio.to_thread(os.stat, place)).st_dev)
    (connections / str(number) / "abort").write_text("1")

    async def is_told() -> bool:
        return (await component(api, "mount")).status == "failed"

    await wait_for(is_told)


@needs_fuse
async def test_a_dead_mount_of_the_proposals_is_told(start: Start, tmp_path: Path, wait_for: WaitFor) -> None:
    place = tmp_path / "mount.proposals"
    api = await start(mount=True, mount_point=tmp_path / "mount", proposals_mount_point=place)
    told = await component(api, "mount")
    assert told.status == "ok"
    assert str(place) in told.detail
    subprocess.run(["fusermount3", "-u", "-z", str(place)], check=True)

    async def is_told() -> bool:
        return (await component(api, "mount")).status == "failed"

    await wait_for(is_told)
    assert "proposals" in (await component(api, "mount")).detail


@needs_fuse
async def test_the_mounts_own_health_file_says_the_same(start: Start, tmp_path: Path) -> None:
    place = tmp_path / "mount"
    api = await start(mount=True, mount_point=place, proposals_mount_point=tmp_path / "mount.proposals")
    told = (await api.get("/health")).json()
    text = await asyncio.to_thread((place / "debug" / "health.json").read_text)
    assert json.loads(text)["status"] == told["status"] == "ok"


async def test_policies_that_take_long_to_load_are_starting(
    start: Start, tmp_path: Path, wait_for: WaitFor
) -> None:
    policies = tmp_path / "policies"
    policies.mkdir()
    slow = policies / "10-allow.cedar"
    os.mkfifo(slow)
    api = await start(parts=False, policies=policies)
    beginning = asyncio.create_task(api.bridge.start())
    writers: list[int] = []

    def is_being_read() -> bool:
        with suppress(OSError):
            writers.append(os.open(slow, os.O_WRONLY | os.O_NONBLOCK))
        return bool(writers)

    await wait_for(is_being_read)
    policy = tmp_path / "policy"
    policy.write_text('@id("look")\npermit (principal, action == Action::"read", resource);\n')
    policy.rename(slow)  # for the next look; this one reads what is written into the pipe
    try:
        told = (await api.get("/health")).json()
        status = (await api.get("/status")).status
    finally:
        os.write(writers[0], slow.read_bytes())
        os.close(writers[0])
    assert (told["status"], told["components"]["policy"]["status"], status) == ("starting", "starting", 200)
    await beginning
    assert (await component(api, "policy")).status == "ok"
