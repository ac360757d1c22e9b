"""Takes samples so that what else happens on the machine hits all contenders alike."""

import time
from collections.abc import Callable, Mapping

from bench.report import Figure

Tick = Callable[[str], None]


def interleaved(
    contenders: Mapping[str, Callable[[], float]], rounds: int, before: Callable[[str], None] | None = None
) -> dict[str, Figure]:
    """The median of each contender's figure over `rounds`, in each of which all take their turn.

    The one that begins changes from round to round. `before` is called with the contender's name ahead of each turn.
    """
    names = list(contenders)
    samples: dict[str, list[float]] = {name: [] for name in names}
    for number in range(rounds):
        start = number % len(names)
        for name in names[start:] + names[:start]:
            if before is not None:
                before(name)
            samples[name].append(contenders[name]())
    return {name: Figure.of(found) for name, found in samples.items()}


def seconds(action: Callable[[], object]) -> float:
    """How long `action` takes."""
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def percentile(samples: list[float], share: float) -> float:
    """The sample that `share` of all do not exceed (nearest rank)."""
    ranked = sorted(samples)
    return ranked[max(0, min(len(ranked) - 1, -(-int(share * 1000) * len(ranked) // 1000) - 1))]
