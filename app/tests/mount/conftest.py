"""A project, its log and shadow, and the mount over them, all real.

Whoever looks into the mount does so in another process or thread (`world.away`, `world.run`, `world.out`):
looking from the event loop that serves it would wait for itself for ever.
"""

import asyncio
import os
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from lighthouse.config import Settings
from lighthouse.events import Draft, Event, EventStore
from lighthouse.mount import Mount, mountpoint
from lighthouse.mount import mount as mount_module
from lighthouse.mount.probe import gives_inode
from lighthouse.shadow import Shadow

PATIENCE = 20


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that mount are skipped only where nobody can."""
    if Path("/dev/fuse").exists():
        return
    for item in items:
        if {"world", "handed_over"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.skip(reason="this machine has no /dev/fuse"))


@dataclass
class World:
    """Everything a test of the mount touches. Reported as owner: uid 0, gid 12345."""

    project: Path
    place: Path
    settings: Settings
    store: EventStore
    shadow: Shadow
    mount: Mount
    health: dict[str, Any] = field(default_factory=dict)

    @property
    def current(self) -> Path:
        """`current/` in the mount."""
        return self.place / "current"

    async def captured(self) -> None:
        """Return when the mount shows the project as it is now."""
        await self.shadow.scan()
        await self.mount.settle()

    async def append(self, *values: dict[str, Any]) -> list[Event]:
        """Store events of an agent."""
        return await self.store.append([Draft("note.added", value) for value in values], agent_id="ann")

    @staticmethod
    async def away(call: Callable[..., Any], *args: Any, patience: float = PATIENCE, **kwargs: Any) -> Any:
        """Run `call` in a thread."""
        return await asyncio.wait_for(asyncio.to_thread(call, *args, **kwargs), patience)

    @classmethod
    async def run(
        cls, *command: str | Path, cwd: Path | None = None, patience: float = PATIENCE, **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; output as text, bytes that are not UTF-8 kept as surrogates."""
        if cwd is not None:
            # The shell goes there, not a fork of this process on its way to being the program.
            command = ("sh", "-c", 'cd "$0" && exec "$@"', cwd, *command)
        done: subprocess.CompletedProcess[str] = await cls.away(
            subprocess.run,
            [str(part) for part in command],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=patience,
            patience=patience,
            check=False,
            **options,
        )
        return done

    @classmethod
    async def out(cls, *command: str | Path, **options: Any) -> str:
        """What a program that must succeed prints."""
        done = await cls.run(*command, **options)
        assert done.returncode == 0, done
        return done.stdout


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A small project."""
    root = tmp_path / "project"
    (root / "src" / "deep").mkdir(parents=True)
    (root / "README").write_text("a project\n")
    (root / "src" / "main.py").write_text("print('one')\n")
    (root / "src" / "deep" / "data").write_bytes(bytes(range(256)) * 1000)
    (root / "src" / "run").write_text("#!/bin/sh\necho ran\n")
    (root / "src" / "run").chmod(0o755)
    (root / "link").symlink_to("src/main.py")
    (root / "empty").touch()
    return root


@pytest.fixture
def way() -> str:
    """How files are opened; see WAYS in test_changes.py."""
    return "the best there is"


@pytest.fixture
async def world(
    project: Path, tmp_path: Path, keyring: Any, way: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[World]:
    """The project served at `tmp_path/mount`; the stream holds at most 16 KiB."""
    if way == "by handle":
        monkeypatch.setattr(mount_module, "gives_inode", lambda: False)
    elif way == "by inode" and not gives_inode():
        pytest.skip("this pyfuse3 is a stock one")
    # Others than the owner are to come as far as the mount itself.
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    # Tests block many threads at a time, and the mount needs one now and then.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(100))
    state = tmp_path / "state"
    settings = Settings(project_path=project, mount_uid=0, mount_gid=12345, max_file_bytes=1024 * 1024)
    store = EventStore.open(state, keyring)
    shadow = Shadow(project, state, store, settings)
    await shadow.start()
    health: dict[str, Any] = {"status": "ok"}
    mount = Mount(shadow, store, lambda: health, settings, stream_bound=16 * 1024)
    place = tmp_path / "mount"
    made = World(project, place, settings, store, shadow, mount, health)
    try:
        await mount.start(str(place))
        yield made
    finally:
        # A test may have put others in their place.
        await made.mount.stop()
        await made.shadow.close()
        await store.close()


@pytest.fixture
def handed_over() -> Iterator[Callable[..., int]]:
    """`handed_over(place, options)` mounts as the hand-over helper does; the open /dev/fuse.

    By fusermount3, which answers with the descriptor over a socket. Unmounted in the end, its maker's job.
    """
    places: list[Path] = []

    def mount(place: Path, options: str = "ro,nosuid,nodev,default_permissions") -> int:
        place.mkdir()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            subprocess.run(
                ["fusermount3", "-o", options, "--", str(place)],
                env={**os.environ, "_FUSE_COMMFD": str(theirs.fileno())},
                pass_fds=[theirs.fileno()],
                check=True,
                timeout=PATIENCE,
            )
            places.append(place)
            _, descriptors, _, _ = socket.recv_fds(ours, 1, 1)
        return descriptors[0]

    yield mount
    for place in places:
        mountpoint.detach(str(place))
