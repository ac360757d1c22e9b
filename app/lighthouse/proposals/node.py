"""What lies in a proposal: an object for each file, link and folder that was changed or is looked at."""

from typing import TYPE_CHECKING

from lighthouse.paths import ProjectPath
from lighthouse.shadow.entry import FOLDER, Entry, Kind

if TYPE_CHECKING:
    from lighthouse.proposals.scratch import Live


class Node:
    """One file, link or folder. It keeps its identity, and so its inode, when it is renamed or written.

    `own`: the proposal's, not only the base's; such a node lives as long as it is there. Others are made when
    they are looked for, and dropped when the kernel forgets them. `gone`: removed, perhaps still open;
    `replaced`: by a rebase or the proposal's end, and not by whoever works there.
    `by`: the user who changed it last. `uid` and `gid`: whom it is shown to belong to, if somebody made it;
    nothing hangs on that.
    `inode` and `lookups` are the mount's: the number given out, and how often the kernel was told of it.
    """

    __slots__ = (
        "atime_ns",
        "by",
        "ctime_ns",
        "gid",
        "gone",
        "inode",
        "lookups",
        "mode",
        "mtime_ns",
        "name",
        "own",
        "parent",
        "replaced",
        "uid",
    )

    kind: Kind

    def __init__(self, name: bytes, parent: "Folder | None", mode: int, mtime_ns: int, *, own: bool) -> None:
        self.name = name
        self.parent = parent
        self.mode = mode
        self.mtime_ns = self.ctime_ns = self.atime_ns = mtime_ns
        self.own = own
        self.gone = self.replaced = False
        self.by: int | None = None
        self.uid: int | None = None
        self.gid: int | None = None
        self.inode = 0
        self.lookups = 0

    def path(self) -> ProjectPath:
        """Its path from the proposal's root, as it is now or was when it was removed."""
        names = []
        node: Node = self
        while node.parent is not None:
            names.append(node.name)
            node = node.parent
        return tuple(reversed(names))


class Leaf(Node):
    """A file or a link. `size` and `hash` are those of the content that is kept; of a link, of its target.

    `base`: the entry of the base that it comes from, wherever it lies now. `pending`: no event tells of it
    yet. `live`: the state of a file that is open. `charged`: bytes of it that count against the quota.
    """

    __slots__ = ("base", "charged", "hash", "kind", "live", "pending", "size")

    def __init__(
        self,
        name: bytes,
        parent: "Folder | None",
        kind: Kind,
        mode: int,
        mtime_ns: int,
        content: tuple[bytes, int],
        *,
        base: Entry | None = None,
        own: bool,
    ) -> None:
        super().__init__(name, parent, mode, mtime_ns, own=own)
        self.kind = kind
        self.hash, self.size = content
        self.base = base
        self.pending = False
        self.live: Live | None = None
        self.charged = 0

    @property
    def captured(self) -> bool:
        """Whether the base holds its content: what could not be captured cannot be changed."""
        return self.base is None or self.base.mark is None

    @property
    def own_bytes(self) -> int:
        """The size of its kept content, if that is the proposal's and not the base's."""
        return 0 if self.base is not None and self.hash == self.base.hash else self.size


class Folder(Node):
    """A folder. What lies in the base at `origin` lies in it too, but for the names in `hidden`.

    `kids`: the nodes in it that exist as objects; they come before what the base has under the same name.
    """

    __slots__ = ("hidden", "kids", "origin")

    kind = FOLDER

    def __init__(
        self,
        name: bytes,
        parent: "Folder | None",
        mode: int,
        mtime_ns: int,
        *,
        origin: ProjectPath | None = None,
        own: bool,
    ) -> None:
        super().__init__(name, parent, mode, mtime_ns, own=own)
        self.origin = origin
        self.kids: dict[bytes, Node] = {}
        self.hidden: set[bytes] = set()
