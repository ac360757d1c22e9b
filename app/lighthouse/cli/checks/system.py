"""The host under the bridge: kernel, group, inotify, disk."""

import grp
import os
import pwd
import re
from pathlib import Path

from lighthouse.cli.checks.bridge import Reached
from lighthouse.cli.checks.finding import Finding, read
from lighthouse.config import BadSettings, load

OLDEST_KERNEL = (4, 18)
GROUP = "lighthouse"
FEW_WATCHES = 65_536
FEW_INSTANCES = 128
LITTLE_BYTES, HARDLY_BYTES = 1024**3, 100 * 1024**2


def check(reached: Reached) -> list[Finding]:
    """All checks of this room."""
    return [judge_kernel(os.uname().release), _group(), _inotify(reached), _disk()]


def judge_kernel(release: str) -> Finding:
    """Whether a kernel of this release lets a user mount FUSE in the way the appliance does."""
    found = re.match(r"(\d+)\.(\d+)", release)
    if found and (int(found[1]), int(found[2])) >= OLDEST_KERNEL:
        return Finding("kernel", "ok", f"Linux {release}")
    return Finding(
        "kernel", "fail", f"Linux {release} is older than 4.18, which FUSE here needs", "upgrade it"
    )


def _group() -> Finding:
    try:
        group = grp.getgrnam(GROUP)
    except KeyError:
        return Finding(
            "group", "not applicable", f"there is no group {GROUP}: no appliance is installed here"
        )
    if os.geteuid() == 0 or group.gr_gid in {os.getegid(), *os.getgroups()}:
        return Finding("group", "ok", f"you may look into the mount as a member of {GROUP}")
    user = pwd.getpwuid(os.geteuid()).pw_name
    if user in group.gr_mem:
        return Finding("group", "warn", f"{user} joined {GROUP} after this login", "log in anew")
    return Finding(
        "group",
        "warn",
        f"{user} is no member of {GROUP}, and the mount is for its members",
        f"run: sudo usermod -aG {GROUP} {user}, then log in anew",
    )


def _inotify(reached: Reached) -> Finding:
    limits = [read(f"/proc/sys/fs/inotify/{name}") for name in ("max_user_watches", "max_user_instances")]
    if None in limits:
        return Finding("inotify", "not applicable", "this kernel tells no inotify limits")
    watches, instances = (int(limit or 0) for limit in limits)
    files = int(reached.status.shadow.get("files", 0)) if reached.status is not None else 0
    return judge_inotify(watches, instances, files)


def judge_inotify(watches: int, instances: int, files: int) -> Finding:
    """Whether the limits suffice: a folder takes a watch, and a project has fewer folders than files."""
    detail = f"{watches} watches and {instances} instances for each user"
    todo = "set fs.inotify.max_user_watches=1048576 and fs.inotify.max_user_instances=1024 in /etc/sysctl.d"
    if watches < max(FEW_WATCHES, files):
        return Finding("inotify", "warn", f"{detail}: changes in large projects may be seen late", todo)
    if instances < FEW_INSTANCES:
        return Finding("inotify", "warn", f"{detail}: editors and the bridge share few instances", todo)
    return Finding("inotify", "ok", detail)


def _disk() -> Finding:
    try:
        folder = load(os.environ).event_store
    except BadSettings as error:
        return Finding(
            "disk", "warn", f"the event store's place is not known: {error.message}", error.hint or ""
        )
    place = folder
    while not _is_there(place) and place != place.parent:
        place = place.parent
    try:
        room = os.statvfs(place)
    except OSError as error:
        return Finding(
            "disk", "warn", f"the disk of {place} cannot be asked ({error.strerror})", "look at it"
        )
    return judge_disk(place, room.f_bavail * room.f_frsize)


def _is_there(place: Path) -> bool:
    """Below a folder that others may not enter, nobody but its owner can tell: as good as not there."""
    try:
        return place.exists()
    except OSError:
        return False


def judge_disk(place: Path, free: int) -> Finding:
    """Whether so many free bytes on the disk of `place` are enough for the log and the captured versions."""
    detail = f"{free / 1024**3:.1f} GiB free on the disk of {place}"
    if free < HARDLY_BYTES:
        return Finding("disk", "fail", f"{detail}: events will be refused (507)", "make room")
    if free < LITTLE_BYTES:
        return Finding("disk", "warn", f"{detail}: events are refused when it is full", "make room")
    return Finding("disk", "ok", detail)
