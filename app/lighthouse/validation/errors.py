"""What the room refuses, and why."""

from lighthouse.errors import LighthouseError


class NoSuchValidation(LighthouseError):
    """No verdict and no request has this id (HTTP 404)."""


class NoSuchRule(LighthouseError):
    """No remembered rule in force has this id (HTTP 404)."""


class AlreadyResolved(LighthouseError):
    """It was decided before, or its time is over (HTTP 409)."""


class AlreadyAnswered(LighthouseError):
    """The same agent answered before (HTTP 409)."""


class BadCall(LighthouseError):
    """A tool call that cannot be judged as it was sent (HTTP 422)."""


class BadAnswer(LighthouseError):
    """An answer without a reason, or one that cannot be remembered as it asks (HTTP 422)."""


class TooManyRules(LighthouseError):
    """As many rules are remembered as fit (HTTP 409)."""
