"""The machine: of which kind it is, how busy, and emptying its caches."""

import os
import platform
import re
import subprocess
from importlib.metadata import version
from pathlib import Path

from bench.report import Machine

DROP = Path("/proc/sys/vm/drop_caches")
_VERSIONS = {
    "bindfs": ["bindfs", "--version"],
    "GNU grep": ["grep", "--version"],
    "ripgrep": ["rg", "--version"],
    "tar": ["tar", "--version"],
}


def describe() -> Machine:
    """Cores, memory, kernel, Python and the versions of what is compared."""
    programs = {name: _version(command) for name, command in _VERSIONS.items()}
    programs["pyfuse3"] = version("pyfuse3")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    kernel = re.match(r"[0-9.]+", platform.release())
    return Machine(
        cores=len(os.sched_getaffinity(0)),
        processor=_processor(),
        memory_mib=memory,
        kernel=f"Linux {kernel.group() if kernel else ''}".strip(),
        python=platform.python_version(),
        programs=programs,
    )


def load() -> float:
    """The load average of the last minute: what else ran."""
    return round(os.getloadavg()[0], 2)


def drop_caches() -> bool:
    """Write back and forget all that is cached of files; False where this process may not."""
    os.sync()
    try:
        DROP.write_text("3\n")
    except OSError:
        return False
    return True


def _version(command: list[str]) -> str:
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    found = re.search(r"[0-9]+(\.[0-9]+)+", text)
    return found.group() if found else "unknown"


def _processor() -> str:
    info = Path("/proc/cpuinfo").read_text()
    found = re.search(r"^model name\s*:\s*(.+)$", info, re.MULTILINE)
    return found.group(1).strip() if found else platform.machine()
