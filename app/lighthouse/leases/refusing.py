"""How many leases there may be, and what callers are told who do not get one."""

from collections.abc import Sequence

from lighthouse.leases.errors import BadLease, LeaseTaken, TooManyLeases
from lighthouse.leases.held import Held, Table
from lighthouse.leases.paths import shown
from lighthouse.leases.pattern import Names, is_wild

MAX_LEASES, MAX_LEASES_OF_ONE = 500, 50
MAX_PATHS, MAX_PATHS_GLOBS = 50, 10
# What is compared with all leases at once holds up the event loop: globs in paths and in calls.
MAX_PATTERNS, MAX_GLOBS = 1000, 100


def check_size(paths: Sequence[str], names: list[Names]) -> None:
    """Raise BadLease for a lease on nothing, or on too much."""
    if not 1 <= len(paths) <= MAX_PATHS:
        raise BadLease(f"a lease has 1 to {MAX_PATHS} paths", "name folders")
    if _globs(names) > MAX_PATHS_GLOBS:
        raise BadLease(f"a lease has at most {MAX_PATHS_GLOBS} globs", "name folders")


def check_room(table: Table, own: list[Held], names: list[Names]) -> None:
    """Raise TooManyLeases where no other one fits; `own` are the caller's."""
    if len(own) >= MAX_LEASES_OF_ONE:
        raise TooManyLeases(f"you have {MAX_LEASES_OF_ONE} leases", "release some of them")
    patterns = len(names) + sum(len(held.patterns) for held in table)
    globs = _globs(names) + sum(held.globs for held in table)
    if len(table) >= MAX_LEASES or patterns > MAX_PATTERNS or globs > MAX_GLOBS:
        raise TooManyLeases(
            f"there would be {len(table) + 1} leases on {patterns} paths, {globs} of them globs",
            "lease a folder instead of much in it, or take it later",
        )


def told(names: list[Names], ways: list[Held]) -> str:
    """Who holds or waits for which of the paths."""
    found = []
    for held in ways[:3]:
        lease = held.lease
        mine = next(one for one in names if held.touches([one]))
        verb = "is waited for" if held.waits else "is leased"
        found.append(f"{shown(mine)} {verb} by {lease.agent_id} ({lease.id}) until {lease.until}")
    if len(ways) > 3:
        found.append(f"and {len(ways) - 3} more")
    return ", ".join(found)


def taken(names: list[Names], ways: list[Held], before: str = "") -> LeaseTaken:
    """The refusal of who comes too late."""
    what = told(names, ways) if ways else "it is free only now"
    return LeaseTaken(f"{before}{what}", "wait with wait_seconds, or ask the holder to release it")


def _globs(names: list[Names]) -> int:
    return sum(any(map(is_wild, one)) for one in names)
