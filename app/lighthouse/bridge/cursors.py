"""Cursors of lists: where the next page goes on, by the number of the last thing on this one."""

from lighthouse.bridge.problems import Rejected

MAX_DIGITS = 18


def cursor(number: int, word: str = "after") -> str:
    """What goes on after, or before, the thing of that number."""
    return f"{word}-{number}"


def place(cursor: str | None, word: str = "after") -> int | None:
    """The number in a cursor; None where none was sent. Raises Rejected for one that is not of this list."""
    if cursor is None:
        return None
    first, _, number = cursor.partition("-")
    if first != word or not (number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS):
        raise Rejected(422, "the cursor is not one of this list", "use next_cursor as it was given")
    return int(number)
