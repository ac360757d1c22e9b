"""A pattern as RE2 takes it: linear in the text whatever the pattern, one line at a time, on bytes.

RE2 lets other threads run while it matches. Text that is not UTF-8 is searched as it is: only `.` and negated
classes do not match a byte that is no character.
"""

import re

import re2  # type: ignore[import-untyped]

from lighthouse.search.errors import BadPattern

MAX_PATTERN_BYTES = 4096
MAX_MEMORY = 8 * 1024 * 1024

# What RE2 has no name for: letters, marks, digits and connectors of all scripts.
_NO_WORD = r"[^\pL\pM\p{Nd}\p{Nl}\p{Pc}]"
# An escape, or the name of a group: upper case in these says nothing about the case of what is sought.
_NO_LITERAL = re.compile(r"\\(?:[pP]\{[^}]*\}|[pP].|x\{[^}]*\}|.)|\(\?P?<\w*>", re.DOTALL)


class Pattern:
    """Finds the next match; a match never spans lines."""

    __slots__ = ("_expression", "_group")

    def __init__(self, expression: "re2._Regexp", group: int) -> None:
        self._expression = expression
        self._group = group

    def find(self, text: bytes, start: int, end: int) -> tuple[int, int] | None:
        """The span of the first match in `text[start:end]`; `end` is the end of a line."""
        found = self._expression.search(text, start, end)
        if found is None:
            return None
        span: tuple[int, int] = found.span(self._group)
        return span


def compile_pattern(
    text: str, *, fixed: bool = False, ignore_case: bool = False, smart_case: bool = False, word: bool = False
) -> Pattern:
    """The pattern of a regular expression, or of a `fixed` string. Raises BadPattern with RE2's reason.

    `smart_case` ignores case where the pattern has no upper-case letter. `word`: not within a longer word.
    """
    if len(text.encode("utf-8", "replace")) > MAX_PATTERN_BYTES:
        raise BadPattern(f"the pattern is longer than {MAX_PATTERN_BYTES} bytes", "search for less")
    if "\n" in text:
        raise BadPattern("the pattern holds a line break", "a match lies in one line: search for one of them")
    expression = re2.escape(text) if fixed else text
    fold = ignore_case or (smart_case and _is_lower(text, fixed=fixed))
    # By itself first: within the parentheses below `a)(b` would become good.
    _compile(expression, fold, capture=False)
    if not word:
        return Pattern(_compile(f"(?m){expression}", fold, capture=False), 0)
    return Pattern(_compile(f"(?m)(?:^|{_NO_WORD})({expression})(?:{_NO_WORD}|$)", fold, capture=True), 1)


def _compile(expression: str, fold: bool, *, capture: bool) -> "re2._Regexp":
    options = re2.Options()
    options.case_sensitive = not fold
    options.never_nl = True
    options.never_capture = not capture
    options.log_errors = False
    options.max_mem = MAX_MEMORY
    try:
        return re2.compile(expression.encode(), options)
    except re2.error as error:
        reason = error.args[0].decode("utf-8", "replace") if error.args else "unknown"
        raise BadPattern(
            f"the pattern is no regular expression ({reason})", "see RE2's syntax, or search with fixed"
        ) from error
    except UnicodeEncodeError as error:
        raise BadPattern("the pattern is not Unicode text", "send it in UTF-8") from error
    finally:
        # The module keeps the last 128, of up to 8 MiB each; the search holds the one it uses.
        re2.purge()


def _is_lower(text: str, *, fixed: bool) -> bool:
    letters = text if fixed else _NO_LITERAL.sub("", text)
    return not any(char.isupper() for char in letters)
