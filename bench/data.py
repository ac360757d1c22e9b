"""The tree that everything is measured on: wheels of public packages, unpacked, plus variants of their files.

All of them are pure Python, so the tree is the same on every machine. It is made once and kept in the cache.
"""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench.report import Data

LOCK = Path(__file__).with_name("data.lock")
CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lighthouse" / "bench"
FILES = 10_000
"""The packages hold some 9,400 files; variants fill them up to this."""
VARIED = 40 * 1024
"""Only files up to this size are varied: the tree shall become larger by files, not by bytes."""
QUICK = ("pygments", "networkx")
QUICK_FILES = 1_000


def prepare(*, quick: bool) -> Path:
    """The tree, made if it is not there yet; the packages come through pip, and must have the hashes of the lock."""
    wanted = _locked(QUICK if quick else None)
    files = QUICK_FILES if quick else FILES
    recipe = hashlib.sha256("\n".join([*wanted, str(files)]).encode()).hexdigest()[:16]
    tree = CACHE / f"tree-{recipe}"
    if not tree.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=CACHE) as made:
            _unpack(_download(wanted, Path(made)), Path(made) / "tree")
            vary(Path(made) / "tree", files)
            (Path(made) / "tree").rename(tree)
    return tree


def describe(tree: Path) -> Data:
    """Count the tree."""
    sizes = [path.stat().st_size for path in walk(tree)]
    packages = [line.split()[0] for line in _locked(None) if (tree / line.partition("==")[0]).exists()]
    return Data(packages, len(sizes), sum(sizes))


def walk(tree: Path) -> Iterator[Path]:
    """Every file, in an order that is the same everywhere."""
    for folder, folders, names in os.walk(tree):
        folders.sort()
        for name in sorted(names):
            yield Path(folder, name)


def vary(tree: Path, files: int) -> None:
    """Add variants of small files, each with a last line of its own, until the tree holds `files`."""
    there = list(walk(tree))
    small = [path for path in there if path.stat().st_size <= VARIED]
    folder = tree / "variants"
    for number in range(max(0, files - len(there))):
        source = small[number * 7 % len(small)]
        place = folder / f"{number // 50:02}"
        place.mkdir(parents=True, exist_ok=True)
        variant = place / f"{number:04}-{source.name}"
        variant.write_bytes(source.read_bytes() + f"\nvariant {number}\n".encode())


def copy(tree: Path, target: Path) -> Path:
    """A copy to write into, without reading the files where the file system can share their blocks."""
    subprocess.run(["cp", "--archive", "--reflink=auto", str(tree), str(target)], check=True)
    return target


def _locked(names: Iterable[str] | None) -> list[str]:
    lines = LOCK.read_text().splitlines()
    return [line for line in lines if names is None or line.partition("==")[0] in names]


def _download(wanted: list[str], folder: Path) -> list[Path]:
    lock, wheels = folder / "lock", folder / "wheels"
    lock.write_text("\n".join(wanted) + "\n")
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    exact = ["--require-hashes", "--only-binary", ":all:", "--requirement", str(lock), "--dest", str(wheels)]
    subprocess.run([*pip, *exact], check=True)
    return sorted(wheels.iterdir())


def _unpack(wheels: list[Path], tree: Path) -> None:
    for wheel in wheels:
        place = tree / wheel.name.partition("-")[0].replace("_", "-")
        with zipfile.ZipFile(wheel) as archive:
            archive.extractall(place)
        shutil.rmtree(place / "__pycache__", ignore_errors=True)
