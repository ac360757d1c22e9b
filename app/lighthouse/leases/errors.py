"""What the room refuses, and why."""

from lighthouse.errors import LighthouseError


class NoSuchLease(LighthouseError):
    """No lease has this id (HTTP 404)."""


class BadLease(LighthouseError):
    """Paths that cannot be leased as they were sent (HTTP 422)."""


class LeaseTaken(LighthouseError):
    """Another agent holds some of the paths, or waits for them already (HTTP 409)."""


class LeaseEnded(LighthouseError):
    """It is over, or as long as a lease can be (HTTP 409)."""


class MayNotWait(LighthouseError):
    """Who holds a lease does not wait for another, and who waits takes no other (HTTP 409)."""


class TooManyLeases(LighthouseError):
    """As many leases or paths are held as fit (HTTP 409)."""
