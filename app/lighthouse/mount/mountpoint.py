"""The path a mount is made on: whether it can be used, what a dead server left there, letting go of it."""

import errno
import os
import re
import subprocess
from pathlib import Path

from lighthouse.errors import LighthouseError

FUSE_CONF = Path("/etc/fuse.conf")
FUSE_DEVICE = os.makedev(10, 229)
INHERITED = re.compile(r"/dev/fd/([0-9]{1,9})")
# What is read has modes, and the kernel judges by them. What is written belongs to everybody who gets as far
# as the mount; nothing there is executed on this machine before a person took it over.
READING = frozenset({"ro", "default_permissions"})
WRITING = frozenset({"noexec"})


class MountRefused(LighthouseError):
    """The mount cannot be made or served there. Nothing is mounted then."""


def inherited_descriptor(target: str) -> int | None:
    """N for `/dev/fd/N`, else None. Raises MountRefused if descriptor N is not an open /dev/fuse."""
    match = INHERITED.fullmatch(target)
    if match is None:
        return None
    fd = int(match[1])
    try:
        device = os.fstat(fd).st_rdev
    except OSError:
        device = 0
    if device != FUSE_DEVICE:
        raise MountRefused(f"descriptor {fd} is not an open /dev/fuse", "hand over the one fusermount3 gave")
    return fd


def options(kind: frozenset[str], fuse_conf: Path = FUSE_CONF) -> set[str]:
    """Options for a mount of our own. Others may look, as modes allow, where we may say so.

    Where nobody judges by modes, others are let in only by a mount that is handed over, behind a folder
    that keeps strangers out.
    """
    chosen = kind | {"nosuid", "nodev", "noatime", "fsname=lighthouse", "subtype=lighthouse"}
    if "default_permissions" in kind and (os.geteuid() == 0 or _allows_other(fuse_conf)):
        chosen |= {"allow_other"}
    return set(chosen)


def _allows_other(fuse_conf: Path) -> bool:
    try:
        return any(line.strip() == "user_allow_other" for line in fuse_conf.read_text().splitlines())
    except OSError:
        return False


def is_mounted(path: str, mounts: Path = Path("/proc/self/mountinfo")) -> bool:
    """Whether something is mounted on `path`; asks the mount table, so it never waits for a server."""
    wanted = os.fsencode(path)
    fields = (line.split(b" ") for line in mounts.read_bytes().splitlines())
    return any(_unescape(field[4]) == wanted for field in fields)


def _unescape(field: bytes) -> bytes:
    return re.sub(rb"\\([0-7]{3})", lambda octal: bytes([int(octal[1], 8)]), field)


def prepare(target: str, project: Path) -> str:
    """Make `target` fit to be mounted on; returns it without links or dots. Blocks: call it in a thread.

    A dead mount there is detached, a missing folder is made. Raises MountRefused for a living mount, for a
    folder that holds something, for what is no folder, and where mount and project would contain each other.
    """
    path = Path(target)
    # Not resolve(): it would walk into the mount.
    parent = path.absolute().parent.resolve()
    place = str(parent / path.name)
    captured = project.resolve()
    if captured.is_relative_to(place) or Path(place).is_relative_to(captured):
        raise MountRefused(f"{place} and the project {captured} overlap", "mount outside the project")
    for _ in range(8):
        if not is_mounted(place):
            break
        if _answers(place):
            raise MountRefused(f"{place} is mounted already", "stop its server or name another mount point")
        detach(place)
    try:
        Path(place).mkdir(mode=0o750, parents=True, exist_ok=True)
        if next(Path(place).iterdir(), None) is not None:
            raise MountRefused(f"{place} is not empty", "name an empty folder as mount point")
    except OSError as error:
        raise MountRefused(
            f"{place} cannot be a mount point: {error.strerror}", "name an empty folder"
        ) from error
    return place


def _answers(place: str) -> bool:
    """Whether a mount has a living server."""
    try:
        # Unlike stat, never answered from the kernel's cache.
        os.statvfs(place)
    except OSError as error:
        return error.errno not in (errno.ENOTCONN, errno.ECONNABORTED)
    return True


def detach(place: str) -> None:
    """Unmount lazily, as the user we are. Raises MountRefused. Blocks for the length of one small command."""
    try:
        done = subprocess.run(  # noqa: S603  (a path, behind --)
            ["fusermount3", "-u", "-z", "--", place],  # noqa: S607  (wherever the distribution has it)
            capture_output=True,
            timeout=10,
            check=False,
        )
        reason = done.stderr.decode("utf-8", "replace").strip()
    except (OSError, subprocess.TimeoutExpired) as error:
        reason = str(error)
    if is_mounted(place) and not _detached_as_root(place):
        raise MountRefused(f"{place} cannot be unmounted: {reason}", f"run: umount -l {place}")


def _detached_as_root(place: str) -> bool:
    if os.geteuid() != 0:
        return False
    command = ["umount", "-l", "--", place]
    return subprocess.run(command, capture_output=True, timeout=10, check=False).returncode == 0  # noqa: S603
