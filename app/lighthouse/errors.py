"""The root of every error that is told to a person or a client: one line that says what, and what to do."""


class LighthouseError(Exception):
    """A refusal or failure. `str()` is one line; `hint` says what to do about it."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.message = " ".join(message.split())
        self.hint = " ".join(hint.split()) if hint else None
        super().__init__(self.message)

    def __str__(self) -> str:
        return f"{self.message}: {self.hint}" if self.hint else self.message
