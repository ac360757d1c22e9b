"""What making or finding a context can be refused for."""

from lighthouse.errors import LighthouseError


class BadContext(LighthouseError):
    """A name that cannot be one, nothing to hold, or too much of it."""


class ContextTaken(LighthouseError):
    """A context of that name exists; what it holds never changes."""


class NoSuchContext(LighthouseError):
    """No context has that name, or it was removed."""
