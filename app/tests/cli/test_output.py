"""What agents wrote never commands a terminal, however it is shown."""

from hypothesis import given
from hypothesis import strategies as st

from lighthouse.cli.output import printable, printable_lines, shortened

TEXT = st.text(st.characters() | st.sampled_from("\x1b\x9b\u202e\u2066\u200b\n\t\r\0"))


@given(TEXT)
def test_nothing_but_what_is_seen(text) -> None:
    assert printable(text).isprintable()
    assert all(char.isprintable() or char in "\n\t" for char in printable_lines(text))
    assert printable_lines(text).count("\n") == text.count("\n")


@given(TEXT, st.integers(20, 200))
def test_shortened_to_its_beginning_and_its_end(text, most) -> None:
    shown, whole = shortened(text, most), printable(text)
    assert shown.isprintable()
    if len(whole) <= most:
        assert shown == whole
    else:
        assert len(shown) == most
        begin, end = shown.split(" … ", 1) if " … " not in whole else (shown[:5], shown[-5:])
        assert whole.startswith(begin)
        assert whole.endswith(end)
