"""The ids of cases: a letter, and the sequence number of the event that began them."""

MAX_DIGITS = 18


def number_of(id: str, letter: str) -> int | None:
    """The sequence number in an id like `q57`, whose letter is `q`; None where it is no such id."""
    number = id[1:]
    if id[:1] != letter or not (number.isascii() and number.isdigit() and len(number) <= MAX_DIGITS):
        return None
    return int(number)
