#!/usr/bin/python3
"""Judges whether this host can carry the appliance: every obstacle at once, and nothing is changed."""

import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: lighthouse_preflight
short_description: Check a host before the appliance is installed
description:
  - Runs every check and fails with all obstacles at once, each saying what, why it matters and what to do.
  - Changes nothing, in check mode or not.
options:
  user: {description: The service user's name., type: str, required: true}
  project_path: {description: The project to serve., type: path, required: true}
  listen: {description: Address and port the bridge will answer on., type: str, required: true}
  mount_points: {description: Where it will be mounted., type: list, elements: path, required: true}
  state_path: {description: Where images and events will be kept., type: path, required: true}
  free_megabytes: {description: Room needed there., type: int, default: 2048}
  min_podman: {description: The oldest podman that will do., type: str, default: "5.3"}
  architecture: {description: What the image is built for; empty when it is pulled., type: str, default: ""}
  image_ref: {description: A reference to pull the image by; empty when it is built., type: str, default: ""}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Check the host
  lighthouse_preflight:
    user: lighthouse
    project_path: /srv/shop
    listen: 127.0.0.1:8765
    mount_points: [/mnt/lighthouse/project, /mnt/lighthouse/proposals]
    state_path: /var/lib
"""

RETURN = r"""
subordinate_ids:
  description: Whether the service user has subordinate ids (assigned), and the range it may get (start, end).
  type: dict
  returned: always
python_apt:
  description: Whether Ansible's apt module can work in check mode here.
  type: bool
  returned: always
project:
  description: The project's names on this host (names), links resolved or not, and its owner's home folder (home).
  type: dict
  returned: always
checks: {description: The names of the checks that ran., type: list, elements: str, returned: always}
problems:
  description: What stands in the way, each with check, what, why and remedy.
  type: list
  elements: dict
  returned: always
"""

MIN_KERNEL = (4, 18)
# Debian 13 is what the molecule scenario proves; the others have what is asked for and are expected to work.
SUPPORTED = {"debian": (13,), "ubuntu": (25, 4)}
SUBORDINATE_IDS = 65536
SUBORDINATE_FILES = ("/etc/subuid", "/etc/subgid")
# The image is a Debian 13, and the command on the host is taken out of it.
COMMAND_PYTHON = (3, 13)
LAST_ID = 2**32 - 2


def numbers(version):
    """The leading numbers of a version string: "1:5.4.2+ds1-2" is (5, 4, 2)."""
    return tuple(int(part) for part in re.findall(r"\d+", re.sub(r"^\d+:", "", version).split("-")[0].split("+")[0]))


class Host:
    """The facts, read from where the kernel and the distribution keep them."""

    def __init__(self, module):
        self.module = module
        self.parameters = module.params

    def run(self, *command):
        """Standard output, or nothing where the command is missing or fails."""
        if shutil.which(command[0]) is None:
            return ""
        code, out, _ = self.module.run_command(list(command), environ_update={"LC_ALL": "C.UTF-8"})
        return out if code == 0 else ""

    def check_distribution(self):
        release = dict(re.findall(r'^(\w+)="?([^"\n]*)"?$', Path("/etc/os-release").read_text(), re.MULTILINE))
        name, version = release.get("ID", "?"), numbers(release.get("VERSION_ID", "0"))
        if name not in SUPPORTED or version < SUPPORTED[name]:
            yield (
                f"this is {release.get('PRETTY_NAME', name)}",
                "packages, AppArmor rules and Python of other systems are not known to fit",
                "use Debian 13 or later, or Ubuntu 25.04 or later; elsewhere `make up` starts a virtual machine",
            )

    def check_kernel(self):
        release = os.uname().release
        if numbers(release)[:2] < MIN_KERNEL:
            yield (
                f"kernel {release} is older than 4.18",
                "FUSE mounts inside user namespaces came with 4.18",
                "boot a newer kernel",
            )

    def check_fuse(self):
        builtin = Path(f"/lib/modules/{os.uname().release}/modules.builtin")
        there = (
            Path("/dev/fuse").exists()
            or "fuse" in Path("/proc/filesystems").read_text().split()
            or (builtin.exists() and "/fuse.ko" in builtin.read_text())
            or bool(self.run("modinfo", "-n", "fuse"))
        )
        if not there:
            yield (
                "the kernel has no FUSE",
                "the shadow is a FUSE mount",
                "install the kernel's module package, or a kernel with CONFIG_FUSE_FS",
            )

    def check_cgroups(self):
        if not Path("/sys/fs/cgroup/cgroup.controllers").exists():
            yield (
                "cgroups are not the unified kind (v2)",
                "a rootless container's limits on memory and processes need v2",
                "boot with systemd.unified_cgroup_hierarchy=1",
            )

    def check_systemd(self):
        if not Path("/run/systemd/system").is_dir():
            yield (
                "systemd is not running this host",
                "the appliance is made of systemd units",
                "install on a host booted by systemd; elsewhere `make up` starts a virtual machine",
            )

    def check_podman(self):
        wanted = self.parameters["min_podman"]
        installed = self.run("dpkg-query", "-W", "-f", "${Version}", "podman")
        version = installed or self.podman_candidate()
        if not version:
            yield (
                "no podman is installed and the package archive offers none",
                "the bridge is a podman container",
                f"add an archive that has podman {wanted} or later",
            )
        elif numbers(version) < numbers(wanted):
            yield (
                f"podman {version} is older than {wanted}",
                "the quadlet uses keys that came with 5.3",
                "use a release whose archive has it (Debian 13); elsewhere `make up` starts a virtual machine",
            )

    def podman_candidate(self):
        """The version the archive would install. Lists never fetched are fetched into a folder of our own."""
        found = candidate(self.run("apt-cache", "policy", "podman"))
        if found:
            return found
        with tempfile.TemporaryDirectory() as lists:
            Path(lists, "partial").mkdir()
            options = (
                "-o",
                f"Dir::State::Lists={lists}",
                "-o",
                f"Dir::Cache::pkgcache={lists}/pkgcache.bin",
                "-o",
                f"Dir::Cache::srcpkgcache={lists}/srcpkgcache.bin",
                "-o",
                "APT::Sandbox::User=root",
            )
            self.run("apt-get", *options, "update")
            return candidate(self.run("apt-cache", *options, "policy", "podman"))

    def check_apparmor(self):
        enabled = Path("/sys/module/apparmor/parameters/enabled")
        if not enabled.exists() or enabled.read_text().strip() != "Y":
            yield (
                "AppArmor is off",
                "the bridge must run under an enforced profile",
                "boot with apparmor=1 security=apparmor on the kernel's command line",
            )

    def check_subordinate_ids(self):
        for path in SUBORDINATE_FILES:
            ranges = subordinate_ranges(path)
            if any(name == self.parameters["user"] and count >= SUBORDINATE_IDS for name, _, count in ranges):
                continue
            if free_range([(start, count) for _, start, count in ranges]) is None:
                yield (
                    f"no {SUBORDINATE_IDS} subordinate ids are free in {path}",
                    "a rootless container lives in a range of ids of its own",
                    f"shorten or remove a range in {path} that nobody needs",
                )
        found = self.subordinate_ids()
        separately = [
            free_range([(start, count) for _, start, count in subordinate_ranges(path)]) for path in SUBORDINATE_FILES
        ]
        if not found["assigned"] and found["start"] is None and None not in separately:
            yield (
                f"no {SUBORDINATE_IDS} subordinate ids are free in both {' and '.join(SUBORDINATE_FILES)}",
                "the service user gets the same range in both",
                "shorten or remove a range that nobody needs",
            )
        limit = Path("/proc/sys/user/max_user_namespaces")
        if limit.exists() and int(limit.read_text()) == 0:
            yield (
                "user namespaces are switched off",
                "a rootless container is one",
                "set user.max_user_namespaces above 0 (sysctl)",
            )

    def subordinate_ids(self):
        """Whether the service user has its ids already, and else which range, free in both files, it may get."""
        tables = [subordinate_ranges(path) for path in SUBORDINATE_FILES]
        user = self.parameters["user"]
        assigned = all(any(name == user and count >= SUBORDINATE_IDS for name, _, count in table) for table in tables)
        start = free_range([(start, count) for table in tables for _, start, count in table])
        return {"assigned": assigned, "start": start, "end": None if start is None else start + SUBORDINATE_IDS - 1}

    def check_disk(self):
        folder = Path(self.parameters["state_path"])
        while not folder.exists():
            folder = folder.parent
        free = shutil.disk_usage(folder).free // 2**20
        if free < self.parameters["free_megabytes"]:
            yield (
                f"{folder} has {free} MiB free, {self.parameters['free_megabytes']} are needed",
                "image, events and contents are kept there; a full disk stops the bridge from promising anything",
                "make room, or mount a larger file system there",
            )

    def check_python(self):
        if sys.version_info[:2] != COMMAND_PYTHON:
            found, wanted = (".".join(map(str, version)) for version in (sys.version_info[:2], COMMAND_PYTHON))
            yield (
                f"/usr/bin/python3 is Python {found}",
                f"the lighthouse command is built for Python {wanted}",
                f"use a release that comes with Python {wanted} (Debian 13)",
            )

    def check_architecture(self):
        wanted, found = self.parameters["architecture"], self.run("dpkg", "--print-architecture").strip()
        if wanted and wanted != found:
            yield (
                f"this host is {found} and the image is built for {wanted}",
                "its programs would not start here",
                "run the playbook from a controller of the host's architecture, or set lighthouse_image_ref",
            )

    def check_image(self):
        reference = self.parameters["image_ref"]
        if reference and not re.search(r"@sha256:[0-9a-f]{64}$", reference):
            yield (
                f"lighthouse_image_ref is {reference}, without a digest",
                "a tag may name another image tomorrow: what runs would not be what was meant",
                "write NAME@sha256:… (podman image inspect tells it)",
            )

    def check_port(self):
        listen = re.fullmatch(r"(127\.\d+\.\d+\.\d+|\[::1\]):(\d{1,5})", self.parameters["listen"])
        if not listen:
            yield (
                f"lighthouse_listen is {self.parameters['listen']}, which is not a port on the loopback",
                "tokens would cross the network in the clear",
                "listen on 127.0.0.1:PORT and put a TLS proxy in front for other hosts",
            )
            return
        port = int(listen[2])
        for owner, address in listeners(port):
            if self.service_uid() != owner:
                yield (
                    f"port {port} is taken on {address} by a process of uid {owner}",
                    "agents find the bridge there",
                    f"stop that program (ss -ltnp 'sport = :{port}'), or set lighthouse_listen to another port",
                )

    def service_uid(self):
        entry = re.search(
            rf"^{re.escape(self.parameters['user'])}:[^:]*:(\d+):", Path("/etc/passwd").read_text(), re.MULTILINE
        )
        return int(entry[1]) if entry else None

    def check_mount_points(self):
        points = [Path(point) for point in self.parameters["mount_points"]]
        folder = points[0].parent
        names = " and ".join(map(str, points))
        there = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
        if len({*points}) != len(points) or {point.parent for point in points} != {folder}:
            yield (
                f"{names} are no siblings",
                "the folder that holds both keeps everybody out who is no member",
                "set lighthouse_mount_point and lighthouse_proposals_mount_point to two folders of one folder",
            )
        elif others := sorted(there - {point.name for point in points}):
            yield (
                f"{folder} holds {others[0]!r} besides {names}",
                "that folder is closed to everybody but members, with all that is in it",
                "mount in a folder of its own: set lighthouse_mount_point and lighthouse_proposals_mount_point",
            )

    def check_project(self):
        path = Path(self.parameters["project_path"])
        if not path.is_dir():
            yield (
                f"the project {path} is not a folder on this host",
                "it is what the bridge serves",
                "set lighthouse_project_path to the project's folder",
            )
            return
        problem = idmapping_problem(path)
        if problem:
            yield (
                f"the project's file system takes no id-mapped mount: {problem}",
                "the service user reads the project through one, without a change to the project's permissions",
                "keep the project on a local file system such as ext4, xfs or btrfs",
            )

    def project(self):
        """What the bridge has to know of a project that it sees under another path."""
        path = Path(self.parameters["project_path"])
        try:
            home = pwd.getpwuid(path.stat().st_uid).pw_dir
        except (KeyError, OSError):
            home = ""
        return {"names": list(dict.fromkeys([os.path.normpath(path), str(path.resolve())])), "home": home}


def candidate(policy):
    """The candidate in the output of apt-cache policy, or nothing."""
    found = re.search(r"^\s*Candidate:\s*(\S+)", policy, re.MULTILINE)
    return found[1] if found and found[1] != "(none)" else ""


def subordinate_ranges(path):
    """(name, first id, count) of each line of /etc/subuid or /etc/subgid."""
    if not Path(path).exists():
        return []
    lines = re.findall(r"^([^:#\s]+):(\d+):(\d+)\s*$", Path(path).read_text(), re.MULTILINE)
    return [(name, int(start), int(count)) for name, start, count in lines]


def free_range(taken, first=100000, wanted=SUBORDINATE_IDS):
    """The lowest start of `wanted` ids that no range in `taken` touches, or None."""
    start = first
    for low, count in sorted(taken):
        if start + wanted <= low:
            break
        start = max(start, low + count)
    return start if start + wanted <= LAST_ID else None


def listeners(port):
    """(uid, address) of every TCP socket that listens on `port`, IPv4 and IPv6."""
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        if not Path(table).exists():
            continue
        for line in Path(table).read_text().splitlines()[1:]:
            fields = line.split()
            if fields[3] == "0A" and int(fields[1].rpartition(":")[2], 16) == port:
                yield int(fields[7]), "IPv6" if table.endswith("6") else "IPv4"


def idmapping_problem(path):
    """Try an id-mapped bind in a mount namespace of its own, gone with the process; nothing if it works."""
    with tempfile.TemporaryDirectory() as target:
        done = subprocess.run(
            [
                "unshare",
                "--mount",
                "--",
                "mount",
                "--bind",
                "-o",
                "ro,X-mount.idmap=u:0:1:1 g:0:1:1",
                str(path),
                target,
            ],
            capture_output=True,
            text=True,
            check=False,
            env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"},
        )
    return "" if done.returncode == 0 else " ".join(done.stderr.split())


def main():
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "project_path": {"type": "path", "required": True},
            "listen": {"type": "str", "required": True},
            "mount_points": {"type": "list", "elements": "path", "required": True},
            "state_path": {"type": "path", "required": True},
            "free_megabytes": {"type": "int", "default": 2048},
            "min_podman": {"type": "str", "default": "5.3"},
            "architecture": {"type": "str", "default": ""},
            "image_ref": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    host = Host(module)
    names = [name for name in dir(host) if name.startswith("check_")]
    problems = [
        {"check": name.removeprefix("check_"), "what": what, "why": why, "remedy": remedy}
        for name in names
        for what, why, remedy in getattr(host, name)()
    ]
    facts = {
        "python_apt": bool(host.run("dpkg-query", "-W", "python3-apt")),
        "subordinate_ids": host.subordinate_ids(),
        "project": host.project(),
        "checks": [name.removeprefix("check_") for name in names],
        "problems": problems,
    }
    if problems:
        lines = [
            f"{problem['what']}. Why it matters: {problem['why']}. What to do: {problem['remedy']}."
            for problem in problems
        ]
        module.fail_json(
            msg=f"This host cannot carry Lighthouse yet ({len(problems)} reasons):\n- " + "\n- ".join(lines), **facts
        )
    module.exit_json(changed=False, **facts)


if __name__ == "__main__":
    main()
