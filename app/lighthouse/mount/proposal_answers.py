"""What all answers on the proposals' mount have in common: numbers for errors, attributes, who is meant."""

import errno
import functools
import logging
import stat
import time
from collections import Counter
from collections.abc import Callable, Coroutine
from typing import Any, Concatenate, NoReturn, ParamSpec, TypeVar

from lighthouse.errors import LighthouseError
from lighthouse.events import NoRoom, StoreBusy
from lighthouse.mount.attributes import KEEP
from lighthouse.mount.fuse import WRITE
from lighthouse.mount.proposal_handles import Handles
from lighthouse.mount.proposal_inodes import Inodes, PatchFile, Place
from lighthouse.mount.reading import Reading
from lighthouse.proposals import BadProposal, NoSuchProposal, OverQuota, Proposal, Proposals, ProposalTaken
from lighthouse.proposals.node import Folder, Leaf, Node
from lighthouse.shadow.entry import FILE, FOLDER, LINK

log = logging.getLogger(__name__)

PATCH_MODE = stat.S_IFREG | 0o440
_TYPES = {FILE: stat.S_IFREG, FOLDER: stat.S_IFDIR, LINK: stat.S_IFLNK}

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound="Answers")


def answered(
    operation: Callable[Concatenate[S, P], Coroutine[Any, Any, R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Count the operation, and turn what goes wrong in it into the errno that a disk would give."""
    name = operation.__name__

    @functools.wraps(operation)
    async def answer(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        self.count[name] += 1
        try:
            return await operation(self, *args, **kwargs)
        except WRITE.FUSEError:
            raise
        except Exception as error:
            number = _errno(error)
            if number == errno.EIO:
                log.exception("operation %s on the proposals failed", name)
            raise WRITE.FUSEError(number) from None

    return answer


def _errno(error: Exception) -> int:
    if isinstance(error, OSError) and error.errno:
        return error.errno
    by_kind: tuple[tuple[type[LighthouseError], int], ...] = (
        (NoRoom, errno.ENOSPC),
        (StoreBusy, errno.EBUSY),
        (OverQuota, errno.EDQUOT),
        (ProposalTaken, errno.EEXIST),
        (BadProposal, errno.EINVAL),
        (NoSuchProposal, errno.ESTALE),
    )
    return next((number for kind, number in by_kind if isinstance(error, kind)), errno.EIO)


def refuse(number: int) -> NoReturn:
    """Answer with an errno."""
    raise WRITE.FUSEError(number)


class Answers(WRITE.Operations):
    """A folder for each open proposal, and its patch beside it. `owner`: of all that nobody made here."""

    supports_dot_lookup = False

    def __init__(
        self,
        proposals: Proposals,
        inodes: Inodes,
        reading: Reading,
        owner: tuple[int, int],
        *,
        ready: Callable[[], None],
        stale: Callable[[int], None],
    ) -> None:
        """`ready` is called once the session is open, `stale` with inodes whose written bytes were lost."""
        super().__init__()
        self.count: Counter[str] = Counter()
        self._proposals = proposals
        self._editor = proposals.editor
        self._inodes = inodes
        self._reading = reading
        self._uid, self._gid = owner
        self._ready = ready
        self._stale = stale
        self._handles = Handles()
        self._mtime_ns = time.time_ns()

    def init(self) -> None:
        self._ready()

    def came_or_went(self) -> None:
        """The list of proposals changed."""
        self._mtime_ns = time.time_ns()

    def _place(self, inode: int) -> Place:
        place = self._inodes.get(inode)
        if place is None:
            refuse(errno.ESTALE)
        return place

    def _folder(self, inode: int) -> tuple[Proposal, Folder]:
        proposal, node = self._place(inode)
        if not isinstance(node, Folder):
            refuse(errno.ENOTDIR)
        return proposal, node

    def _told(self, proposal: Proposal, node: Node) -> Any:
        self._inodes.told(proposal, node)
        return self._node_attributes(node)

    def _node_attributes(self, node: Node) -> Any:
        size = 0
        if isinstance(node, Leaf):
            live = node.live
            size = live.size if live is not None and live.path is not None else node.size
        entry = self._attributes(node.inode, _TYPES[node.kind] | node.mode, size, node.mtime_ns)
        entry.st_ctime_ns, entry.st_atime_ns = node.ctime_ns, node.atime_ns
        entry.st_nlink = 0 if node.gone else 1
        entry.st_uid = self._uid if node.uid is None else node.uid
        entry.st_gid = self._gid if node.gid is None else node.gid
        return entry

    async def _patch_attributes(self, file: PatchFile) -> Any:
        if file.proposal.overlay is None:
            refuse(errno.ESTALE)
        kept = await self._proposals.patches.rendered(file.proposal)
        return self._attributes(file.inode, PATCH_MODE, kept.size, kept.mtime_ns, keep=0.0)

    def _attributes(self, inode: int, mode: int, size: int, mtime_ns: int, *, keep: float = KEEP) -> Any:
        entry = WRITE.EntryAttributes()
        entry.st_ino = inode
        entry.st_mode = mode
        # A folder too: find and others take that as "count not kept", and look.
        entry.st_nlink = 1
        entry.st_uid = self._uid
        entry.st_gid = self._gid
        entry.st_size = size
        entry.st_blocks = (size + 511) >> 9
        entry.st_atime_ns = entry.st_ctime_ns = entry.st_mtime_ns = mtime_ns
        entry.entry_timeout = KEEP
        entry.attr_timeout = keep
        return entry
