"""The folder of policies: loaded, followed, and never left for a set that does not check."""

from pathlib import Path

from lighthouse.policy.rules import BadPolicy, Rules, default_texts, read_texts

POLICIES = Path("/etc/lighthouse/policies")
# In force while a folder's policies were never good: nothing is allowed without somebody who looks.
_LOCKED = """
@id("policies-are-broken")
@tier("high")
@reason("the policies cannot be read, so nothing is allowed by itself")
@suggestion("lighthouse policy check tells what is wrong")
forbid (principal, action, resource);
"""
_Signature = tuple[tuple[str, int, int, int], ...]


class PolicyFolder:
    """The rules of a folder, or the shipped ones where it is not there. Call `refresh` now and then."""

    def __init__(self, folder: Path = POLICIES) -> None:
        self._folder = folder
        self._seen: _Signature | None = None
        self.problem: str | None = None
        self.rules = Rules({"locked.cedar": _LOCKED})
        self._load(self._signature())

    @property
    def folder(self) -> Path:
        """Where the policies are looked for."""
        return self._folder

    def refresh(self) -> bool:
        """Load anew if a file came, went or changed. True when other rules are in force afterwards."""
        signature = self._signature()
        return signature != self._seen and self._load(signature)

    def _load(self, signature: _Signature | None) -> bool:
        self._seen = signature
        try:
            rules = Rules(load_texts(self._folder))
        except BadPolicy as error:
            self.problem = str(error)
            return False
        self.problem = None
        changed = rules.version != self.rules.version
        self.rules = rules
        return changed

    def _signature(self) -> _Signature | None:
        """What changes when a file does; None where there is no folder."""
        try:
            files = sorted(file for file in self._folder.iterdir() if file.suffix == ".cedar")
            return tuple((file.name, *_state(file)) for file in files)
        except FileNotFoundError:
            return None
        except OSError as error:
            return ((str(error), 0, 0, 0),)


def load_texts(folder: Path) -> dict[str, str]:
    """The policies of the folder; the shipped ones where there is none. Raises BadPolicy.

    A link to nowhere or a folder out of reach is not none: somebody's own policies should be there.
    """
    try:
        folder.lstat()
    except FileNotFoundError:
        return default_texts()
    except OSError:
        pass  # read_texts says what is the matter
    return read_texts(folder)


def _state(file: Path) -> tuple[int, int, int]:
    found = file.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
