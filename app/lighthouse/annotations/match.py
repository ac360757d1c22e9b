"""Which declaration of one version is which of another: by name where it stands, then by what is in it.

The order is that of tree differencing (Falleri et al., "GumTree", 2014: from the top down, then what is
left), the measure the Dice coefficient over shingles of the tokens. A declaration is paired once: one that
was there before and still is cannot be what another one became.
"""

from collections.abc import Iterable, Sequence

from lighthouse.annotations.align import increasing
from lighthouse.annotations.document import Document
from lighthouse.annotations.syntax import Unit
from lighthouse.annotations.text import dice

SIBLING, ANYWHERE, NAMED = 0.6, 0.75, 0.5
"""How alike two have to be: under the same parent, anywhere, and anywhere with the same name."""
_TAKEN_OVER, _HOLLOW = 0.8, 0.4
_MARGIN = 0.08
_MOST_COMPARED = 10_000

Pairs = dict[Unit, Unit]


class Matching:
    """The declarations of `old` paired with those of `new`."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old, self.new = old, new
        self.pairs: Pairs = {}
        self._back: Pairs = {}
        self._level(old.outline.roots, new.outline.roots)
        self._left_over()
        self._moved: set[Unit] | None = None

    def is_new(self, unit: Unit) -> bool:
        """Whether a declaration of `new` is none that `old` had."""
        return unit not in self._back

    def moved(self, unit: Unit) -> bool:
        """Whether a paired declaration, or one around it, stands under another parent or in another order."""
        if self._moved is None:
            self._moved = set(self._out_of_order())
        return any(around in self._moved for around in unit.chain())

    def similarity(self, left: Unit, right: Unit) -> float:
        """How alike the two are, their own names aside."""
        return dice(self.old.body(left), self.new.body(right))

    @classmethod
    def within(cls, old: Document, new: Document, left: Unit, right: Unit) -> "Matching":
        """Only what stands within two declarations that are each other's counterpart."""
        matching = cls.__new__(cls)
        matching.old, matching.new, matching._moved = old, new, None
        matching.pairs, matching._back = {left: right}, {right: left}
        matching._level(left.children, right.children)
        return matching

    def _level(self, old: Sequence[Unit], new: Sequence[Unit]) -> None:
        """Pair siblings by name, then renamed ones by their content, then go down into the pairs."""
        todo = [(old, new)]
        while todo:
            olds, news = todo.pop()
            paired = self._by_name(olds, news)
            free_old = [unit for unit in olds if unit not in self.pairs]
            free_new = [unit for unit in news if unit not in self._back]
            paired += self._by_content(free_old, free_new, SIBLING)
            todo += [(left.children, right.children) for left, right in paired]

    def _by_name(self, olds: Sequence[Unit], news: Sequence[Unit]) -> list[tuple[Unit, Unit]]:
        by_name: dict[tuple[str, str], list[Unit]] = {}
        for unit in news:
            by_name.setdefault((unit.group, unit.name), []).append(unit)
        names = {(unit.group, unit.name) for unit in olds}
        strangers = [unit for unit in news if (unit.group, unit.name) not in names]
        paired: list[tuple[Unit, Unit]] = []
        for key in sorted(names):
            lefts = [unit for unit in olds if (unit.group, unit.name) == key]
            rights = by_name.get(key, [])
            if len(lefts) == len(rights) == 1:
                [left], [right] = lefts, rights
                paired.append((left, self._heir(left, right, strangers)))
                if paired[-1][1] in strangers:
                    strangers.remove(paired[-1][1])
                self._pair(*paired[-1])
            elif len(lefts) == len(rights):
                for left, right in zip(lefts, rights, strict=True):
                    self._pair(left, right)
                    paired.append((left, right))
            elif rights:
                paired += self._by_content(lefts, rights, SIBLING)
        return paired

    def _heir(self, left: Unit, right: Unit, strangers: Sequence[Unit]) -> Unit:
        """The namesake, unless its content went to a new neighbour and left a hollow name behind."""
        if not strangers or self.similarity(left, right) >= _HOLLOW:
            return right
        ranked = [
            (self.similarity(left, other), other)
            for other in strangers[:100]
            if other.group == left.group and self._comparable(left, other, _TAKEN_OVER)
        ]
        good = [other for score, other in ranked if score >= _TAKEN_OVER]
        return good[0] if len(good) == 1 else right

    def _by_content(
        self, olds: Sequence[Unit], news: Sequence[Unit], least: float
    ) -> list[tuple[Unit, Unit]]:
        """Pair those that are each other's only good counterpart."""
        if len(olds) * len(news) > _MOST_COMPARED:
            return []
        scores = {
            (left, right): self.similarity(left, right)
            for left in olds
            for right in news
            if left.group == right.group and self._comparable(left, right, least)
        }
        ranks: dict[Unit, list[float]] = {}
        for (left, right), score in scores.items():
            ranks.setdefault(left, []).append(score)
            ranks.setdefault(right, []).append(score)
        for values in ranks.values():
            values.sort(reverse=True)
        paired = [
            (left, right)
            for (left, right), score in scores.items()
            if score >= least and all(_leads(score, ranks[unit]) for unit in (left, right))
        ]
        for left, right in paired:
            self._pair(left, right)
        return paired

    def _left_over(self) -> None:
        """What stands under another parent now."""
        for named in (True, False):
            olds = [unit for unit in self.old.outline.walk() if unit not in self.pairs]
            news = [unit for unit in self.new.outline.walk() if unit not in self._back]
            if not olds or not news:
                return
            if named:
                for name in sorted({unit.name for unit in olds} & {unit.name for unit in news}):
                    self._go_down(
                        self._by_content(
                            [unit for unit in olds if unit.name == name],
                            [unit for unit in news if unit.name == name],
                            NAMED,
                        )
                    )
            else:
                self._go_down(self._by_content(olds, news, ANYWHERE))

    def _go_down(self, paired: Iterable[tuple[Unit, Unit]]) -> None:
        for left, right in paired:
            olds = [unit for unit in left.children if unit not in self.pairs]
            news = [unit for unit in right.children if unit not in self._back]
            self._level(olds, news)

    def _comparable(self, left: Unit, right: Unit, least: float) -> bool:
        """Whether sizes alone do not rule the score out: Dice is at most twice the smaller over the sum."""
        a, b = self.old.body(left).total(), self.new.body(right).total()
        return 2 * min(a, b) >= least * (a + b)

    def _pair(self, left: Unit, right: Unit) -> None:
        if left not in self.pairs and right not in self._back:
            self.pairs[left] = right
            self._back[right] = left

    def _out_of_order(self) -> Iterable[Unit]:
        groups: dict[Unit | None, list[Unit]] = {}
        for left, right in self.pairs.items():
            parent = self.pairs.get(left.parent) if left.parent is not None else None
            if parent is not right.parent:
                yield left
            else:
                groups.setdefault(left.parent, []).append(left)
        for siblings in groups.values():
            siblings.sort(key=lambda unit: unit.index)
            kept = increasing([self.pairs[unit].index for unit in siblings])
            yield from (unit for place, unit in enumerate(siblings) if place not in kept)


def _leads(score: float, ranked: Sequence[float]) -> bool:
    """Whether `score` is the best of `ranked`, and clearly so."""
    return score == ranked[0] and (len(ranked) == 1 or ranked[1] < score - _MARGIN)
