"""What holders are told: that they were granted what they waited for, that its end is near, that it came."""

from collections.abc import Iterable, Iterator

from lighthouse.leases.lease import GRANTED, Lease, seconds_of
from lighthouse.mailbox import Letter

ENDING, ENDED = "lease.ending", "lease.ended"
# So long before the end its holder is told.
SOON_SECONDS = 60.0
# An end that nobody took note of is told for so long.
TOLD_SECONDS = 3600.0


def letter(kind: str, lease: Lease) -> Letter:
    """The letter on the lease as it is when it is sent. That it was granted is news once, renewed or not."""
    return Letter(kind, lease.id, int(lease.id[1:]) if kind == GRANTED else lease.seq, lease)


def open_letters(agent_id: str, own: Iterable[Lease], ended: Iterable[Lease], now: float) -> Iterator[Letter]:
    """All that the agent has to be told; `own` are not over, `ended` anybody's, the latest first."""
    for lease in own:
        if lease.state == "held" and lease.waits_until is not None:
            yield letter(GRANTED, lease)
        if lease.state == "held" and 0 < lease.deadline - now <= SOON_SECONDS:
            yield letter(ENDING, lease)
    for lease in ended:
        if seconds_of(lease.ended_at) < now - TOLD_SECONDS:
            break
        if lease.agent_id == agent_id and lease.ended_by != agent_id:
            yield letter(ENDED, lease)
