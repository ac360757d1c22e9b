"""The mounts as this host sees them, which the bridge in its container cannot know."""

import os
import re
import stat
from pathlib import Path

from lighthouse.cli.checks.bridge import Reached
from lighthouse.cli.checks.finding import Finding, Outcome, ask
from lighthouse.cli.checks.service import is_appliance

DEFAULT = Path("/mnt/lighthouse/project")
DEFAULT_PROPOSALS = Path("/mnt/lighthouse/proposals")
SECONDS = 5.0
_ESCAPE = re.compile(r"\\([0-7]{3})")


def check(reached: Reached, named: Path | None) -> list[Finding]:
    """Whether /dev/fuse is there, and whether both mounts answer. Never touches a mount in this process."""
    status = reached.status
    if status is not None and not status.mount.enabled:
        said = "the bridge serves without a mount, as asked for"
        return [Finding(name, "not applicable", said) for name in ("fuse", "mount", "proposals")]
    where, beside = named or _point(reached), _proposals(reached, named)
    mountinfo = Path("/proc/self/mountinfo").read_text(errors="replace")
    mounted = fuse_mount_at(where, mountinfo)
    if mounted is None and named is None and not _here(reached):
        said = (
            "no mount is expected on this host: neither the bridge nor an appliance installed here names one"
        )
        return [Finding(name, "not applicable", said) for name in ("fuse", "mount", "proposals")]
    return [
        _device(),
        _answers("mount", where, "current/.", mounted),
        _answers("proposals", beside, ".", fuse_mount_at(beside, mountinfo)),
    ]


def fuse_mount_at(where: Path, mountinfo: str) -> str | None:
    """The file system type of what is mounted last at `where`, told from the text of /proc/self/mountinfo."""
    found = None
    for line in mountinfo.splitlines():
        fields, _, rest = line.partition(" - ")
        point = _ESCAPE.sub(lambda code: chr(int(code[1], 8)), fields.split()[4])
        if point == str(where):
            found = rest.split()[0]
    return found


def judge(name: str, where: Path, mounted: str | None, outcome: Outcome | None) -> Finding:
    """What the mount table and a look-up from another process mean together."""
    again = (
        f"fusermount3 -u -z {where}, then `systemctl restart lighthouse` (or start `lighthouse serve` anew)"
    )
    if mounted is None:
        return Finding(
            name, "fail", f"nothing is mounted at {where}", "start the bridge, or name it by --mount"
        )
    if not mounted.startswith("fuse"):
        return Finding(
            name, "fail", f"{where} is a mount of {mounted}, not the bridge's", "name it by --mount"
        )
    if outcome is None:
        return Finding(
            name, "warn", f"{where} is mounted; no program was found to try it", "install coreutils"
        )
    if outcome.code is None:
        return Finding(name, "fail", f"{where} is mounted and does not answer: its server hangs", again)
    if outcome.code == 0:
        return Finding(name, "ok", f"{where} answers")
    if "Permission denied" in outcome.errors:
        return Finding(
            name,
            "warn",
            f"{where} is mounted, and you may not look into it",
            "join the group: sudo usermod -aG lighthouse $USER, then log in anew",
        )
    return Finding(name, "fail", f"{where} is mounted and dead ({outcome.last_line})", again)


def _answers(name: str, where: Path, inside: str, mounted: str | None) -> Finding:
    outcome = ask(["ls", "-d", "--", f"{where}/{inside}"], SECONDS) if mounted else None
    return judge(name, where, mounted, outcome)


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


def _proposals(reached: Reached, named: Path | None) -> Path:
    target = reached.status.mount.proposals if reached.status is not None else None
    if target and not target.startswith("/dev/fd/"):
        return Path(target)
    if named is not None and named != DEFAULT:
        # As `serve --mount` has it.
        return Path(f"{named}.proposals")
    return Path(os.environ.get("LIGHTHOUSE_PROPOSALS_MOUNT_POINT") or DEFAULT_PROPOSALS)


def _here(reached: Reached) -> bool:
    """Whether the mount should be on this host: the bridge names its path, or an appliance is installed."""
    target = reached.status.mount.target if reached.status is not None else None
    return bool(target and not target.startswith("/dev/fd/")) or is_appliance()
