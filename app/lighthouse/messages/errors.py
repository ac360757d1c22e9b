"""What the room refuses, and why."""

from lighthouse.errors import LighthouseError


class BadMessage(LighthouseError):
    """A message that cannot be sent as it is, above all to whom (HTTP 422)."""


class BadWords(LighthouseError):
    """Words to search for that do not make a search; the message says where (HTTP 422)."""


class NoSuchMessage(LighthouseError):
    """No message has this id (HTTP 404)."""


class NobodyThere(LighthouseError):
    """A message for everybody, or for a thread, of whom nobody is known but its sender (HTTP 409)."""


class MailboxFull(LighthouseError):
    """As much as may wait to be acknowledged does (HTTP 409)."""


class IndexBehind(LighthouseError):
    """The index does not know yet what the answer depends on (HTTP 503)."""


class SearchesBusy(LighthouseError):
    """More searches at once than are run and wait (HTTP 503)."""
