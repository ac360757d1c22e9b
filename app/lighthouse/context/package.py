"""A context as the log knows it, and the notes it is made with."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from lighthouse.context.errors import BadContext
from lighthouse.events import Event
from lighthouse.shadow.projection import mtime_ns

MAX_NOTES = 99
MAX_NOTE_BYTES = 256 * 1024
MAX_TITLE = 200
MAX_PURPOSE = 2000
# A name of a file has at most 255 bytes, of which the number, a hyphen and the ending need some.
_SLUG_BYTES = 200
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True, slots=True)
class Note:
    """A text of whoever makes the context; it becomes a file of Markdown under its title."""

    title: str
    text: str

    def file_name(self, number: int) -> bytes:
        """`01-title.md`: what no file's name may hold, or no shell likes, becomes a hyphen."""
        slug = re.sub(r"[\s/\\\x00-\x1f\x7f]+", "-", self.title).strip("-.")
        cut = slug.encode()[:_SLUG_BYTES].decode("utf-8", "ignore")
        return f"{number:02}-{cut or 'note'}.md".encode()

    def content(self) -> bytes:
        """The file: the title as a heading, then the text."""
        return f"# {self.title}\n\n{self.text}".encode() + (b"" if self.text.endswith("\n") else b"\n")


@dataclass(frozen=True, slots=True)
class Package:
    """A context: `seq` is the version its files are of, `root` the tree of all it holds.

    `files` counts links too; `bytes` is what readers get of them.
    """

    name: str
    seq: int
    root: bytes
    files: int
    bytes: int
    notes: int
    annotations: int
    purpose: str
    created_at: str
    agent_id: str

    @classmethod
    def of(cls, event: Event) -> "Package":
        """The context that a `context.created` event made."""
        told = event.value | {"root": bytes.fromhex(event.value["root"])}
        fields = ("name", "seq", "root", "files", "bytes", "notes", "annotations", "purpose")
        known = {name: told[name] for name in fields}
        return cls(created_at=event.ts, agent_id=event.agent_id, **known)

    @property
    def mtime_ns(self) -> int:
        """When it was made."""
        return mtime_ns(self.created_at)


def check(name: str, notes: Sequence[Note], purpose: str) -> None:
    """Raises BadContext for a name that cannot be one, and for words beyond the limits."""
    if not _NAME.fullmatch(name):
        raise BadContext(
            "that cannot be a context's name",
            "use 1 to 100 of A-Z a-z 0-9 . _ -, beginning with a letter or digit",
        )
    if len(purpose) > MAX_PURPOSE:
        raise BadContext(f"the purpose has more than {MAX_PURPOSE} characters", "put it into a note")
    if len(notes) > MAX_NOTES:
        raise BadContext(f"more than {MAX_NOTES} notes", "put them together")
    for note in notes:
        if not note.title.strip() or len(note.title) > MAX_TITLE or "\n" in note.title:
            raise BadContext(f"a note's title is one line of 1 to {MAX_TITLE} characters", "shorten it")
        if len(note.text.encode()) > MAX_NOTE_BYTES:
            raise BadContext(f"the note {note.title!r} is over {MAX_NOTE_BYTES} bytes", "shorten it")
