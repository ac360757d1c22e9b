"""Who may do what, and when: each move with the states it belongs to and whose it is."""

from typing import Literal

from lighthouse.collaboration.collaboration import Collaboration, Kind, State, Suggestion
from lighthouse.collaboration.errors import AlreadyReviewed, NoSuchSuggestion, TooMuchGoingOn, WrongMove
from lighthouse.sessions import Identity, NotAllowed, allows

Move = Literal[
    "joined", "said", "left", "closed", "accepted", "declined", "suggested", "reviewed", "completed"
]

MAX_EVENTS = 2000
MAX_SUGGESTIONS = 100

STATES: dict[Kind, dict[Move, frozenset[State]]] = {
    "collaboration": {
        "joined": frozenset(("open",)),
        "said": frozenset(("open",)),
        "left": frozenset(("open",)),
        "closed": frozenset(("open",)),
    },
    "pair": {
        "accepted": frozenset(("requested",)),
        "declined": frozenset(("requested",)),
        "said": frozenset(("active",)),
        "suggested": frozenset(("active",)),
        "reviewed": frozenset(("active",)),
        "completed": frozenset(("active",)),
        "closed": frozenset(("requested", "active")),
    },
}
# What can be done as often as one likes has to stop somewhere; what leads to an end has not.
_COUNTED: frozenset[Move] = frozenset(("joined", "said", "suggested", "reviewed"))


def check(session: Collaboration, move: Move, by: Identity) -> None:
    """Raise unless this one may do this now: WrongMove, NotAllowed, TooMuchGoingOn."""
    states = STATES[session.kind].get(move)
    if states is None:
        other = "pair session" if session.kind == "pair" else "collaboration"
        raise WrongMove(f"{session.id} is a {other}", f"nothing can be {move} in one")
    if not _whose(session, move, by):
        raise NotAllowed(f"{session.id} is not yours for that", _told(session, move))
    if session.ended:
        raise over(session)
    if session.state not in states:
        raise WrongMove(f"{session.id} is {session.state}", f"that is for one that is {_names(states)}")
    if move in _COUNTED and session.events >= MAX_EVENTS:
        raise TooMuchGoingOn(f"{MAX_EVENTS} things have happened in {session.id}", "end it, begin another")
    if move == "suggested" and len(session.suggestions) >= MAX_SUGGESTIONS:
        raise TooMuchGoingOn(f"{session.id} has {MAX_SUGGESTIONS} suggestions", "end it, begin another")


def is_done(session: Collaboration, move: Move, by: Identity) -> bool:
    """Whether it is as the move would make it, so that a repeated one is no mistake."""
    if session.ended or move not in STATES[session.kind] or by.agent_id not in session.members:
        return False
    return move == "joined" or (move == "accepted" and by.agent_id in session.asked)


def check_review(session: Collaboration, suggestion_id: str, by: Identity) -> Suggestion:
    """The suggestion that this one may review. Raises NoSuchSuggestion, NotAllowed, AlreadyReviewed."""
    suggestion = session.suggestion(suggestion_id)
    if suggestion is None:
        raise NoSuchSuggestion(
            f"{session.id} has no suggestion {suggestion_id[:40]!r}", "see GET /collaboration/{id}"
        )
    if suggestion.agent_id == by.agent_id:
        raise NotAllowed(f"{suggestion.id} is your own", "your partner reviews it")
    if suggestion.verdict is not None:
        raise AlreadyReviewed(f"{suggestion.id} has its verdict: {suggestion.verdict}", "make another one")
    return suggestion


def over(session: Collaboration) -> WrongMove:
    """Why nothing can be done in it any more."""
    return WrongMove(f"{session.id} is {session.state} already", "begin another one")


def _whose(session: Collaboration, move: Move, by: Identity) -> bool:
    agent = by.agent_id
    inside, person = agent in session.members, allows(by.role, "collaboration.any")
    match move:
        case "joined":
            return person or inside or agent in session.asked or agent == session.agent_id
        case "accepted" | "declined":
            return agent in session.asked
        case "left":
            return inside or agent in session.invited
        case "closed":
            return person or (inside if session.kind == "pair" else agent == session.agent_id)
    return inside


def _told(session: Collaboration, move: Move) -> str:
    match move:
        case "joined" | "accepted" | "declined":
            return f"it is for {', '.join(session.asked)}"
        case "closed" if session.kind == "collaboration":
            return f"{session.agent_id} or an operator closes it; leave it instead"
    return f"in it are {', '.join(session.members) or 'none'}"


def _names(states: frozenset[State]) -> str:
    return " or ".join(sorted(states))
