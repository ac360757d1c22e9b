"""What the room refuses, and why."""

from lighthouse.errors import LighthouseError


class NoSuchQuestion(LighthouseError):
    """No question has this id (HTTP 404)."""


class BadQuestion(LighthouseError):
    """A question that cannot be asked as it was sent, its schema above all (HTTP 422)."""


class BadReply(LighthouseError):
    """An answer that the question's schema does not take (HTTP 422)."""


class QuestionClosed(LighthouseError):
    """It was answered before, or its time is over (HTTP 409)."""


class TooManyQuestions(LighthouseError):
    """As many questions wait as may (HTTP 409)."""
