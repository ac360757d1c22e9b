"""Text made fit to be looked at: HTML stays text, and no character hides or turns others round."""

import re
import unicodedata

from markupsafe import Markup, escape

# Printable to Python, and yet nothing or a blank to the eye: fillers, selectors, joiners, Braille's blank.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_SELECTORS = (range(0xFE00, 0xFE10), range(0xE0100, 0xE01F0))
_OVERLAY = 1  # a combining class
_SUSPECT = re.compile(r"[^ -~]")
_KEPT_IN_LINES = "\n\t"


def hides(char: str) -> bool:
    """Whether a reader would not see this character, or would see the ones beside it out of place."""
    if not char.isprintable() or char in _BLANK or any(ord(char) in span for span in _SELECTORS):
        return True
    # Marks that strike through or enclose the character before them.
    return unicodedata.combining(char) == _OVERLAY or unicodedata.category(char) == "Me"


def spelt(char: str) -> str:
    """The character as an escape, such as `\\x1b` or `\\u202e`."""
    return char.encode("unicode_escape", "backslashreplace").decode("ascii")


def shown(value: object, kept: str = "") -> Markup:
    """`value` as HTML text in which every hidden character but those `kept` is spelt out and marked."""

    def marked(found: re.Match[str]) -> str:
        char = found[0]
        if char in kept or not hides(char):
            return char
        return f'<span class="hidden-character">{spelt(char)}</span>'

    return Markup(_SUSPECT.sub(marked, str(escape(str(value)))))  # noqa: S704 - escaped just before


def shown_lines(value: object) -> Markup:
    """As `shown`, for text of several lines: line breaks and tabs stay what they are."""
    return shown(value, _KEPT_IN_LINES)


def plain(value: object) -> str:
    """The same where there is no markup: titles and attributes. Line breaks are spelt out too."""
    return _SUSPECT.sub(lambda found: spelt(found[0]) if hides(found[0]) else found[0], str(value))


def name_text(raw: bytes) -> str:
    """A file's name or path as text; what is not UTF-8 in it with its bytes spelt out."""
    return raw.decode("utf-8", "backslashreplace")
