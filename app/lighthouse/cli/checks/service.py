"""The appliance as systemd, podman and AppArmor see it; on a host without one each check says so."""

import pwd
import re
from functools import cache
from pathlib import Path

from lighthouse.cli.checks.finding import Finding, Outcome, ask, read

UNIT = "lighthouse"
USER = "lighthouse"
PROFILES = "lighthouse-"
"""How the names of all its AppArmor profiles begin: bridge, probe, mount, fusermount3, follow."""
OLDEST_PODMAN = (5, 3)
NOT_INSTALLED = "no appliance is installed on this host"
_UNIT_FILES = ("/etc/systemd/system/lighthouse.service", "/usr/lib/systemd/system/lighthouse.service")
_DENIED = re.compile(r'apparmor="DENIED".*profile="(' + PROFILES + r'\w+)"')
_FIELD = re.compile(r'(operation|name|comm|requested_mask)="([^"]*)"')


@cache
def is_appliance() -> bool:
    """Whether the appliance was installed on this host: its unit or its user is there."""
    return any(Path(path).exists() for path in _UNIT_FILES) or _has_user()


def check() -> list[Finding]:
    """All checks of this room."""
    return [_unit(), _linger(), _podman(), _apparmor()]


def _unit() -> Finding:
    if not Path("/run/systemd/system").is_dir():
        return Finding("systemd", "not applicable", "systemd does not run this host")
    if not is_appliance():
        return Finding("systemd", "not applicable", NOT_INSTALLED)
    return judge_unit(ask(["systemctl", "is-active", f"{UNIT}.service"]))


def judge_unit(outcome: Outcome | None) -> Finding:
    """What `systemctl is-active` means."""
    if outcome is None or outcome.code is None:
        return Finding("systemd", "warn", "systemctl does not answer", "look at the host")
    state = outcome.output.strip() or outcome.last_line
    if outcome.code == 0:
        return Finding("systemd", "ok", f"{UNIT}.service is {state}")
    if state in ("activating", "reloading"):
        return Finding("systemd", "warn", f"{UNIT}.service is {state}", "wait, and ask again")
    return Finding(
        "systemd",
        "fail",
        f"{UNIT}.service is {state}",
        f"see `systemctl status {UNIT}`, then: sudo systemctl restart {UNIT}",
    )


def _linger() -> Finding:
    if not _has_user():
        return Finding("linger", "not applicable", NOT_INSTALLED)
    if Path("/var/lib/systemd/linger", USER).exists():
        return Finding("linger", "ok", f"the services of user {USER} run without a login")
    return Finding(
        "linger",
        "fail",
        f"user {USER} does not linger: the bridge ends with the last login and is not there after a boot",
        f"run: sudo loginctl enable-linger {USER}",
    )


def _podman() -> Finding:
    if not is_appliance():
        return Finding("podman", "not applicable", NOT_INSTALLED)
    return judge_podman(ask(["podman", "--version"]))


def judge_podman(outcome: Outcome | None) -> Finding:
    """Whether `podman --version` names one that knows the keys our quadlets use."""
    todo = "install podman 5.3 or newer"
    if outcome is None or outcome.code != 0:
        return Finding("podman", "fail", "podman is missing or does not start", todo)
    found = re.search(r"(\d+)\.(\d+)\S*", outcome.output)
    if found and (int(found[1]), int(found[2])) >= OLDEST_PODMAN:
        return Finding("podman", "ok", f"podman {found[0]}")
    return Finding("podman", "fail", f"{outcome.output.strip()} is older than 5.3", todo)


def _apparmor() -> Finding:
    if read("/sys/module/apparmor/parameters/enabled") != "Y":
        return Finding("apparmor", "not applicable", "AppArmor is not on in this kernel")
    if not is_appliance():
        return Finding("apparmor", "not applicable", NOT_INSTALLED)
    command = ["journalctl", "-k", "-q", "--no-pager", "-o", "cat", "--since", "-1day", "--grep", PROFILES]
    outcome = ask(command, 20.0)
    if outcome is None or outcome.code not in (0, 1):
        outcome = ask(["dmesg"])
    return judge_denials(outcome)


def judge_denials(outcome: Outcome | None) -> Finding:
    """What the kernel's log says of our profiles. journalctl ends with 1 where nothing matches."""
    # A user who may not read the system's journal gets a hint about it and no line, or no line at all.
    if outcome is None or outcome.code not in (0, 1) or "not seeing messages" in outcome.errors:
        return Finding(
            "apparmor",
            "warn",
            "the kernel's log cannot be read, so denials are not known",
            "run: sudo lighthouse doctor",
        )
    denied = [line for line in outcome.output.splitlines() if _DENIED.search(line)]
    if not denied:
        return Finding("apparmor", "ok", f"the profiles {PROFILES}* denied nothing in the kernel's log")
    profile = ", ".join(sorted({found[1] for line in denied if (found := _DENIED.search(line))}))
    last = ", ".join(f"{name} {value}" for name, value in _FIELD.findall(denied[-1]))
    return Finding(
        "apparmor",
        "warn",
        f"{profile} denied {len(denied)} accesses, the last: {last}",
        "if it is needed, allow it in /etc/apparmor.d/local/PROFILE, else find out who tries",
    )


def _has_user() -> bool:
    try:
        pwd.getpwnam(USER)
    except KeyError:
        return False
    return True
