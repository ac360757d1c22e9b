"""Agents at work together: collaborations of several and pair sessions of two, with a record to replay."""

from lighthouse.collaboration.collaboration import Collaboration, Kind, State, Suggestion, Verdict
from lighthouse.collaboration.collaborations import Collaborations
from lighthouse.collaboration.errors import (
    AlreadyReviewed,
    BadCollaboration,
    BadSuggestion,
    NoSuchCollaboration,
    NoSuchSuggestion,
    TooMuchGoingOn,
    WrongMove,
)
from lighthouse.collaboration.record import Entry, Record
from lighthouse.collaboration.references import Reference

__all__ = [
    "AlreadyReviewed",
    "BadCollaboration",
    "BadSuggestion",
    "Collaboration",
    "Collaborations",
    "Entry",
    "Kind",
    "NoSuchCollaboration",
    "NoSuchSuggestion",
    "Record",
    "Reference",
    "State",
    "Suggestion",
    "TooMuchGoingOn",
    "Verdict",
    "WrongMove",
]
