"""The lighthouse command out of the image's archive: every part checked by its digest, nothing but plain files."""

import hashlib
import io
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

MODULE = "roles/image/library/lighthouse_command.py"
HOOK = b"def main():\n    print('hook')\n    return 2\n"
CLI = b"def main():\n    print('hello from the image')\n    return 3\n"
PREFIX = "opt/lighthouse/lib/"


def layer(*members: tuple[tarfile.TarInfo, bytes]) -> bytes:
    spool = io.BytesIO()
    with tarfile.open(fileobj=spool, mode="w:gz") as tar:
        for info, content in members:
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    return spool.getvalue()


def member(name: str, content: bytes = b"", **attributes: object) -> tuple[tarfile.TarInfo, bytes]:
    info = tarfile.TarInfo(name)
    for attribute, value in attributes.items():
        setattr(info, attribute, value)
    return info, content


def package() -> list[tuple[tarfile.TarInfo, bytes]]:
    names = ["lighthouse/__init__.py", "lighthouse/cli/__init__.py"]
    return [
        *(member(PREFIX + name) for name in names),
        member(PREFIX + "lighthouse/cli/main.py", CLI, mode=0o4777, uid=1234, gid=1234),
        member(PREFIX + "lighthouse/hook.py", HOOK),
    ]


def archive(path: Path, *layers: bytes, altered: bool = False) -> str:
    """Write an OCI archive of these layers; its manifest's digest."""
    blobs = {hashlib.sha256(data).hexdigest(): data for data in layers}
    manifest = json.dumps({"layers": [{"digest": f"sha256:{digest}"} for digest in blobs]}).encode()
    digest = hashlib.sha256(manifest).hexdigest()
    if altered:
        blobs = {name: data + b"x" for name, data in blobs.items()}
    with tarfile.open(path, "w") as tar:
        for name, data in {**blobs, digest: manifest}.items():
            info = tarfile.TarInfo(f"blobs/sha256/{name}")
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return f"sha256:{digest}"


@pytest.fixture
def install(call: Callable[..., dict], tmp_path: Path) -> Callable[..., dict]:
    if os.getuid() != 0:
        pytest.skip("the packages become root's")
    (tmp_path / "bin").mkdir()

    def run(digest: str, **options: object) -> dict:
        places = {"library": str(tmp_path / "lib"), "command": str(tmp_path / "bin/lighthouse")}
        return call(MODULE, digest=digest, **places, **options)

    return run


def test_the_command_runs_from_the_archive_s_packages(install: Callable[..., dict], tmp_path: Path) -> None:
    digest = archive(tmp_path / "image.tar", layer(member("etc/passwd", b"x")), layer(*package()))
    assert install(digest)["present"] is False
    assert install(digest, archive=str(tmp_path / "image.tar"), check_mode=True)["changed"] is True
    assert not (tmp_path / "lib").exists()

    made = install(digest, archive=str(tmp_path / "image.tar"))
    assert (made["changed"], made["present"]) == (True, True)
    done = subprocess.run([tmp_path / "bin/lighthouse"], capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (3, "hello from the image\n")
    command = [tmp_path / "bin/lighthouse", "hook"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "hook\n")
    assert install(digest) == {**install(digest), "changed": False, "present": True}
    assert install(digest, archive=str(tmp_path / "image.tar"))["changed"] is False

    library = Path(made["library"])
    main = library / "lighthouse/cli/main.py"
    assert (main.stat().st_uid, main.stat().st_mode & 0o7777) == (0, 0o644)
    assert library.stat().st_mode & 0o7777 == 0o755
    assert [path.name for path in library.parent.iterdir()] == [library.name]
    assert not list(library.rglob("passwd"))


def test_an_altered_archive_is_refused_and_changes_nothing(install: Callable[..., dict], tmp_path: Path) -> None:
    digest = archive(tmp_path / "image.tar", layer(*package()), altered=True)
    answer = install(digest, archive=str(tmp_path / "image.tar"))
    assert answer["failed"] is True
    assert "has the content of" in answer["msg"]
    assert not (tmp_path / "bin/lighthouse").exists()
    assert list((tmp_path / "lib").iterdir()) == []


def test_an_archive_of_another_image_is_refused(install: Callable[..., dict], tmp_path: Path) -> None:
    archive(tmp_path / "image.tar", layer(*package()))
    answer = install(f"sha256:{'0' * 64}", archive=str(tmp_path / "image.tar"))
    assert answer["failed"] is True
    assert not (tmp_path / "bin/lighthouse").exists()


@pytest.mark.parametrize(
    "trap",
    [
        member(PREFIX + "../../../../escaped", b"out"),
        member(PREFIX + "link", type=tarfile.SYMTYPE, linkname="/etc"),
        member(PREFIX + "device", type=tarfile.CHRTYPE),
    ],
    ids=["dots", "link", "device"],
)
def test_what_leads_out_of_the_folder_is_refused(
    install: Callable[..., dict], tmp_path: Path, trap: tuple[tarfile.TarInfo, bytes]
) -> None:
    digest = archive(tmp_path / "image.tar", layer(*package(), trap))
    answer = install(digest, archive=str(tmp_path / "image.tar"))
    assert answer["failed"] is True
    assert not list(tmp_path.rglob("escaped"))
    assert not (tmp_path / "bin/lighthouse").exists()


def test_the_version_before_is_kept_and_older_ones_go(install: Callable[..., dict], tmp_path: Path) -> None:
    for number in range(4):
        path = tmp_path / f"{number}.tar"
        digest = archive(path, layer(*package(), member(f"{PREFIX}version-{number}")))
        library = Path(install(digest, archive=str(path))["library"])
        os.utime(library, (1000 + number, 1000 + number))
    kept = {path.name for folder in (tmp_path / "lib").iterdir() for path in folder.glob("version-*")}
    assert kept == {"version-2", "version-3"}


def test_a_digest_is_asked_for(install: Callable[..., dict]) -> None:
    assert "is no digest" in install("latest")["msg"]
