"""Verdicts on tool calls: asking for one, answering what waits for somebody, and rules that answers left."""

from collections.abc import Mapping
from typing import Any, Literal
from urllib.parse import quote

from lighthouse.client.answers_validations import (
    Approval,
    Remember,
    RememberedRule,
    RulePage,
    Validation,
    ValidationPage,
    Verdict,
)
from lighthouse.client.asking import Asking, given


class Validations(Asking):
    """Verdicts on tool calls."""

    async def validate(
        self,
        tool_name: str,
        tool_input: Mapping[str, Any],
        *,
        cwd: str | None = None,
        wait_seconds: float = 0.0,
    ) -> Verdict:
        """Whether the call may be made; `cwd` is where. An escalated one is waited for as long as asked.

        To ask again while a request waits is to wait for the same one.
        """
        body = {
            "tool_name": tool_name,
            "tool_input": tool_input,
            "cwd": cwd,
            "wait_seconds": wait_seconds or None,
        }
        answer = await self._ask(
            "POST", "/validate", body=given(body), repeatable=True, wait_seconds=wait_seconds
        )
        return self._transport.decode(answer, Verdict)

    async def validation(self, validation_id: str, *, wait_seconds: float = 0.0) -> Validation:
        """A call and all that was said to it; one that waits is waited for as long as asked."""
        answer = await self._ask(
            "GET",
            f"/validate/{quote(validation_id, safe='')}",
            query={"wait_seconds": str(wait_seconds)} if wait_seconds else None,
            repeatable=True,
            wait_seconds=wait_seconds,
        )
        return self._transport.decode(answer, Validation)

    async def approvals(
        self,
        state: Literal["pending", "resolved"] = "pending",
        *,
        limit: int = 100,
        cursor: str | None = None,
        answerable: bool = False,
        wait_seconds: float = 0.0,
    ) -> ValidationPage:
        """What waits for an answer, the oldest first, or what got one.

        `answerable`: what this agent may still answer. While nothing waits, it is waited as long as asked.
        """
        query = given(
            {
                "state": state,
                "limit": str(limit),
                "cursor": cursor,
                "answerable": "true" if answerable else None,
                "wait_seconds": str(wait_seconds) if wait_seconds else None,
            }
        )
        answer = await self._ask("GET", "/approvals", query=query, repeatable=True, wait_seconds=wait_seconds)
        return self._transport.decode(answer, ValidationPage)

    async def answer_validation(
        self, validation_id: str, verdict: Approval, reason: str, *, remember: Remember | None = None
    ) -> Validation:
        """Answer what another asked; on return it is on disk. Refused (409) where it was answered already."""
        body: dict[str, Any] = {"id": validation_id, "verdict": verdict, "reason": reason}
        if remember is not None:
            body["remember"] = {
                "scope": remember.scope,
                "seconds": remember.seconds,
                "for": remember.circle,
            }
        return self._transport.decode(await self._ask("POST", "/approve", body=body), Validation)

    async def rules(self) -> list[RememberedRule]:
        """The rules that answers left and that still count."""
        return self._transport.decode(await self._ask("GET", "/rules", repeatable=True), RulePage).rules

    async def revoke_rule(self, rule_id: str, reason: str = "") -> RememberedRule:
        """End a remembered rule before its time."""
        where = f"/rules/{quote(rule_id, safe='')}/revoke"
        answer = await self._ask("POST", where, body=given({"reason": reason or None}))
        return self._transport.decode(answer, RememberedRule)
