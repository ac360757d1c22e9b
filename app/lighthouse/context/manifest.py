"""manifest.json: what a context holds, of which version, by whom and what for."""

from typing import Literal

import msgspec

from lighthouse import paths
from lighthouse.paths import ProjectPath
from lighthouse.shadow import LINK, Entry


class ListedFile(msgspec.Struct, omit_defaults=True):
    """A file or link that lies beneath `files/` as it is in the project; `mark` says why a line of text
    stands in for its content; `path_b64` is there when the path is not UTF-8."""

    path: str
    kind: Literal["file", "symlink"]
    mode: str
    size: int
    sha256: str
    mark: str | None = None
    path_b64: str | None = None


class ListedNote(msgspec.Struct):
    """A note, which is the file `path` of the context."""

    path: str
    title: str
    size: int
    sha256: str


class ListedAnnotations(msgspec.Struct, omit_defaults=True):
    """`count` annotations, in the file `path` beneath `annotations/`."""

    path: str
    count: int
    size: int
    sha256: str
    path_b64: str | None = None


class Manifest(msgspec.Struct):
    """`seq` and `version_root` name the version of the project that the files are of."""

    name: str
    agent_id: str
    created_at: str
    purpose: str
    seq: int
    version_root: str
    files: list[ListedFile]
    notes: list[ListedNote]
    annotations: list[ListedAnnotations]

    def encode(self) -> bytes:
        """The file, for people to read too."""
        return msgspec.json.format(msgspec.json.encode(self), indent=2) + b"\n"


def listed(path: ProjectPath, entry: Entry) -> ListedFile:
    """A chosen file as the manifest lists it."""
    return ListedFile(
        kind="symlink" if entry.kind == LINK else "file",
        mode=f"{entry.mode:04o}",
        size=entry.size,
        sha256=entry.hex,
        mark=entry.mark,
        **paths.to_json(path),
    )
