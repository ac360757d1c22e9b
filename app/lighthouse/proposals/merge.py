"""Three texts made one, line by line: where only one side changed something, that is taken."""

from lighthouse.shadow.lines import Block, common


def merge(base: bytes, ours: bytes, theirs: bytes) -> bytes | None:
    """Both sides' changes to `base`; None where they changed the same lines, or neighbours, differently."""
    old, a, b = _lines(base), _lines(ours), _lines(theirs)
    merged: list[bytes] = []
    i = j = k = 0
    for base_at, a_at, b_at, length in _together(old, a, b):
        was, left, right = old[i:base_at], a[j:a_at], b[k:b_at]
        if left == right or right == was:
            merged += left
        elif left == was:
            merged += right
        else:
            return None
        merged += old[base_at : base_at + length]
        i, j, k = base_at + length, a_at + length, b_at + length
    return b"".join(merged)


def _lines(text: bytes) -> list[bytes]:
    """The lines with their ends; the last one may have none, and then differs from the same line with one."""
    *whole, last = text.split(b"\n")
    lines = [line + b"\n" for line in whole]
    return [*lines, last] if last else lines


def _together(old: list[bytes], a: list[bytes], b: list[bytes]) -> list[tuple[int, int, int, int]]:
    """`(i, j, k, n)`: `n` lines that all three have, from there on; at last the three ends."""
    found: list[tuple[int, int, int, int]] = []
    left, right = common(old, a), common(old, b)
    at = to = 0
    while at < len(left) and to < len(right):
        one, other = left[at], right[to]
        first = max(one[0], other[0])
        end = min(one[0] + one[2], other[0] + other[2])
        if first < end:
            found.append((first, one[1] + first - one[0], other[1] + first - other[0], end - first))
        if _end(one) < _end(other):
            at += 1
        else:
            to += 1
    return [*found, (len(old), len(a), len(b), 0)]


def _end(block: Block) -> int:
    return block[0] + block[2]
