"""The shadow's state in words and numbers: totals, and what could not be captured, with the reason."""

from typing import Any

from lighthouse.paths import to_json
from lighthouse.shadow.entry import FOLDER, Entry
from lighthouse.shadow.errors import ContentMissing
from lighthouse.shadow.folder import Folder
from lighthouse.shadow.reader import ContentReader
from lighthouse.shadow.scan import MAX_DEPTH

MAX_PROBLEMS = 100
_PREFIX = "lighthouse: not captured: "


def describe(tree: Folder, reader: ContentReader) -> dict[str, Any]:
    """Totals, and `problems` as `[{path, reason}]`, at most 100 of `problems_total`."""
    totals = tree.totals
    problems: list[dict[str, str]] = []
    for path, entry in tree.marked():
        if len(problems) == MAX_PROBLEMS:
            break
        problems.append({**to_json(path), "reason": _reason(entry, reader)})
    return {
        "files": totals.files,
        "bytes": totals.bytes,
        "unreadable": totals.unreadable,
        "too_large": totals.too_large,
        "skipped_special": totals.skipped,
        "problems": problems,
        "problems_total": totals.unreadable + totals.too_large,
    }


def _reason(entry: Entry, reader: ContentReader) -> str:
    if entry.kind == FOLDER:
        return f"the bridge cannot list this folder, or it is nested deeper than {MAX_DEPTH}"
    try:
        return reader.read(entry.hash, 0, entry.size).decode().strip().removeprefix(_PREFIX)
    except ContentMissing as error:
        return str(error)
