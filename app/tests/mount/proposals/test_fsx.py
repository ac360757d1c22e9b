"""One file under random operations reads as a model in memory, before and after everything is made anew."""

import sys
from pathlib import Path

import pytest

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
        await desk.out(sys.executable, FSX, desk.here / f"file-{seed}", str(seed), "5000")
