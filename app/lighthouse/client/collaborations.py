"""Agents at work together: collaborations of several, and pair sessions of two."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from lighthouse.client.answers_collaborations import (
    CollaborationPage,
    CollaborationRecord,
    CollaborationStanding,
    Opinion,
    Suggested,
)
from lighthouse.client.asking import Asking, given


class Collaborations(Asking):
    """Collaborations and pair sessions, and the record of either.

    Where a call points to a `path`, with `line` (and `end_line`) or `symbol`, its text becomes a note there.
    """

    async def start_collaboration(
        self,
        topic: str,
        others: Sequence[str],
        *,
        paths: Sequence[str] = (),
        idle_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> CollaborationStanding:
        """Begin a collaboration and ask `others` to join; it ends when nothing happened for so long."""
        body = {
            "topic": topic,
            "with": list(others),
            "paths": list(paths),
            "idle_seconds": idle_seconds,
            "idempotency_key": idempotency_key,
        }
        return await self._standing("/collaboration/start", body, repeatable=idempotency_key is not None)

    async def join_collaboration(self, session_id: str) -> CollaborationStanding:
        """Come in; who is in is answered alike."""
        return await self._standing(_path(session_id, "join"), {}, repeatable=True)

    async def say(
        self,
        session_id: str,
        text: str,
        *,
        proposal: str | None = None,
        path: str | None = None,
        line: int | None = None,
        end_line: int | None = None,
        symbol: str | None = None,
        idempotency_key: str | None = None,
    ) -> CollaborationStanding:
        """Tell the others in a session of either kind something, and point to a proposal or a place."""
        body = {
            "text": text,
            "proposal": proposal,
            "anchor": _anchor(path, line, end_line, symbol),
            "idempotency_key": idempotency_key,
        }
        where = _path(session_id, "say")
        return await self._standing(where, body, repeatable=idempotency_key is not None)

    async def leave_collaboration(self, session_id: str, reason: str = "") -> CollaborationStanding:
        """Go, or decline to come. With the last one it ends."""
        return await self._standing(_path(session_id, "leave"), {"reason": reason})

    async def close_collaboration(self, session_id: str, reason: str = "") -> CollaborationStanding:
        """End a session of either kind for everybody."""
        return await self._standing(_path(session_id, "close"), {"reason": reason})

    async def collaboration(
        self, session_id: str, *, after: int = 0, limit: int = 100, wait_seconds: float = 0.0
    ) -> CollaborationRecord:
        """What happened in a session of either kind after event `after`, waited for as long as asked."""
        query = {"limit": str(limit), "cursor": f"after-{after}"} | _wait(wait_seconds)
        where = _path(session_id)
        answer = await self._ask("GET", where, query=query, repeatable=True, wait_seconds=wait_seconds)
        return self._transport.decode(answer, CollaborationRecord)

    async def collaborations(
        self,
        *,
        ended: bool = False,
        mine: bool = False,
        awaiting: bool = False,
        limit: int = 50,
        cursor: str | None = None,
        wait_seconds: float = 0.0,
    ) -> CollaborationPage:
        """Those that go on, or the last that ended. `mine`: one's own, `awaiting`: where it is one's turn.

        While there is none, it is waited as long as asked.
        """
        chosen = {"ended": ended, "mine": mine, "awaiting": awaiting}
        query = {name: "true" for name, wanted in chosen.items() if wanted}
        query |= {"limit": str(limit)} | given({"cursor": cursor}) | _wait(wait_seconds)
        answer = await self._ask(
            "GET", "/collaborations", query=query, repeatable=True, wait_seconds=wait_seconds
        )
        return self._transport.decode(answer, CollaborationPage)

    async def request_pair(
        self,
        to: str,
        goal: str,
        *,
        paths: Sequence[str] = (),
        idle_seconds: int | None = None,
        idempotency_key: str | None = None,
    ) -> CollaborationStanding:
        """Ask another agent to work on something as a pair."""
        body = {
            "to": to,
            "goal": goal,
            "paths": list(paths),
            "idle_seconds": idle_seconds,
            "idempotency_key": idempotency_key,
        }
        return await self._standing("/pair/request", body, repeatable=idempotency_key is not None)

    async def accept_pair(self, session_id: str) -> CollaborationStanding:
        """Be the partner of who asked."""
        return await self._standing("/pair/accept", {"id": session_id}, repeatable=True)

    async def decline_pair(self, session_id: str, reason: str = "") -> CollaborationStanding:
        """Refuse to be the partner of who asked."""
        return await self._standing("/pair/decline", {"id": session_id, "reason": reason})

    async def suggest(
        self,
        session_id: str,
        text: str,
        *,
        proposal: str | None = None,
        path: str | None = None,
        line: int | None = None,
        end_line: int | None = None,
        symbol: str | None = None,
        idempotency_key: str | None = None,
    ) -> Suggested:
        """Suggest a proposal, as it is now, or something at a place to the partner."""
        body = {
            "id": session_id,
            "text": text,
            "proposal": proposal,
            "anchor": _anchor(path, line, end_line, symbol),
            "idempotency_key": idempotency_key,
        }
        repeatable = idempotency_key is not None
        answer = await self._ask("POST", "/pair/suggest", body=given(body), repeatable=repeatable)
        return self._transport.decode(answer, Suggested)

    async def review_suggestion(
        self, session_id: str, suggestion_id: str, verdict: Opinion, comment: str = ""
    ) -> CollaborationStanding:
        """Say what one thinks of the partner's suggestion, once."""
        body = {"id": session_id, "suggestion": suggestion_id, "verdict": verdict, "comment": comment}
        return await self._standing("/pair/review", body)

    async def complete_pair(self, session_id: str, summary: str) -> CollaborationStanding:
        """End a pair session that has done what it was for."""
        return await self._standing("/pair/complete", {"id": session_id, "summary": summary})

    async def _standing(
        self, path: str, body: dict[str, Any], *, repeatable: bool = False
    ) -> CollaborationStanding:
        answer = await self._ask("POST", path, body=given(body), repeatable=repeatable)
        return self._transport.decode(answer, CollaborationStanding)


def _path(session_id: str, *more: str) -> str:
    return "/".join(("/collaboration", quote(session_id, safe=""), *more))


def _wait(seconds: float) -> dict[str, str]:
    return {"wait_seconds": str(seconds)} if seconds else {}


def _anchor(
    path: str | None, line: int | None, end_line: int | None, symbol: str | None
) -> dict[str, Any] | None:
    if path is None:
        return None
    return given({"path": path, "line": line, "end_line": end_line, "symbol": symbol})
