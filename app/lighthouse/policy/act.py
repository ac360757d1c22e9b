"""What a tool call would do: acts, each of one kind on one target, and the facts of a whole call."""

from dataclasses import dataclass, field

from lighthouse.policy.vocabulary import listed

# Every action that policies may name. `schema.cedarschema` lists the same; a test holds them together.
ACTIONS = listed("act", "actions")


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that a call would do.

    `place` says where it lands (see `places.PLACES`), `target` names it (a path, a host, a service's verb),
    `program` is what does it, `detail` says more for people.
    """

    action: str
    place: str = ""
    target: str = ""
    program: str = ""
    recursive: bool = False
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Program:
    """A program that would run, with its arguments as far as they are known, and what it would run within."""

    name: str
    arguments: tuple[str, ...]
    within: tuple[str, ...] = ()


@dataclass(slots=True)
class Facts:
    """All that is known of one tool call; policies judge each act, and the call is as good as its worst.

    `rewrites` are files that would change or go besides: no policy is asked about them, for nothing is lost,
    but others may have leased them.
    """

    tool: str
    programs: list[Program] = field(default_factory=list)
    acts: list[Act] = field(default_factory=list)
    rewrites: list[Act] = field(default_factory=list)

    @property
    def uncertain(self) -> list[str]:
        """Why the call was not understood in full; empty when it was."""
        return [act.detail for act in self.acts if act.action == "uncertain"]
