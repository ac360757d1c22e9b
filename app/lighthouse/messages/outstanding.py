"""Messages that somebody has still to acknowledge: for whom, from whom, and how much of it all may be."""

from collections import Counter

import msgspec

from lighthouse.messages.message import Posted

MAX_OF_ONE = 500
MAX_FROM_ONE = 2000
MAX_BYTES_FROM_ONE = 4 * 1024 * 1024
MAX_BYTES = 32 * 1024 * 1024


class _Open(msgspec.Struct):
    posted: Posted
    waits: set[str]
    size: int


class Outstanding:
    """In memory; a start finds them again in the log."""

    def __init__(self) -> None:
        # In the order in which they were heard of, which is nearly that of their numbers.
        self._open: dict[int, _Open] = {}
        self._of: dict[str, dict[int, Posted]] = {}
        self._from: Counter[str] = Counter()
        self._bytes_from: Counter[str] = Counter()
        self._bytes = 0

    def __len__(self) -> int:
        return len(self._open)

    @property
    def agents(self) -> int:
        """How many agents have something to acknowledge."""
        return len(self._of)

    def add(self, posted: Posted, size: int) -> None:
        """It was sent, and nobody has acknowledged it."""
        waits = set(posted.recipients)
        if not waits:
            return
        self._open[posted.seq] = _Open(posted, waits, size)
        for agent_id in waits:
            self._of.setdefault(agent_id, {})[posted.seq] = posted
        self._from[posted.agent_id] += 1
        self._bytes_from[posted.agent_id] += size
        self._bytes += size

    def take(self, seq: int, agent_id: str, at: str) -> bool:
        """The agent acknowledged it; whether that is news."""
        known = self._open.get(seq)
        if known is None or agent_id not in known.waits:
            return False
        known.waits.discard(agent_id)
        known.posted.recipients[agent_id] = at
        self._close_for(agent_id, seq)
        if not known.waits:
            self._end(seq, known)
        return True

    def waits(self, seq: int, agent_id: str) -> bool:
        """Whether this agent has still to acknowledge that message."""
        known = self._open.get(seq)
        return known is not None and agent_id in known.waits

    def of(self, agent_id: str) -> list[Posted]:
        """What this agent has still to acknowledge, the oldest first."""
        return [posted for _, posted in sorted(self._of.get(agent_id, {}).items())]

    def full(self, agent_id: str) -> bool:
        """Whether this agent has as much to acknowledge as it may."""
        return len(self._of.get(agent_id, ())) >= MAX_OF_ONE

    def why_full(self, agent_id: str) -> str | None:
        """Why this one may not send more; None where it may."""
        if self._from[agent_id] >= MAX_FROM_ONE or self._bytes_from[agent_id] >= MAX_BYTES_FROM_ONE:
            return f"{self._from[agent_id]} messages of {agent_id} wait to be acknowledged already"
        if self._bytes >= MAX_BYTES:
            return f"{len(self._open)} messages wait to be acknowledged already"
        return None

    def forget(self, before: str) -> list[tuple[str, Posted]]:
        """Whoever has not acknowledged what was sent before that time is not told of it any more."""
        ended: list[tuple[str, Posted]] = []
        while self._open:
            seq, oldest = next(iter(self._open.items()))
            if oldest.posted.sent_at >= before:
                break
            for agent_id in oldest.waits:
                self._close_for(agent_id, seq)
                ended.append((agent_id, oldest.posted))
            self._end(seq, oldest)
        return ended

    def _close_for(self, agent_id: str, seq: int) -> None:
        mine = self._of[agent_id]
        del mine[seq]
        if not mine:
            del self._of[agent_id]

    def _end(self, seq: int, known: _Open) -> None:
        del self._open[seq]
        sender = known.posted.agent_id
        self._from[sender] -= 1
        self._bytes_from[sender] -= known.size
        self._bytes -= known.size
        if not self._from[sender]:
            del self._from[sender], self._bytes_from[sender]
