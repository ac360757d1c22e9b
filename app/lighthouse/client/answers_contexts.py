"""The shapes of contexts."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Context:
    """A package of files and notes: `seq` is the version that its files are of, `root` the tree of it all."""

    name: str
    seq: int
    root: str
    files: int
    bytes: int
    notes: int
    annotations: int
    purpose: str
    created_at: str
    agent_id: str


@dataclass(frozen=True)
class ContextList:
    """All contexts, the oldest first."""

    contexts: list[Context]


@dataclass(frozen=True)
class ContextFile:
    """A file of a context, by its path in the project; `mark` says why its content is not captured."""

    path: str
    kind: str
    mode: str
    size: int
    sha256: str
    mark: str | None = None
    path_b64: str | None = None


@dataclass(frozen=True)
class ContextNote:
    """A note, which is the file `path` of the context."""

    path: str
    title: str
    text: str


@dataclass(frozen=True)
class ContextAnnotations:
    """`count` annotations, in the file `path` beneath the context's `annotations/`."""

    path: str
    count: int
    size: int
    sha256: str
    path_b64: str | None = None


@dataclass(frozen=True)
class ContextDetail:
    """A context with all it lists; read its files with `at` = `seq`."""

    name: str
    seq: int
    root: str
    purpose: str
    created_at: str
    agent_id: str
    bytes: int
    files: list[ContextFile]
    notes: list[ContextNote]
    annotations: list[ContextAnnotations]


@dataclass(frozen=True)
class ContextRemoved:
    """The context that is gone, and the event that says so."""

    name: str
    seq: int
