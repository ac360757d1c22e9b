"""One file under random operations reads as a model in memory, before and after everything is made anew."""

import asyncio
import sys
from pathlib import Path

import pytest

from tests.mount.proposals.test_tools import picture

FSX = Path(__file__).with_name("fsx.py")


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
async def test_random_operations_on_a_file(desk, seed: int) -> None:
    target = desk.here / "src" / "deep" / "data"
    await desk.out(sys.executable, FSX, target, str(seed), "700")
    before = await desk.away(target.read_bytes)
    await desk.restart()
    assert await desk.away(target.read_bytes) == before


@pytest.mark.soak
@pytest.mark.timeout(900)
async def test_many_random_operations_on_files_at_once(desk) -> None:
    for seed in range(100, 120):
        await desk.out(sys.executable, FSX, desk.here / f"file-{seed}", str(seed), "2500")


CHURN = """
import os, random, sys
rng = random.Random(sys.argv[1])
for folder in "12345678":
    os.makedirs(folder, exist_ok=True)
names = [f"{a}/{b}" for a in "12345678" for b in "uvwxyz"]
for _ in range(int(sys.argv[2])):
    one, other = rng.choice(names), rng.choice(names)
    try:
        match rng.randrange(6):
            case 0: open(one, "wb").write(rng.randbytes(rng.randrange(9000)))
            case 1: open(one, "ab").write(b"more")
            case 2: os.rename(one, other)
            case 3: os.unlink(one)
            case 4: os.chmod(one, rng.choice([0o644, 0o755]))
            case 5: os.listdir(os.path.dirname(other)); os.path.exists(one) and open(one, "rb").read()
    except (FileNotFoundError, FileExistsError):
        pass
"""


async def test_many_programs_at_once(desk, caplog) -> None:
    programs = [desk.out(sys.executable, "-c", CHURN, str(n), "150", cwd=desk.here) for n in range(1, 9)]
    files = [desk.out(sys.executable, FSX, desk.here / f"fsx-{n}", str(n), "100") for n in range(3)]
    await asyncio.gather(*programs, *files)
    assert "failed" not in caplog.text
    before = await desk.away(picture, desk.here)
    patch = await desk.away(desk.patch.read_bytes)
    await desk.restart()
    assert await desk.away(picture, desk.here) == before
    assert await desk.away(desk.patch.read_bytes) == patch
