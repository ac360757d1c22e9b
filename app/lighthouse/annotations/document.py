"""A file of a version, read for notes: its text and, where its language has a grammar, its declarations."""

from collections import Counter
from functools import cached_property

from lighthouse.annotations.languages import Language, language_of
from lighthouse.annotations.syntax import Outline, Unit, node_kind, outline
from lighthouse.annotations.text import Text, shingles
from lighthouse.shadow.reader import Bounded

_CACHED_BYTES = 4 * 1024 * 1024


class Document:
    """`data` as the file `name` has it; text and declarations are worked out when they are asked for."""

    def __init__(self, name: bytes, data: bytes) -> None:
        self.language = language_of(name)
        self._data = data
        self._shingles: dict[Unit, Counter[tuple[str, ...]]] = {}

    @property
    def size(self) -> int:
        """Bytes of the file."""
        return len(self._data)

    @cached_property
    def text(self) -> Text:
        """Rows and tokens."""
        return Text(self._data)

    @cached_property
    def outline(self) -> Outline:
        """The declarations; none for plain text and where the parser gave up."""
        found = outline(self.language, self._data) if self.language is not None else None
        return found or Outline([], [])

    def node_kind(self, first: int, last: int) -> str | None:
        """The kind of the syntax node on these rows; None for plain text."""
        return node_kind(self.language, self._data, first, last) if self.language is not None else None

    def tokens(self, unit: Unit) -> list[str]:
        """The tokens of a declaration's rows."""
        return self.text.between(unit.first, unit.last)

    def body(self, unit: Unit) -> Counter[tuple[str, ...]]:
        """A declaration's shingles, its own name left out: what stays when it is renamed."""
        found = self._shingles.get(unit)
        if found is None:
            own = unit.name.rpartition(".")[2]
            tokens = ["" if token == own else token for token in self.tokens(unit)]
            found = self._shingles[unit] = shingles(tokens)
        return found


class Documents:
    """The documents used last, by content and kind of file. For one thread at a time."""

    def __init__(self) -> None:
        self._kept: Bounded[tuple[bytes, Language | None], Document] = Bounded(_CACHED_BYTES)

    def get(self, digest: bytes, name: bytes) -> Document | None:
        """The document of this content, if it is still there."""
        return self._kept.get((digest, language_of(name)))

    def put(self, digest: bytes, name: bytes, data: bytes) -> Document:
        """Keep a content; the ones not used for longest make room."""
        document = Document(name, data)
        self._kept.put((digest, document.language), document, document.size)
        return document
