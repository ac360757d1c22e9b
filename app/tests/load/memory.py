"""How much memory a process has."""

import re
from pathlib import Path


def resident(pid: int) -> float:
    """In megabytes."""
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"^VmRSS:\s+([0-9]+) kB$", status, re.MULTILINE)
    assert found is not None
    return int(found.group(1)) * 1024 / 1e6
