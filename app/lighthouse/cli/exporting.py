"""What `events export` does: the store's events as lines of JSON, in a file that is whole or not there."""

import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import msgspec

from lighthouse.cli.output import Progress
from lighthouse.cli.store import last_seq, read_events

if TYPE_CHECKING:
    from lighthouse.events import Event

STEP = 500


class Written(msgspec.Struct, frozen=True):
    """What an export holds: the number of events, and the first and last sequence number (None: no event)."""

    events: int
    first_seq: int | None
    last_seq: int | None


def write(
    folder: Path, output: Path | None, from_seq: int, to_seq: int | None, show: Progress | None
) -> Written:
    """Write the events to `output`, readable by its owner only, or to standard output."""
    events = read_events(folder, from_seq, to_seq)
    total = last_seq(folder)
    if output is None:
        written = _lines(events, sys.stdout.buffer, total, show)
        sys.stdout.buffer.flush()
        return written
    draft = output.with_name(f".{output.name}.{os.getpid()}")
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            written = _lines(events, file, total, show)
            file.flush()
            os.fsync(descriptor)
        draft.replace(output)
    finally:
        draft.unlink(missing_ok=True)
    return written


def _lines(events: "Iterable[Event]", file: BinaryIO, total: int, show: Progress | None) -> Written:
    encode = msgspec.json.Encoder().encode
    count, first, last = 0, None, None
    for event in events:
        file.write(encode(event) + b"\n")
        count += 1
        first, last = first or event.seq, event.seq
        if show is not None and count % STEP == 0:
            show(event.seq, total)
    return Written(count, first, last)
