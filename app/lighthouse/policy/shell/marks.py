"""Text as a shell would make it, with marks for what is not known before it runs.

The marks are lone surrogates, which no valid UTF-8 can hold, so a command cannot write one itself.
"""

ANY = "\ud800"  # anything at all: spaces, slashes, dashes
PLAIN = "\ud801"  # a name or a number: no slash, no space, no dash in front
BELOW = "\ud802"  # a relative path that goes down only
STAR, ONE, BRACKET = "\ud803", "\ud804", "\ud805"  # the patterns *, ? and [
GLOBS = frozenset((STAR, ONE, BRACKET))
OPEN_BRACE, COMMA, CLOSE_BRACE = "\ud806", "\ud807", "\ud808"
SPLIT = "\ud809"  # where an unquoted expansion breaks into words
EMPTY = "\ud80a"  # "" and '': a word though nothing stands in it

_SHOWN = {
    ANY: "…",
    PLAIN: "…",
    BELOW: "…",
    STAR: "*",
    ONE: "?",
    BRACKET: "[",
    OPEN_BRACE: "{",
    COMMA: ",",
    CLOSE_BRACE: "}",
    SPLIT: " ",
    EMPTY: "",
}
_TABLE = {ord(mark): text for mark, text in _SHOWN.items()}
_LITERAL = {ord(mark): text for mark, text in _SHOWN.items() if mark not in (ANY, PLAIN, BELOW)}


def shown(text: str) -> str:
    """The text for people: unknown parts as `…`, patterns as they were written."""
    return text if text.isascii() else text.translate(_TABLE)


def literal(text: str) -> str:
    """The text with its patterns as plain characters; unknown parts stay marked."""
    return text if text.isascii() else text.translate(_LITERAL)


def is_open(text: str) -> bool:
    """Whether some of the text is unknown."""
    return not text.isascii() and (ANY in text or PLAIN in text or BELOW in text)


def has_glob(text: str) -> bool:
    """Whether the text has a pattern that the shell would fill from names of files."""
    return not text.isascii() and any(mark in text for mark in GLOBS)
