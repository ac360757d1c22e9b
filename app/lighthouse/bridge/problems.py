"""Errors as the API tells them: application/problem+json (RFC 9457), and which error means which status."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from aiohttp import web

from lighthouse import paths
from lighthouse.annotations import AnnotationClosed, BadAnnotation, NoSuchAnnotation, TooManyAnnotations
from lighthouse.bridge.schemas import Problem
from lighthouse.collaboration import (
    AlreadyReviewed,
    BadCollaboration,
    BadSuggestion,
    NoSuchCollaboration,
    NoSuchSuggestion,
    TooMuchGoingOn,
    WrongMove,
)
from lighthouse.context import BadContext, ContextTaken, NoSuchContext
from lighthouse.elicitation import (
    BadQuestion,
    BadReply,
    NoSuchQuestion,
    QuestionClosed,
    TooManyQuestions,
)
from lighthouse.errors import LighthouseError
from lighthouse.events import Conflict, InvalidEvent, InvalidQuery, NoRoom, StoreBusy, StoreUnavailable
from lighthouse.experts import BadExpert
from lighthouse.leases import (
    BadLease,
    LeaseEnded,
    LeaseTaken,
    MayNotWait,
    NoSuchLease,
    TooManyLeases,
)
from lighthouse.mailbox import TooManySockets
from lighthouse.messages import (
    BadMessage,
    BadWords,
    IndexBehind,
    MailboxFull,
    NobodyThere,
    NoSuchMessage,
    SearchesBusy,
)
from lighthouse.proposals import (
    BadProposal,
    NoSuchProposal,
    NotYours,
    OverQuota,
    ProposalBusy,
    ProposalConflict,
    ProposalTaken,
)
from lighthouse.search import BadCursor, BadGlob, BadPattern, SearchBusy
from lighthouse.sessions import BadToken, NotAllowed
from lighthouse.shadow import BadMoment, BadNote, NameTaken, NoSuchVersion, NotCaptured, ProjectAway
from lighthouse.tasks import BadTask, NoSuchTask, TaskClosed, TaskTaken, TooManyTasks
from lighthouse.validation import (
    AlreadyAnswered,
    AlreadyResolved,
    BadAnswer,
    BadCall,
    NoSuchRule,
    NoSuchValidation,
    TooManyRules,
)

CONTENT_TYPE = "application/problem+json"
RETRY_SECONDS = 1

_STATUS: tuple[tuple[type[LighthouseError], int], ...] = (
    (BadToken, 401),
    (NotAllowed, 403),
    (paths.BadPath, 400),
    (NotCaptured, 404),
    (BadMoment, 422),
    (BadNote, 422),
    (NameTaken, 409),
    (NoSuchVersion, 404),
    (NoSuchContext, 404),
    (ContextTaken, 409),
    (BadContext, 422),
    (NoSuchAnnotation, 404),
    (AnnotationClosed, 409),
    (TooManyAnnotations, 409),
    (BadAnnotation, 422),
    (BadPattern, 422),
    (BadGlob, 422),
    (BadCursor, 422),
    (SearchBusy, 503),
    (ProjectAway, 503),
    (BadProposal, 422),
    (NoSuchProposal, 404),
    (NotYours, 403),
    (ProposalTaken, 409),
    (ProposalBusy, 409),
    (ProposalConflict, 409),
    (OverQuota, 507),
    (BadExpert, 422),
    (NoSuchTask, 404),
    (BadTask, 422),
    (TaskTaken, 409),
    (TaskClosed, 409),
    (TooManyTasks, 409),
    (TooManySockets, 429),
    (NoSuchCollaboration, 404),
    (NoSuchSuggestion, 404),
    (WrongMove, 409),
    (AlreadyReviewed, 409),
    (TooMuchGoingOn, 409),
    (BadCollaboration, 422),
    (BadSuggestion, 422),
    (NoSuchQuestion, 404),
    (QuestionClosed, 409),
    (TooManyQuestions, 409),
    (BadQuestion, 422),
    (BadReply, 422),
    (NoSuchValidation, 404),
    (NoSuchRule, 404),
    (AlreadyAnswered, 409),
    (AlreadyResolved, 409),
    (TooManyRules, 409),
    (BadCall, 422),
    (NoSuchLease, 404),
    (LeaseTaken, 409),
    (LeaseEnded, 409),
    (MayNotWait, 409),
    (TooManyLeases, 409),
    (BadLease, 422),
    (BadAnswer, 422),
    (BadMessage, 422),
    (BadWords, 422),
    (NoSuchMessage, 404),
    (NobodyThere, 409),
    (MailboxFull, 409),
    (IndexBehind, 503),
    (SearchesBusy, 503),
    (InvalidEvent, 422),
    (InvalidQuery, 422),
    (Conflict, 409),
    (NoRoom, 507),
    (StoreBusy, 503),
    (StoreUnavailable, 503),
)


class Rejected(LighthouseError):
    """A request turned down with a status of its own, and headers that go with it."""

    def __init__(
        self, status: int, message: str, hint: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message, hint)
        self.status = status
        self.headers = dict(headers or {})


def status_of(error: LighthouseError) -> int | None:
    """The HTTP status that an error means; None for one that no caller can have caused."""
    if isinstance(error, Rejected):
        return error.status
    return next((status for kind, status in _STATUS if isinstance(error, kind)), None)


def response(
    status: int, detail: str, request_id: str, headers: Mapping[str, str] | None = None
) -> web.Response:
    """The problem as an answer; 401 and 503 get the header that belongs to them."""
    problem = Problem("about:blank", HTTPStatus(status).phrase, status, detail, request_id)
    sent = dict(headers or {})
    if status == 401:
        sent.setdefault("WWW-Authenticate", 'Bearer realm="lighthouse"')
    if status in (429, 503):
        sent.setdefault("Retry-After", str(RETRY_SECONDS))
    return web.Response(
        status=status, body=msgspec.json.encode(problem), content_type=CONTENT_TYPE, headers=sent
    )


def from_error(error: LighthouseError, request_id: str) -> web.Response | None:
    """The answer to an expected error; None where it is the bridge's own fault."""
    status = status_of(error)
    if status is None:
        return None
    return response(status, str(error), request_id, error.headers if isinstance(error, Rejected) else None)
