"""The host that carries the appliance, as checks see it: who is who, commands as users, calls, waiting.

Runs as root on the host; what an expert or an agent would do is done as that user. Deadlines stretch where the
machine is emulated: there the same Python program takes eight to nine times as long as on the host of the emulation.
"""

import contextlib
import json
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path

VIRTUALIZATION = subprocess.run(["systemd-detect-virt"], capture_output=True, text=True, check=False).stdout.strip()
SCALE = 8.0 if VIRTUALIZATION == "qemu" else 1.0  # "qemu" is emulation; with KVM it says "kvm"
SERVICE = "lighthouse"
MOUNT = Path("/mnt/lighthouse/project")
PROPOSALS = Path("/mnt/lighthouse/proposals")
PROJECT = Path("/srv/lighthouse/project")
MEMBER, STRANGER = "ann", "bob"
TOKEN = Path("/home/ann/.config/lighthouse/builder-1.token")
URL = "http://127.0.0.1:8765"
BRIDGE_LABEL = "lighthouse-bridge (enforce)"


class Broken(Exception):
    """What was promised and is not so."""


def need(condition, complaint):
    if not condition:
        raise Broken(complaint)


def sh(*command, user=None, timeout=120, check=True):
    """Run to the end; (exit code, output). As `user` with that user's groups."""
    options = {}
    if user:
        command = ("runuser", "-u", user, "--", *command)
        options["cwd"] = "/"
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout * SCALE, check=False, **options)
    output = done.stdout + done.stderr
    if check:
        need(done.returncode == 0, f"{' '.join(command)} exited {done.returncode}: {output.strip()[-800:]}")
    return done.returncode, output


def user_unit(name, *properties):
    _, out = sh(
        "systemctl",
        "--user",
        f"--machine={SERVICE}@.host",
        "show",
        name,
        *(f"--property={item}" for item in properties),
    )
    return dict(line.split("=", 1) for line in out.splitlines() if "=" in line)


def health():
    """(status code, body) of /health; code 0 where nobody answers."""
    try:
        with urllib.request.urlopen(f"{URL}/health", timeout=5 * SCALE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except (OSError, ValueError):
        return 0, {}


def call(method, path, body=None, token=None, timeout=20):
    request = urllib.request.Request(
        f"{URL}{path}", method=method, data=None if body is None else json.dumps(body).encode()
    )
    request.add_header("Authorization", f"Bearer {token or TOKEN.read_text().strip()}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=timeout * SCALE) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)


def wait_for(what, condition, seconds):
    """Seconds until the condition held; Broken when it did not in time."""
    start = time.monotonic()
    while True:
        if condition():
            return time.monotonic() - start
        need(time.monotonic() - start < seconds * SCALE, f"{what}: not within {seconds * SCALE:.0f} s")
        time.sleep(0.02)


def bridge_pid():
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with contextlib.suppress(OSError):
                if (folder / "attr/current").read_text().strip() == BRIDGE_LABEL:
                    return int(folder.name)
    raise Broken(f"no process is labelled {BRIDGE_LABEL}")


def our_mounts():
    lines = Path("/proc/self/mountinfo").read_text().splitlines()
    return [line for line in lines if line.split()[4] in (str(MOUNT), str(PROPOSALS))]
