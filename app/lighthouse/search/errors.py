"""What a search refuses."""

from lighthouse.errors import LighthouseError


class BadPattern(LighthouseError):
    """The pattern is no regular expression that RE2 knows, or too large a one."""


class BadGlob(LighthouseError):
    """A glob or a file type that can match nothing, or an unreasonable number of globs."""


class BadCursor(LighthouseError):
    """The cursor is not one of this search."""


class SearchBusy(LighthouseError):
    """More searches wait already than will be done soon."""
