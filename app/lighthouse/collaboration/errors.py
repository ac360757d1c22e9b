"""What the room refuses, and why."""

from lighthouse.errors import LighthouseError


class NoSuchCollaboration(LighthouseError):
    """No collaboration and no pair session has this id (HTTP 404)."""


class NoSuchSuggestion(LighthouseError):
    """The pair session has no suggestion of this id (HTTP 404)."""


class BadCollaboration(LighthouseError):
    """One that cannot be begun as it was asked for (HTTP 422)."""


class BadSuggestion(LighthouseError):
    """A proposal that cannot be suggested: it changes nothing, or too much (HTTP 422)."""


class WrongMove(LighthouseError):
    """It has ended, or is not as far as the move needs it to be (HTTP 409)."""


class AlreadyReviewed(LighthouseError):
    """The suggestion has its verdict (HTTP 409)."""


class TooMuchGoingOn(LighthouseError):
    """As many are going on as may, or as much has happened in this one (HTTP 409)."""
