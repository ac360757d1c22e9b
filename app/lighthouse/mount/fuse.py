"""Two copies of pyfuse3, one for each connection: libfuse's session sits in globals of the extension.

Their classes are different ones: a connection's operations answer with what its own copy brings.
"""

import importlib
import importlib.util
import os
import sys
from importlib.machinery import ExtensionFileLoader
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import pyfuse3

__all__ = ["READ", "WRITE"]

# The last part of the name is what the extension was built as; app/pyfuse3/build-wheel ships it so.
TWIN = "pyfuse3_twin.pyfuse3"


def load_twin() -> ModuleType:
    """The copy of pyfuse3 that our own wheel brings; beside a stock pyfuse3, a copy made in memory."""
    try:
        return importlib.import_module(TWIN)
    except ModuleNotFoundError:
        return _load_copy()


def _load_copy() -> ModuleType:
    # The dynamic loader knows a library by its inode, so it has to be another file.
    original = Path(pyfuse3.__file__)
    file = os.memfd_create("pyfuse3")
    try:
        with open(file, "wb", closefd=False) as copy:
            copy.write(original.read_bytes())
        path = f"/proc/self/fd/{file}"
        loader = ExtensionFileLoader(TWIN, path)
        spec = importlib.util.spec_from_file_location(
            TWIN, path, loader=loader, submodule_search_locations=[str(original.parent)]
        )
        if spec is None:
            raise ImportError(f"pyfuse3 cannot be loaded twice: {original}")
        module = importlib.util.module_from_spec(spec)
        parent = TWIN.partition(".")[0]
        sys.modules[parent] = ModuleType(parent)
        sys.modules[TWIN] = module
        loader.exec_module(module)
    finally:
        os.close(file)
    return module


if TYPE_CHECKING:
    import pyfuse3 as READ
    import pyfuse3 as WRITE
else:
    # The project's shadow: /mnt/lighthouse/project.
    READ = pyfuse3
    # The proposals: /mnt/lighthouse/proposals.
    WRITE = load_twin()
