"""Patches as rows: numbered, bounded, and what is no line of text told as a remark."""

from lighthouse.console.content import MOST_COLUMNS, MOST_LINES, lines
from lighthouse.console.patch import Row, rows

PATCH = b"""diff --git a/x b/x
index 1..2 100644
--- a/x
+++ b/x
@@ -3,3 +3,3 @@
 same
--- removed
+++ added
 end
\\ No newline at end of file
"""


def test_lines_have_their_numbers() -> None:
    assert rows([PATCH]).rows == [
        Row("hunk", "@@ -3,3 +3,3 @@"),
        Row("same", "same", 3, 3),
        Row("removed", "-- removed", 4, None),
        Row("added", "++ added", None, 4),
        Row("same", "end", 5, 5),
        Row("remark", "No newline at end of file"),
    ]


def test_it_does_not_matter_how_it_is_cut_into_pieces() -> None:
    assert rows(PATCH[n : n + 1] for n in range(len(PATCH))).rows == rows([PATCH]).rows


def test_more_than_fits_is_cut_and_said() -> None:
    assert not rows([PATCH], 6).cut
    assert rows([PATCH], 5).cut
    assert len(rows([PATCH], 5).rows) == 5
    long = b"@@ -1 +1 @@\n+" + b"x" * 100_000 + b"\n"
    assert rows([long]).rows[1].text == "x" * MOST_COLUMNS + "… (100000 characters)"


def test_binary_contents_are_not_shown() -> None:
    binary = b"diff --git a/x b/x\nnew file mode 100644\nindex 0..1\nGIT binary patch\nliteral 3\nzcmZ\n"
    assert [row.text for row in rows([binary]).rows] == ["new file mode 100644", "the content is binary"]
    assert lines(b"a\0b").why_not


def test_a_file_is_shown_from_any_line_on() -> None:
    data = b"".join(b"line %d\n" % number for number in range(1, MOST_LINES + 11))
    first = lines(data)
    assert (first.first, first.last, first.total) == (1, MOST_LINES, MOST_LINES + 10)
    rest = lines(data, first.last + 1)
    assert (rest.first, rest.last, rest.lines[0]) == (
        MOST_LINES + 1,
        MOST_LINES + 10,
        f"line {MOST_LINES + 1}",
    )
    assert lines(data, 10**9).lines == (f"line {MOST_LINES + 10}",)
    assert lines(b"").why_not
    assert lines(b"caf\xe9").lines == ("caf\\xe9",)
