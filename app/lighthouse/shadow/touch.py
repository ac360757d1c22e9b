"""Which entries a scan shall look at: a tree of names, as far down as something happened."""

from lighthouse.paths import ProjectPath


class Touch:
    """For one entry. `names`: touches of entries beneath it.

    `named`: something happened to the entry itself. A file is read again, a folder is looked at whole.
    """

    __slots__ = ("named", "names")

    def __init__(self, *, named: bool = False) -> None:
        self.named = named
        self.names: dict[bytes, Touch] = {}

    def add(self, path: ProjectPath) -> None:
        """Name the entry at `path` beneath this one; `()` is this one."""
        touch = self
        for name in path:
            below = touch.names.get(name)
            if below is None:
                below = touch.names[name] = Touch()
            touch = below
        touch.named = True

    def __bool__(self) -> bool:
        return self.named or bool(self.names)
