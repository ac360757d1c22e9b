"""Text on its way to a page: nothing becomes markup, nothing hides."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.console.visible import hides, name_text, plain, shown, shown_lines

HIDDEN = [
    *map(chr, range(32)),
    *"\x7f\x85\x9b\xa0\xad\u034f\u061c\u115f\u180e\u200b\u200d\u200e\u2028\u202e\u2066",
]
HIDDEN += [
    "\u2800",
    "\u3164",
    "\ufe0f",
    "\ufeff",
    "\uffa0",
    "\u0336",
    "\u20dd",
    "\U000e0041",
    "\U000e0100",
    "\ud800",
    "\U0010ffff",
]
_MARKED = re.compile(r'<span class="hidden-character">([^<>&]*)</span>')


def text_of(markup: str) -> str:
    """What a browser makes of it; the only markup are the marks."""
    bare = _MARKED.sub(lambda found: found[1], markup)
    assert not set("<>\"'") & set(bare)
    return html.unescape(bare)


@pytest.mark.parametrize("char", HIDDEN, ids=ascii)
def test_what_hides_is_spelt_out(char: str) -> None:
    assert hides(char)
    told = text_of(shown(f"a{char}b"))
    assert told.startswith("a\\")
    assert told.endswith("b")
    assert char not in plain(f"a{char}b")


@pytest.mark.parametrize("text", ["grüß dich", "日本語", "naïve café", "שלום", "<b>&amp;</b>", "'\"`", "→ ✓"])
def test_what_can_be_seen_stays_as_it_is(text: str) -> None:
    assert text_of(shown(text)) == text
    assert plain(text) == text


@given(st.text())
def test_whatever_comes_is_text_without_hidden_characters(text: str) -> None:
    assert not any(map(hides, text_of(shown(text))))
    assert not any(map(hides, plain(text)))
    assert not set(map(hides, text_of(shown_lines(text)).replace("\n", "").replace("\t", ""))) & {True}


def test_lines_and_tabs_are_kept_where_there_are_lines() -> None:
    assert text_of(shown_lines("a\tb\nc\r\n")) == "a\tb\nc\\r\n"
    assert text_of(shown("a\tb\n")) == "a\\tb\\n"


def test_names_that_are_not_text_have_their_bytes_spelt_out() -> None:
    assert name_text(b"caf\xe9") == "caf\\xe9"
