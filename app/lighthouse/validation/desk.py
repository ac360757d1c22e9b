"""What this room asks of the experts' room: who could answer, and to hand it to them."""

from collections.abc import Sequence
from typing import Protocol

from lighthouse.policy.verdict import Tier
from lighthouse.validation.facts import Needs
from lighthouse.validation.request import Validation


class Expert(Protocol):
    """Somebody who can answer what is of their speciality."""

    @property
    def agent_id(self) -> str:
        """Who it is."""

    @property
    def speciality(self) -> str:
        """What they know; a quorum needs two of different ones."""


class Desk(Protocol):
    """Where experts are found. All calls come on the event loop, and none may block."""

    def matching(self, needs: Needs, tier: Tier, without: str) -> Sequence[Expert]:
        """Those who are alive and fit, the best first, without the agent of that id."""

    def covers(self, agent_id: str, needs: Needs, tier: Tier) -> str | None:
        """The speciality of this one, where it is alive and fits."""

    def ask(self, agent_ids: Sequence[str], validation: Validation) -> None:
        """Hand the request to these experts."""

    def withdraw(self, validation: Validation) -> None:
        """Nobody needs to answer it any more."""
