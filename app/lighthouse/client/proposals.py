"""Proposals: writable copies of the project, to be looked at and applied."""

from urllib.parse import quote

from lighthouse.client.answers_proposals import (
    Proposal,
    ProposalPage,
    ProposalStanding,
    ProposalState,
    ShownProposal,
)
from lighthouse.client.asking import Asking, given


class Proposals(Asking):
    """Making, looking at and ending proposals. Their files are written in the mount."""

    async def create_proposal(
        self, name: str, *, base: str | int | None = None, title: str = "", uid: int | None = None
    ) -> Proposal:
        """A new proposal on the version at `base` (None: the present); what user `uid` does in it is ours."""
        moment = None if base is None else str(base)
        body = given({"name": name, "base": moment, "title": title, "uid": uid})
        return self._transport.decode(await self._ask("POST", "/proposal/create", body=body), Proposal)

    async def proposals(self, state: ProposalState | None = None) -> list[Proposal]:
        """Every proposal, the oldest first."""
        answer = await self._ask("GET", "/proposals", query=given({"state": state}), repeatable=True)
        return self._transport.decode(answer, ProposalPage).proposals

    async def proposal(self, name: str) -> ShownProposal:
        """One proposal with the files it changes."""
        return self._transport.decode(await self._ask("GET", _path(name), repeatable=True), ShownProposal)

    async def proposal_patch(self, name: str) -> bytes:
        """What a proposal changes, as a patch that `git apply` takes."""
        return (await self._ask("GET", _path(name, "diff"), repeatable=True)).body

    async def rebase_proposal(self, name: str) -> ProposalStanding:
        """Put a proposal on the present version; Refused (409) with the files that cannot be merged."""
        return await self._act(name, "rebase", {})

    async def withdraw_proposal(self, name: str, reason: str = "") -> ProposalStanding:
        """End a proposal that shall not be applied."""
        return await self._act(name, "withdraw", {"reason": reason})

    async def mark_proposal_applied(self, name: str) -> ProposalStanding:
        """End a proposal that was applied; a project that matches it is found without this."""
        return await self._act(name, "applied", {})

    async def _act(self, name: str, action: str, body: dict[str, str]) -> ProposalStanding:
        return self._transport.decode(
            await self._ask("POST", _path(name, action), body=body), ProposalStanding
        )


def _path(name: str, *more: str) -> str:
    return "/".join(("/proposal", quote(name, safe=""), *more))
