"""What proposals refuse."""

from lighthouse.errors import LighthouseError


class BadProposal(LighthouseError):
    """A name, title or uid that no proposal can have."""


class NoSuchProposal(LighthouseError):
    """No proposal of that name, or it is no longer open."""


class ProposalTaken(LighthouseError):
    """An open proposal of that name exists already."""


class ProposalBusy(LighthouseError):
    """Files of the proposal are open for writing at this moment."""


class ProposalConflict(LighthouseError):
    """The project and the proposal changed the same things in ways that cannot be put together."""


class NotYours(LighthouseError):
    """Only who made a proposal, an operator or an admin may do this with it."""


class OverQuota(LighthouseError):
    """One more, or more bytes, than are allowed."""
