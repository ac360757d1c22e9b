"""Proposals: changes an expert makes in a writable copy of the project, for others to look at and apply."""

from lighthouse.proposals.errors import (
    BadProposal,
    NoSuchProposal,
    NotYours,
    OverQuota,
    ProposalBusy,
    ProposalConflict,
    ProposalTaken,
)
from lighthouse.proposals.patches import ChangedFile, Patch
from lighthouse.proposals.proposal import Closing, Proposal
from lighthouse.proposals.proposals import PATCH, Proposals, check_name

__all__ = [
    "PATCH",
    "BadProposal",
    "ChangedFile",
    "Closing",
    "NoSuchProposal",
    "NotYours",
    "OverQuota",
    "Patch",
    "Proposal",
    "ProposalBusy",
    "ProposalConflict",
    "ProposalTaken",
    "Proposals",
    "check_name",
]
