"""Reads a sed script: whether it runs a command, and which files it writes."""

_PLAIN = frozenset("=dDgGhHlnNpPxFzqQ")


class NotSed(Exception):
    """The script is not understood."""


def written_files(script: str) -> list[str]:
    """The files that the script writes. Raises NotSed for what runs a command or is not understood."""
    return _Reader(script).read()


class _Reader:
    """One pass from left to right; nothing is looked at twice."""

    def __init__(self, script: str) -> None:
        self._text = script
        self._at = 0
        self._files: list[str] = []

    def read(self) -> list[str]:
        while True:
            self._skip(" \t\n;{}")
            if self._at >= len(self._text):
                return self._files
            self._address()
            self._skip(" \t!")
            self._command(self._next())

    def _command(self, command: str) -> None:
        if command in _PLAIN or command in "{}":
            if command in "lqQ":
                self._skip(" \t0123456789")
        elif command == "#" or command in "aic":
            self._line(continues=command != "#")
        elif command in ":btT":
            while self._peek() not in ("\n", ";", "}", ""):
                self._at += 1
        elif command == "s":
            delimiter = self._next()
            self._until(delimiter)
            self._until(delimiter)
            self._flags()
        elif command == "y":
            delimiter = self._next()
            self._until(delimiter)
            self._until(delimiter)
        elif command in "wW":
            self._files.append(self._line().strip())
        elif command in "rR":
            self._line()
        else:
            raise NotSed(f"its script has the command {command or 'nothing'}")

    def _flags(self) -> None:
        while (char := self._peek()) and char in "gpIiMm0123456789":
            self._at += 1
        if self._peek() == "w":
            self._at += 1
            self._files.append(self._line().strip())
        elif self._peek() not in ("", ";", "\n", "}", " ", "\t", "#"):
            raise NotSed("its script runs a command")

    def _address(self) -> None:
        for _ in range(3):
            char = self._peek()
            if char.isdigit() or char in ("$", "~", "+"):
                while self._peek().isdigit() or self._peek() in ("$", "~", "+"):
                    self._at += 1
            elif char in ("/", "\\"):
                self._at += 1
                self._until(self._next() if char == "\\" else "/")
                while self._peek() in ("I", "M"):
                    self._at += 1
            self._skip(" \t")
            if self._peek() != ",":
                return
            self._at += 1
            self._skip(" \t")

    def _until(self, delimiter: str) -> None:
        """Past the next delimiter that no backslash and no bracket hides."""
        if not delimiter or delimiter in "\\\n":
            raise NotSed("its script is not understood")
        while (char := self._next()) != delimiter:
            if not char:
                raise NotSed("its script is not understood")
            if char == "\\":
                self._at += 1

    def _line(self, *, continues: bool = False) -> str:
        start = self._at
        while (char := self._peek()) and char != "\n":
            self._at += 2 if continues and char == "\\" else 1
        return self._text[start : self._at]

    def _skip(self, chars: str) -> None:
        while self._peek() and self._peek() in chars:
            self._at += 1

    def _peek(self) -> str:
        return self._text[self._at : self._at + 1]

    def _next(self) -> str:
        char = self._peek()
        self._at += 1
        return char
