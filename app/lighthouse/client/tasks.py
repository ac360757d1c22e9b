"""Work that agents give to each other: giving it, taking it, and saying how it went."""

from typing import Any, Literal
from urllib.parse import quote

from lighthouse.client.answers_tasks import Capability, Task, TaskPage, TaskState
from lighthouse.client.asking import Asking, given


class Tasks(Asking):
    """Tasks, and the experts' part in them."""

    async def dispatch_task(
        self,
        title: str,
        body: str = "",
        *,
        to: str | Capability,
        lease_seconds: int | None = None,
        retries: int | None = None,
        deadline_seconds: int | None = None,
        idempotency_key: str | None = None,
        wait_seconds: float = 0.0,
    ) -> Task:
        """Have something done by an agent, or by whoever has a capability; on return it is on disk.

        With `wait_seconds` its end is waited for so long. The same again under the same key is the same task.
        """
        named = isinstance(to, str)
        body_sent = {
            "title": title,
            "body": body or None,
            "to": to if named else {"capability": to},
            "lease_seconds": lease_seconds,
            "retries": retries,
            "deadline_seconds": deadline_seconds,
            "idempotency_key": idempotency_key,
            "wait_seconds": wait_seconds or None,
        }
        return await self._task(
            "POST",
            "/task/dispatch",
            given(body_sent),
            repeatable=idempotency_key is not None,
            wait_seconds=wait_seconds,
        )

    async def delegate(
        self,
        title: str,
        body: str = "",
        *,
        needs: Capability,
        lease_seconds: int | None = None,
        retries: int | None = None,
        deadline_seconds: int | None = None,
        idempotency_key: str | None = None,
        wait_seconds: float = 0.0,
    ) -> Task:
        """Have something done by the expert who fits best; else as `dispatch_task`."""
        body_sent = {
            "title": title,
            "body": body or None,
            "needs": needs,
            "lease_seconds": lease_seconds,
            "retries": retries,
            "deadline_seconds": deadline_seconds,
            "idempotency_key": idempotency_key,
            "wait_seconds": wait_seconds or None,
        }
        return await self._task(
            "POST",
            "/expert/delegate",
            given(body_sent),
            repeatable=idempotency_key is not None,
            wait_seconds=wait_seconds,
        )

    async def task(self, task_id: str, *, wait_seconds: float = 0.0, after: int | None = None) -> Task:
        """A task, after waiting for its end, or for something later than the event `after`."""
        query = given(
            {
                "wait_seconds": str(wait_seconds) if wait_seconds else None,
                "after": None if after is None else str(after),
            }
        )
        where = f"/task/{quote(task_id, safe='')}"
        answer = await self._ask("GET", where, query=query, repeatable=True, wait_seconds=wait_seconds)
        return self._transport.decode(answer, Task)

    async def pending_tasks(
        self,
        *,
        mine: bool = True,
        wait_seconds: float = 0.0,
        limit: int = 50,
        cursor: str | None = None,
    ) -> TaskPage:
        """What nobody has, the oldest first; with `mine` what this agent may claim.

        While there is none, it is waited as long as asked.
        """
        query = given(
            {
                "mine": "true" if mine else None,
                "wait_seconds": str(wait_seconds) if wait_seconds else None,
                "limit": str(limit),
                "cursor": cursor,
            }
        )
        answer = await self._ask(
            "GET", "/task/pending", query=query, repeatable=True, wait_seconds=wait_seconds
        )
        return self._transport.decode(answer, TaskPage)

    async def tasks(
        self,
        *,
        state: TaskState | Literal["open"] | None = None,
        agent: str | None = None,
        limit: int = 50,
        cursor: str | None = None,
    ) -> TaskPage:
        """Those that are open and the last that ended, the latest first.

        `agent` is who dispatched it, has it, or was told of it.
        """
        query = given({"state": state, "agent": agent, "limit": str(limit), "cursor": cursor})
        return self._transport.decode(
            await self._ask("GET", "/tasks", query=query, repeatable=True), TaskPage
        )

    async def claim_task(self, task_id: str, *, idempotency_key: str | None = None) -> Task:
        """Take a task; on return it is this agent's for as long as its lease.

        Refused (409) where another has it, (403) where it is for others.
        """
        body = given({"idempotency_key": idempotency_key})
        return await self._about(task_id, "claim", body, repeatable=idempotency_key is not None)

    async def progress_task(self, task_id: str, note: str = "", *, percent: float | None = None) -> Task:
        """Say how far it is; the lease begins anew. Refused (409) where it is not this agent's any more."""
        return await self._about(task_id, "progress", given({"note": note or None, "percent": percent}))

    async def complete_task(self, task_id: str, result: Any = None) -> Task:
        """It is done; `result` is JSON of at most 64 KiB."""
        return await self._about(task_id, "complete", {"result": result}, repeatable=True)

    async def fail_task(self, task_id: str, reason: str, *, retry: bool = False) -> Task:
        """It cannot be done; with `retry` another may try, where tries are left."""
        return await self._about(task_id, "fail", {"reason": reason, "retry": retry})

    async def cancel_task(self, task_id: str, reason: str = "") -> Task:
        """It need not be done: for whoever dispatched it, and operators."""
        return await self._about(task_id, "cancel", given({"reason": reason or None}))

    async def _about(self, task_id: str, verb: str, body: Any, *, repeatable: bool = False) -> Task:
        return await self._task(
            "POST", f"/task/{quote(task_id, safe='')}/{verb}", body, repeatable=repeatable
        )

    async def _task(
        self, method: str, where: str, body: Any, *, repeatable: bool = False, wait_seconds: float = 0.0
    ) -> Task:
        answer = await self._ask(method, where, body=body, repeatable=repeatable, wait_seconds=wait_seconds)
        return self._transport.decode(answer, Task)
