"""The mount as this host sees it, which the bridge in its container cannot know."""

import os
import re
import stat
from pathlib import Path

from lighthouse.cli.checks.bridge import Reached
from lighthouse.cli.checks.finding import Finding, Outcome, ask
from lighthouse.cli.checks.service import is_appliance

DEFAULT = Path("/mnt/lighthouse/project")
SECONDS = 5.0
_ESCAPE = re.compile(r"\\([0-7]{3})")


def check(reached: Reached, named: Path | None) -> list[Finding]:
    """Whether /dev/fuse is there, and whether the mount answers. Never touches the mount in this process."""
    status = reached.status
    if status is not None and not status.mount.enabled:
        said = "the bridge serves without a mount, as asked for"
        return [Finding("fuse", "not applicable", said), Finding("mount", "not applicable", said)]
    where = named or _point(reached)
    mounted = fuse_mount_at(where, Path("/proc/self/mountinfo").read_text(errors="replace"))
    if mounted is None and named is None and not _here(reached):
        said = (
            "no mount is expected on this host: neither the bridge nor an appliance installed here names one"
        )
        return [Finding("fuse", "not applicable", said), Finding("mount", "not applicable", said)]
    return [_device(), _answers(where, mounted)]


def fuse_mount_at(where: Path, mountinfo: str) -> str | None:
    """The file system type of what is mounted last at `where`, told from the text of /proc/self/mountinfo."""
    found = None
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        point = _ESCAPE.sub(lambda code: chr(int(code[1], 8)), fields.split()[4])
        if point == str(where):
            found = rest.split()[0]
    return found


def judge(where: Path, mounted: str | None, outcome: Outcome | None) -> Finding:
    """What the mount table and a look-up from another process mean together."""
    again = (
        f"fusermount3 -u -z {where}, then `systemctl restart lighthouse` (or start `lighthouse serve` anew)"
    )
    if mounted is None:
        return Finding(
            "mount", "fail", f"nothing is mounted at {where}", "start the bridge, or name it by --mount"
        )
    if not mounted.startswith("fuse"):
        return Finding(
            "mount", "fail", f"{where} is a mount of {mounted}, not the bridge's", "name it by --mount"
        )
    if outcome is None:
        return Finding(
            "mount", "warn", f"{where} is mounted; no program was found to try it", "install coreutils"
        )
    if outcome.code is None:
        return Finding("mount", "fail", f"{where} is mounted and does not answer: its server hangs", again)
    if outcome.code == 0:
        return Finding("mount", "ok", f"{where} answers")
    if "Permission denied" in outcome.errors:
        return Finding(
            "mount",
            "warn",
            f"{where} is mounted, and you may not look into it",
            "join the group: sudo usermod -aG lighthouse $USER, then log in anew",
        )
    return Finding("mount", "fail", f"{where} is mounted and dead ({outcome.last_line})", again)


def _answers(where: Path, mounted: str | None) -> Finding:
    outcome = ask(["ls", "-d", "--", f"{where}/current/."], SECONDS) if mounted else None
    return judge(where, mounted, outcome)


def _device() -> Finding:
    try:
        mode = os.stat("/dev/fuse").st_mode  # noqa: PTH116 - a device, not a file of ours
    except OSError:
        return Finding(
            "fuse", "fail", "/dev/fuse is missing: nothing can be mounted", "run: sudo modprobe fuse"
        )
    if not stat.S_ISCHR(mode):
        return Finding("fuse", "fail", "/dev/fuse is no device", "remove it and run: sudo modprobe fuse")
    if not os.access("/dev/fuse", os.R_OK | os.W_OK):
        return Finding(
            "fuse", "warn", "/dev/fuse is not open to you: `serve` cannot mount", "chmod 666 /dev/fuse"
        )
    return Finding("fuse", "ok", "/dev/fuse is there")


def _point(reached: Reached) -> Path:
    target = reached.status.mount.target if reached.status is not None else None
    if target and not target.startswith("/dev/fd/"):
        return Path(target)
    return Path(os.environ.get("LIGHTHOUSE_MOUNT_POINT") or DEFAULT)


def _here(reached: Reached) -> bool:
    """Whether the mount should be on this host: the bridge names its path, or an appliance is installed."""
    target = reached.status.mount.target if reached.status is not None else None
    return bool(target and not target.startswith("/dev/fd/")) or is_appliance()
