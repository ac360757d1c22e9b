"""What is searched for: understood or refused with the place, and never syntax of SQLite's."""

import sqlite3
from contextlib import closing, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.messages import BadWords
from lighthouse.messages.words import MAX_DEPTH, MAX_TERMS, expression

TEXTS = {
    1: ("Parser", "The parser of src/main.py is done; call validate_all() next"),
    2: ("parser again", "It fails: C++ and Größe are not read"),
    3: ("", "lunch at noon? -- no body, no subject"),
}


@pytest.fixture(scope="module")
def index():
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(
            "CREATE VIRTUAL TABLE words USING fts5(subject, body, tokenize='unicode61 remove_diacritics 2')"
        )
        for seq, row in TEXTS.items():
            connection.execute("INSERT INTO words (rowid, subject, body) VALUES (?, ?, ?)", (seq, *row))
        yield connection


def found(index: sqlite3.Connection, text: str) -> list[int]:
    sql = "SELECT rowid FROM words WHERE words MATCH ? ORDER BY rowid"
    return [rowid for (rowid,) in index.execute(sql, (expression(text),))]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("parser", [1, 2]),
        ("PARSER done", [1]),
        ("parser AND done", [1]),
        ("done OR noon", [1, 3]),
        ("parser -done", [2]),
        ("parser NOT done", [2]),
        ("parser NOT NOT done", [1]),
        ("-done parser", [2]),
        ("(done OR fails) parser", [1, 2]),
        ("parser -(done OR noon)", [2]),
        ("((noon))", [3]),
        ('"parser of"', [1]),
        ('"of parser"', []),
        ("pars*", [1, 2]),
        ('"the pars"*', [1]),
        ("subject:parser", [1, 2]),
        ("body:parser", [1]),
        ('subject:"parser again"', [2]),
        ("body:par*", [1]),
        ("(subject:parser)", [1, 2]),
        ("src/main.py", [1]),
        ("main.py src", [1]),
        ("validate_all()", [1]),
        ("(noon OR validate_all())", [1, 3]),
        ("C++", [2]),
        ("größe", [2]),
        ("GROßE", [2]),
        ("fails:", [2]),
        ("and", [2]),
        ("it's", []),
        ("rowid:1", []),
        ("words:parser", []),
        ("NEAR(parser)", []),
        ("NEAR(parser done)", None),
        ("^parser", [1, 2]),
        ("no-body", [3]),
        ('par"ser"', []),
        ("{subject body} : parser", None),
        ("*", None),
        ("", None),
        ("   ", None),
        ("++", None),
        ("parser ++", None),
        ("-done", None),
        ("parser OR -done", None),
        ("NOT", None),
        ("parser AND", None),
        ("OR parser", None),
        ("parser AND OR done", None),
        ("(parser", None),
        ("parser)", None),
        ("()", None),
        ('"parser', None),
        ("subject:", None),
        ("subject: parser", None),
        ("a\0b", None),
        ("a\x1bb", None),
        ("a\ud800b", None),
    ],
)
def test_what_is_found(index, text: str, wanted: list[int] | None) -> None:
    if wanted is None:
        with pytest.raises(BadWords):
            expression(text)
    else:
        assert found(index, text) == wanted


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("parser (done", "at character 8: this bracket is not closed"),
        ("parser done)", "at character 12: this bracket closes none"),
        ('parser "done', "at character 8: this quote is not closed"),
        ("parser AND", "at character 11: the end stands where a word is due"),
        ("parser OR OR", "at character 11: OR stands where a word is due"),
        ("x (-parser)", "at character 4: this only says what shall not be found"),
        ("x subject:", "at character 3: nothing follows subject:"),
        ("x ++", "at character 3: there is neither letter nor digit"),
        ("x \x07", "at character 3: there is a control character"),
        ("(" * (MAX_DEPTH + 1) + "x" + ")" * (MAX_DEPTH + 1), f"brackets are deeper than {MAX_DEPTH}"),
        ("x " * (MAX_TERMS + 1), f"more than {MAX_TERMS} words"),
        ("a* b* c* d* e*", "more than 4 words with *"),
        ("x" * 501, "501 characters"),
        ("", "there is nothing to search for"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(BadWords) as raised:
        expression(text)
    assert told in str(raised.value)


SYNTAX = st.sampled_from(
    [*"()\"'*-:^+{},; \0é漢\u202ex1", "AND", "OR", "NOT", "NEAR", "--", "subject:", "body:", "rowid", "rank"]
)


@given(st.one_of(st.lists(SYNTAX, max_size=40).map("".join), st.text(max_size=60)))
def test_whatever_is_searched_for_is_refused_or_understood(index, text: str) -> None:
    """SQLite never finds a fault with it, and the words are values to it."""
    with suppress(BadWords):
        found(index, text)


@given(st.lists(st.sampled_from(["parser", "done", "noon", "lunch", "again"]), min_size=1, max_size=4))
def test_all_words_are_wanted(index, words: list[str]) -> None:
    wanted = [seq for seq, row in TEXTS.items() if all(word in " ".join(row).lower() for word in words)]
    assert found(index, " ".join(words)) == wanted


def test_the_largest_search_is_one_for_sqlite(index) -> None:
    deep = "(" * MAX_DEPTH + "a* OR b" + ")" * MAX_DEPTH
    assert found(index, f"{deep} " + "-c " * (MAX_TERMS - 3) + "parser") is not None
