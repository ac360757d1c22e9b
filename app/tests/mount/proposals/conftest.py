"""Proposals on a mount of their own, all real; whoever works in it does so in another process or thread."""

import asyncio
import subprocess
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from lighthouse.config import Settings
from lighthouse.events import Event, EventStore, Query
from lighthouse.mount.proposal_mount import ProposalMount
from lighthouse.proposals import Proposals
from lighthouse.shadow import Shadow

PATIENCE = 55


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests that mount are skipped only where nobody can."""
    if Path("/dev/fuse").exists():
        return
    for item in items:
        if "desk" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.skip(reason="this machine has no /dev/fuse"))


@dataclass
class Desk:
    """Everything a test touches; `here` is the folder of the proposal `draft`."""

    project: Path
    place: Path
    settings: Settings
    store: EventStore
    shadow: Shadow
    proposals: Proposals
    mount: ProposalMount

    @property
    def here(self) -> Path:
        return self.place / "draft"

    @property
    def patch(self) -> Path:
        return self.place / "draft.patch"

    async def events(self, kind: str = "proposal.*") -> list[Event]:
        """What the log tells of proposals."""
        return (await self.store.query(Query(type=kind, limit=1000))).events

    async def changed(self) -> list[dict[str, Any]]:
        """The edits that the log tells of, in their order."""
        return [edit for event in await self.events("proposal.changed") for edit in event.value["edits"]]

    @staticmethod
    async def away(call: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        """Run `call` in a thread."""
        return await asyncio.wait_for(asyncio.to_thread(call, *args, **kwargs), PATIENCE)

    @classmethod
    async def run(cls, *command: str | Path, cwd: Path | None = None, **options: Any) -> Any:
        """Run a program to its end."""
        if cwd is not None:
            command = ("sh", "-c", 'cd "$0" && exec "$@"', cwd, *command)
        return await cls.away(
            subprocess.run,
            [str(part) for part in command],
            capture_output=True,
            encoding="utf-8",
            errors="surrogateescape",
            timeout=PATIENCE,
            check=False,
            **options,
        )

    @classmethod
    async def out(cls, *command: str | Path, **options: Any) -> str:
        """What a program that must succeed prints."""
        done = await cls.run(*command, **options)
        assert done.returncode == 0, done
        output: str = done.stdout
        return output

    async def restart(self) -> None:
        """Everything but the log and the shadow anew, as after a crash."""
        await self.mount.stop()
        await self.proposals.close()
        self.proposals = Proposals(self.shadow, self.store, self.settings)
        await self.proposals.start()
        self.mount = ProposalMount(self.proposals, self.shadow, self.settings)
        await self.mount.start(str(self.place))


@pytest.fixture
def quota() -> dict[str, int]:
    """Settings of the proposals, for a test to override."""
    return {}


@pytest.fixture
async def desk(project: Path, tmp_path: Path, keyring: Any, quota: dict[str, int]) -> AsyncIterator[Desk]:
    """The proposals of `project`, served at `tmp_path/mount`, with one called `draft`."""
    # Tests block many threads at a time, and the mount needs one now and then.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(100))
    state = tmp_path / "state"
    settings = Settings(project_path=project, max_file_bytes=1024 * 1024, **quota)
    store = EventStore.open(state, keyring)
    shadow = Shadow(project, state, store, settings)
    await shadow.start()
    proposals = Proposals(shadow, store, settings)
    await proposals.start()
    await proposals.create("draft", agent="ann")
    mount = ProposalMount(proposals, shadow, settings)
    place = tmp_path / "mount"
    desk = Desk(project, place, settings, store, shadow, proposals, mount)
    try:
        await mount.start(str(place))
        yield desk
    finally:
        await desk.mount.stop()
        await desk.proposals.close()
        await shadow.close()
        await store.close()
