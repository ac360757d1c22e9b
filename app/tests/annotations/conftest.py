"""Trees made of plain dictionaries, and the cases of real refactorings that notes have to survive."""

import hashlib
import shutil
import subprocess
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from lighthouse.annotations import Annotations
from lighthouse.annotations.anchor import Anchor, anchor_to_file, anchor_to_lines, anchor_to_symbol
from lighthouse.annotations.resolve import Resolver, Standing
from lighthouse.config import Settings
from lighthouse.events import EventStore
from lighthouse.keys import KeyRing
from lighthouse.paths import ProjectPath, parse, to_bytes
from lighthouse.shadow import FILE, FOLDER, ContentMissing, Entry, Shadow
from lighthouse.shadow.tree import Tree

CASES = Path(__file__).parent / "cases"


class Files:
    """A tree of the files given by path, and their contents by hash."""

    mtime_ns = 0

    def __init__(self, files: Mapping[str, bytes]) -> None:
        self.contents: dict[bytes, bytes] = {}
        self._folders: dict[ProjectPath, dict[bytes, Entry]] = {(): {}}
        for name, data in files.items():
            *above, last = path = parse(name)
            digest = hashlib.sha256(data).digest()
            self.contents[digest] = data
            for depth in range(len(above)):
                folder = tuple(above[: depth + 1])
                self._folders.setdefault(folder, {})
                entry = Entry(folder[-1], FOLDER, 0o755, 0, 0, hashlib.sha256(repr(files).encode()).digest())
                self._folders[folder[:-1]][folder[-1]] = entry
            self._folders[path[:-1]][last] = Entry(last, FILE, 0o644, len(data), 0, digest)
        self.root = hashlib.sha256(repr(sorted(files.items())).encode()).digest()

    def lookup(self, path: ProjectPath) -> Entry | None:
        if not path:
            return Entry(b"", FOLDER, 0o755, 0, 0, self.root)
        return self.children(path[:-1]).get(path[-1])

    def children(self, path: ProjectPath) -> Mapping[bytes, Entry]:
        return self._folders.get(path, {})


def resolver_of(*trees: Files) -> Resolver:
    """A resolver that reads the contents of these trees."""
    contents = {digest: data for tree in trees for digest, data in tree.contents.items()}

    def read(digest: bytes, offset: int, size: int) -> bytes:
        if digest not in contents:
            raise ContentMissing("it is not stored")
        return contents[digest][offset : offset + size]

    return Resolver(read)


def anchor(resolver: Resolver, tree: Tree, place: str) -> tuple[ProjectPath, Anchor]:
    """`path:3`, `path:3-5`, `path symbol` or `path` as a path and an anchor."""
    name, _, symbol = place.partition(" ")
    name, _, lines = name.partition(":")
    path = parse(name)
    entry = tree.lookup(path)
    document = resolver.document(path[-1], entry)
    assert entry is not None
    assert document is not None
    if symbol:
        return path, anchor_to_symbol(document, entry.hash, symbol)
    if not lines:
        return path, anchor_to_file(path[-1], entry.hash)
    first, _, last = lines.partition("-")
    return path, anchor_to_lines(document, entry.hash, int(first), int(last or first))


def resolve(old: Files, new: Files, place: str) -> Standing | None:
    """Where a note made at `place` in `old` stands in `new`."""
    resolver = resolver_of(old, new)
    return resolver.resolve(*anchor(resolver, old, place), old, new)


def told(standing: Standing | None) -> str:
    """A standing as the cases write it."""
    if standing is None:
        return "orphaned"
    text = f"{standing.status} {to_bytes(standing.path).decode()}"
    if standing.lines is not None:
        first, last = standing.lines
        text += f":{first}" if first == last else f":{first}-{last}"
    return f"{text} {standing.symbol}" if standing.symbol else text


@dataclass(frozen=True)
class Case:
    """A refactoring as a patch on the files of its language, a note, and where it should stand afterwards."""

    language: str
    name: str
    title: str
    refactoring: str
    note: str
    expect: str
    patch: Path


def cases() -> list[Case]:
    """All cases, by language and name."""
    found = []
    for patch in sorted(CASES.glob("*/*.patch")):
        title, _, *rest = patch.read_text().splitlines()
        fields = dict(line.split(": ", 1) for line in rest[:3])
        found.append(
            Case(
                patch.parent.name,
                patch.stem,
                title,
                fields["refactoring"],
                fields["note"],
                fields["expect"],
                patch,
            )
        )
    return found


def files_in(folder: Path) -> Files:
    """The files of a folder."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return Files({str(path.relative_to(folder)): path.read_bytes() for path in files})


def after(case: Case, folder: Path) -> Files:
    """The case's files with its patch applied, in `folder`."""
    for path in (CASES / case.language / "before").rglob("*"):
        if path.is_file():
            copy = folder / path.relative_to(CASES / case.language / "before")
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_bytes(path.read_bytes())
    subprocess.run(["git", "apply", str(case.patch)], cwd=folder, check=True, capture_output=True)
    return files_in(folder)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """The folder to be captured: the Python files that the cases start from."""
    folder = tmp_path / "project"
    shutil.copytree(CASES / "python" / "before", folder)
    return folder


@pytest.fixture
async def events(tmp_path: Path, keyring: KeyRing) -> AsyncIterator[EventStore]:
    """An event store of this test's own."""
    (tmp_path / "state").mkdir()
    store = EventStore.open(tmp_path / "state", keyring)
    yield store
    await store.close()


@pytest.fixture
async def shadow(project: Path, tmp_path: Path, events: EventStore) -> AsyncIterator[Shadow]:
    """A shadow that follows the project."""
    following = Shadow(project, tmp_path / "state", events, Settings())
    await following.start()
    yield following
    await following.close()


@pytest.fixture
async def notes(shadow: Shadow, events: EventStore) -> AsyncIterator[Annotations]:
    """The notes on the project."""
    room = Annotations(shadow, events)
    await room.start()
    yield room
    await room.close()
