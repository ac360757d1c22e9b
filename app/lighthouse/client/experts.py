"""Experts: who is asked about tool calls that the policies leave in doubt."""

from collections.abc import Sequence

from lighthouse.client.answers_experts import Expert, ExpertList
from lighthouse.client.asking import Asking, given


class Experts(Asking):
    """Experts, and being one."""

    async def register_expert(
        self,
        speciality: str,
        *,
        languages: Sequence[str] = (),
        paths: Sequence[str] = (),
        risks: Sequence[str] = (),
        ttl_seconds: int | None = None,
    ) -> Expert:
        """Be asked about calls that this covers, an empty list being no limit. Again: be there still."""
        body = {
            "speciality": speciality,
            "languages": list(languages),
            "paths": list(paths),
            "risks": list(risks),
            "ttl_seconds": ttl_seconds,
        }
        answer = await self._ask("POST", "/expert/register", body=given(body), repeatable=True)
        return self._transport.decode(answer, Expert)

    async def experts(self) -> list[Expert]:
        """Everyone who ever registered, there or not."""
        answer = await self._ask("GET", "/experts", repeatable=True)
        return self._transport.decode(answer, ExpertList).experts
