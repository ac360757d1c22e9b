"""Our wheel of pyfuse3: what is built is what the lock names, and it holds the package twice."""

import re
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def program(load: Callable[[str], ModuleType]) -> ModuleType:
    return load("app/pyfuse3/build-wheel")


def test_the_source_is_pinned_by_its_hash(program: ModuleType) -> None:
    assert re.fullmatch(r"pyfuse3==[\d.]+ \\\n    --hash=sha256:[0-9a-f]{64}\n", program.locked())


def test_the_wheel_holds_the_package_twice_and_no_sources(program: ModuleType, tmp_path: Path) -> None:
    built, folder = tmp_path / "pyfuse3-1.0-py3-none-any.whl", tmp_path / "out"
    folder.mkdir()
    info = "pyfuse3-1.0.dist-info"
    content = {
        "pyfuse3/__init__.py": "name = __name__\n",
        "pyfuse3/py.typed": "",
        "pyfuse3/handlers.pxi": "source",
        "pyfuse3/__init__.c": "source",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: pyfuse3\nVersion: 1.0\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
    }
    with zipfile.ZipFile(built, "w") as wheel:
        for name, text in content.items():
            wheel.writestr(name, text)
    wheel = program.twinned(built, folder)
    target = tmp_path / "installed"
    # pip refuses a wheel whose RECORD and files do not agree.
    install = ["install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", *install, wheel], check=True, timeout=60)
    installed = {str(path.relative_to(target)) for path in target.rglob("*") if path.suffix in {".py", ".typed", ".c"}}
    names = {"pyfuse3/__init__.py", "pyfuse3/py.typed"}
    assert installed == names | {f"pyfuse3_twin/{name}" for name in names}
    record = (target / info / "RECORD").read_text()
    assert all(f"{name}," in record for name in installed)


def test_every_patch_says_what_it_is_for() -> None:
    patches = sorted((ROOT / "app/pyfuse3").glob("*.patch"))
    assert patches
    for patch in patches:
        assert re.match(r"Subject: .+\n\n(.+\n)+", patch.read_text()), patch.name
