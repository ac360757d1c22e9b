"""What the log refuses, and what it cannot do at the moment."""

from lighthouse.errors import LighthouseError


class InvalidEvent(LighthouseError):
    """A draft that is no event: wrong type name, stream, data too large or too deep (HTTP 422)."""


class InvalidQuery(LighthouseError):
    """A query outside its bounds, or a cursor that this store did not give (HTTP 422)."""


class Conflict(LighthouseError):
    """The stream is not where the writer thought, or the idempotency key is taken (HTTP 409).

    `actual` is the sequence number that stands: the stream's last, or the event that holds the key.
    """

    def __init__(self, message: str, hint: str | None = None, *, actual: int) -> None:
        super().__init__(message, hint)
        self.actual = actual


class StoreRefused(LighthouseError):
    """A folder that must not be opened: another secret, a newer schema, damage, a changed log."""


class StoreBusy(LighthouseError):
    """More waits to be written than the queue takes; nothing was stored, try again (HTTP 503)."""


class StoreUnavailable(LighthouseError):
    """The log cannot be written or read now (HTTP 503).

    What was asked to be stored is not acknowledged; after a failing disk it may still turn up, so a caller
    that must know repeats it with the same idempotency key.
    """


class NoRoom(StoreUnavailable):
    """The disk, or the store's quota, is full; nothing was stored (HTTP 507)."""
