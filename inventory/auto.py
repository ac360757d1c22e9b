#!/usr/bin/env python3
"""The inventory ansible.cfg names: this host where it can carry the appliance, else the virtual machine of `make up`.

LIGHTHOUSE_TARGET=local or =vm decides it by hand. LIGHTHOUSE_PROJECT (a folder of this host) is what is served, here or
as a copy in the machine; without it, this repository.
"""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
MACHINE = HERE.parent / "playbooks" / "vm" / "machine.py"
MIN_PODMAN = (5, 3)


def target():
    """`local` where PID 1 is systemd and the archive (or the host) has podman 5.3, else `vm`."""
    chosen = os.environ.get("LIGHTHOUSE_TARGET", "")
    if chosen in ("local", "vm"):
        return chosen
    if chosen:
        sys.exit(f"LIGHTHOUSE_TARGET={chosen}: write local or vm")
    if not Path("/run/systemd/system").is_dir():
        return "vm"
    try:
        # Its words are translated otherwise.
        environment = {**os.environ, "LC_ALL": "C.UTF-8"}
        done = subprocess.run(
            ["apt-cache", "policy", "podman"], capture_output=True, text=True, check=False, env=environment
        )
    except FileNotFoundError:
        return "vm"
    versions = re.findall(r"(?:Installed|Candidate): (?:\d+:)?(\d+)\.(\d+)", done.stdout)
    return "local" if any((int(major), int(minor)) >= MIN_PODMAN for major, minor in versions) else "vm"


def project():
    return Path(os.environ.get("LIGHTHOUSE_PROJECT") or HERE.parent).resolve()


def variables(where):
    if where == "local":
        return {"ansible_connection": "local", "lighthouse_project_path": str(project())}
    done = subprocess.run(
        [sys.executable, str(MACHINE), "inventory", "appliance"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        sys.exit(
            f"{done.stderr.strip()}\nThis host cannot carry the appliance itself, and the virtual machine that "
            "would is not there: make up starts it."
        )
    return {
        **json.loads(done.stdout),
        # Agents work on this host; the machine has a copy.
        "lighthouse_roots": [str(project())],
        "lighthouse_agents_home": str(Path.home()),
        # Emulated, everything takes its time.
        "lighthouse_start_timeout_seconds": 300,
        "lighthouse_watchdog_seconds": 120,
    }


def main():
    if sys.argv[1:] == ["target"]:
        print(target())
        return
    where = target()
    name = "localhost" if where == "local" else "lighthouse-vm"
    print(json.dumps({"lighthouse": {"hosts": [name]}, "_meta": {"hostvars": {name: variables(where)}}}))


if __name__ == "__main__":
    main()
