"""The project as a read-only file system: what the log and the shadow hold, for ordinary tools to look at."""

from lighthouse.mount.mount import Mount
from lighthouse.mount.mountpoint import MountRefused

__all__ = ["Mount", "MountRefused"]
