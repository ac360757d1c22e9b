"""docs/spec-events.md knows each type of event that is the bridge's own."""

import re
from pathlib import Path

from lighthouse.events import RESERVED_PREFIXES

DOCUMENT = Path(__file__).parents[3] / "docs" / "spec-events.md"


def test_the_types_that_only_the_bridge_writes_are_named() -> None:
    rows = [row for row in DOCUMENT.read_text().splitlines() if row.startswith("| `")]
    assert sorted(re.findall(r"`([a-z]+\.)\*`", "\n".join(rows))) == sorted(RESERVED_PREFIXES)
