"""The wire forms of contexts."""

from typing import Annotated

import msgspec

from lighthouse.bridge.schemas import Request
from lighthouse.context.manifest import ListedAnnotations, ListedFile
from lighthouse.context.package import MAX_NOTES
from lighthouse.context.selection import MAX_CHOICES

Name = Annotated[str, msgspec.Meta(extra_json_schema={"pattern": "^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$"})]
Choice = Annotated[str, msgspec.Meta(min_length=1, max_length=4096)]


class NewNote(msgspec.Struct, forbid_unknown_fields=True):
    """`title` is one line, `text` Markdown."""

    title: str
    text: str


class ContextCreate(Request):
    """`files` are paths and globs of the version at `at`, which is a sequence number, a time or a name."""

    name: Name
    files: Annotated[tuple[Choice, ...], msgspec.Meta(max_length=MAX_CHOICES)] = ()
    at: Annotated[str, msgspec.Meta(min_length=1, max_length=100)] | None = None
    notes: Annotated[tuple[NewNote, ...], msgspec.Meta(max_length=MAX_NOTES)] = ()
    annotations: bool = False
    purpose: str = ""


class ContextSummary(msgspec.Struct):
    """`seq` is the version that the files are of; `files` counts them, `bytes` is their size."""

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


class ContextList(msgspec.Struct):
    contexts: list[ContextSummary]


class ContextNote(msgspec.Struct):
    """The note lies at `path` in the context."""

    path: str
    title: str
    text: str


class ContextFound(msgspec.Struct):
    """A context with all it lists; the files' bytes are read at `seq` by /shadow/read."""

    name: str
    seq: int
    root: str
    purpose: str
    created_at: str
    agent_id: str
    bytes: int
    files: list[ListedFile]
    notes: list[ContextNote]
    annotations: list[ListedAnnotations]


class ContextRemove(Request):
    """Nothing but the name in the path."""


class ContextRemoved(msgspec.Struct):
    name: str
    seq: int
