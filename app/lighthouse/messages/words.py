"""What may be searched for, and its translation for SQLite's FTS5.

Every word reaches FTS5 in quotes, so nothing a caller sends is ever read there as syntax. All words have
to be found;
`"a phrase"`, `begin*`, `-without`, `NOT`, `OR`, `AND`, `( )`, `subject:` and `body:` are understood.
"""

import unicodedata
from dataclasses import dataclass

from lighthouse.messages.errors import BadWords

MAX_LENGTH = 500
MAX_TERMS = 32
MAX_DEPTH = 8
# What begins with some letters is put together from many words, and within that no clock is looked at.
MAX_PREFIXES = 4
FIELDS = ("subject", "body")
_OPERATORS = ("AND", "OR", "NOT")


@dataclass(frozen=True)
class _Token:
    """`kind` is `term` (with FTS5's form as text), `(`, `)`, `AND`, `OR` or `NOT`; `at` counts from 1."""

    kind: str
    at: int
    text: str = ""


def expression(text: str) -> str:
    """The search as FTS5 takes it. Raises BadWords, which says what is wrong and where."""
    if len(text) > MAX_LENGTH:
        raise BadWords(f"the search has {len(text)} characters", f"at most {MAX_LENGTH}")
    for at, char in enumerate(text, 1):
        if not (char.isprintable() or char.isspace()):
            raise _bad(at, "there is a control character", "leave it out")
    tokens = _Reader(text).tokens()
    if sum(token.kind == "term" for token in tokens) > MAX_TERMS:
        raise BadWords(f"the search has more than {MAX_TERMS} words", "search for fewer")
    if sum(token.text.endswith(" *") for token in tokens) > MAX_PREFIXES:
        raise BadWords(f"the search has more than {MAX_PREFIXES} words with *", "write some out")
    parser = _Parser(tokens, len(text) + 1)
    return parser.whole()


class _Reader:
    """Cuts the text into tokens."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0
        self._open = 0
        self._found: list[_Token] = []

    def tokens(self) -> list[_Token]:
        while (start := self._skip()) < len(self._text):
            char = self._text[start]
            if char == "(":
                self._open += 1
                self._add("(", start)
                self._place += 1
            elif char == ")":
                self._close(start)
                self._place += 1
            elif char == "-" and self._text[start + 1 : start + 2].strip():
                self._add("NOT", start)
                self._place += 1
            elif char == '"':
                self._phrase("")
            else:
                self._word(start)
        return self._found

    def _skip(self) -> int:
        while self._place < len(self._text) and self._text[self._place].isspace():
            self._place += 1
        return self._place

    def _add(self, kind: str, start: int, text: str = "") -> None:
        self._found.append(_Token(kind, start + 1, text))

    def _close(self, start: int) -> None:
        if not self._open:
            raise _bad(start + 1, "this bracket closes none", "open it before, or put the word in quotes")
        self._open -= 1
        self._add(")", start)

    def _phrase(self, field: str) -> None:
        start = self._place
        end = self._text.find('"', start + 1)
        if end < 0:
            raise _bad(start + 1, "this quote is not closed", 'end the phrase with "')
        self._place = end + 1
        prefix = self._text[self._place : self._place + 1] == "*"
        self._place += prefix
        self._term(start, field, self._text[start + 1 : end], prefix=prefix)

    def _word(self, start: int) -> None:
        while self._place < len(self._text) and not (
            self._text[self._place].isspace() or self._text[self._place] == '"'
        ):
            self._place += 1
        word = self._text[start : self._place]
        closing = 0
        # Brackets that belong to the word, as those of `main()`, stay with it.
        while word.endswith(")") and word.count(")") > word.count("("):
            word = word[:-1]
            closing += 1
        field, colon, rest = word.partition(":")
        if colon and field in FIELDS:
            if not rest and not closing and self._text[self._place : self._place + 1] == '"':
                self._phrase(field)
                return
            if not rest:
                raise _bad(start + 1, f"nothing follows {field}:", f"as in {field}:word")
            self._term(start, field, rest.rstrip("*"), prefix=rest.endswith("*"))
        elif word in _OPERATORS:
            self._add(word, start)
        else:
            self._term(start, "", word.rstrip("*"), prefix=word.endswith("*"))
        for place in range(closing):
            self._close(start + len(word) + place)

    def _term(self, start: int, field: str, words: str, *, prefix: bool) -> None:
        if not any(_is_found(char) for char in words):
            raise _bad(start + 1, "there is neither letter nor digit", "only these are found")
        quoted = words.replace('"', '""')
        column = f"{field} : " if field else ""
        self._add("term", start, f'{column}"{quoted}"{" *" if prefix else ""}')


class _Parser:
    """Puts the tokens together; each method takes those that belong to it."""

    def __init__(self, tokens: list[_Token], end: int) -> None:
        self._tokens = tokens
        self._at = 0
        self._depth = 0
        self._end = _Token("end", end)

    def whole(self) -> str:
        if not self._tokens:
            raise BadWords("there is nothing to search for", "name a word")
        return self._either()

    @property
    def _next(self) -> _Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else self._end

    def _take(self) -> _Token:
        token = self._next
        self._at += 1
        return token

    def _either(self) -> str:
        sides = [self._all()]
        while self._next.kind == "OR":
            self._take()
            sides.append(self._all())
        return sides[0] if len(sides) == 1 else f"({' OR '.join(sides)})"

    def _all(self) -> str:
        start = self._next
        wanted: list[str] = []
        unwanted: list[str] = []
        while True:
            negated = False
            while self._next.kind == "NOT":
                self._take()
                negated = not negated
            (unwanted if negated else wanted).append(self._one())
            if self._next.kind == "AND":
                self._take()
            elif self._next.kind not in ("term", "(", "NOT"):
                break
        if not wanted:
            raise _bad(start.at, "this only says what shall not be found", "name a word to find, too")
        found = wanted[0] if len(wanted) == 1 else f"({' AND '.join(wanted)})"
        return f"({found} NOT ({' OR '.join(unwanted)}))" if unwanted else found

    def _one(self) -> str:
        token = self._take()
        if token.kind == "term":
            return token.text
        if token.kind != "(":
            what = "the end" if token.kind == "end" else token.kind
            raise _bad(token.at, f"{what} stands where a word is due", "name one, or put it in quotes")
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise _bad(token.at, f"brackets are deeper than {MAX_DEPTH}", "take some away")
        inner = self._either()
        if self._take().kind != ")":
            raise _bad(token.at, "this bracket is not closed", "close it, or put the word in quotes")
        self._depth -= 1
        return inner


def _is_found(char: str) -> bool:
    kind = unicodedata.category(char)
    return kind[0] in "LN" or kind == "Co"


def _bad(at: int, what: str, hint: str) -> BadWords:
    return BadWords(f"the search is not understood at character {at}: {what}", hint)
