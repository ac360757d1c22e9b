#!/usr/bin/env python3
"""The virtual machine that carries the appliance where this host cannot, and that molecule proves it in.

    machine.py image                            build the disk image, cached by the hash of its recipe
    machine.py start NAME --ssh-port N ...      boot a copy-on-write overlay of it and wait for ssh
    machine.py stop NAME | destroy NAME         end it | end it and forget its disk
    machine.py reboot NAME [--append ARGS]      the whole machine anew, optionally with other kernel arguments
    machine.py ssh NAME [COMMAND...]            a root shell in it
    machine.py inventory NAME                   its Ansible host variables as JSON
    machine.py sync NAME --project DIR         bring a folder to /srv/lighthouse/project and keep it in step

QEMU with KVM where the processor really has it, else in emulation. Everything lives below the user's cache folder;
the guest is a Debian 13 as its installer leaves it: systemd, ssh, AppArmor, Python, and no podman yet.
"""

import argparse
import contextlib
import hashlib
import json
import os
import platform
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "lighthouse"
# Without one mmdebstrap takes the archive's own, with its updates.
MIRROR = os.environ.get("LIGHTHOUSE_DEBIAN_MIRROR")
SUITE = "trixie"
DISK_SIZE = "16G"
BOOT_SECONDS = 300
STOP_SECONDS = 60
PROJECT_IN_GUEST = "/srv/lighthouse/project"
# The guest as an installer leaves it, with what a controller asks for (Python, sudo, rsync).
GUEST_PACKAGES = (
    "linux-image-cloud-{kernel} systemd-sysv systemd-resolved openssh-server python3 sudo rsync dbus dbus-user-session "
    "libpam-systemd iproute2 kmod udev procps ca-certificates apparmor e2fsprogs git vim-tiny"
).split()
# Fetched into the guest's package cache while the image is made, so that installing them later downloads nothing.
# The guest still holds none of them.
PREFETCHED_PACKAGES = (
    "podman crun uidmap fuse3 passt catatonit dbus-user-session systemd-container python3-podman python3-jeepney "
    "apparmor acl python3-setuptools"
).split()
CUSTOMIZE = r"""
set -eu
root=$1
echo lighthouse > "$root/etc/hostname"
printf '127.0.0.1 localhost lighthouse\n' > "$root/etc/hosts"
printf '[Match]\nName=en*\n[Network]\nDHCP=yes\n' > "$root/etc/systemd/network/80-dhcp.network"
echo '/dev/vda / ext4 defaults,noatime 0 1' > "$root/etc/fstab"
# The initial RAM disk is built once, here: every package that asks for a new one would cost minutes in emulation.
echo 'update_initramfs=no' > "$root/etc/initramfs-tools/update-initramfs.conf"
printf 'PermitRootLogin prohibit-password\nPasswordAuthentication no\nUseDNS no\n' > "$root/etc/ssh/sshd_config.d/10-vm.conf"
chroot "$root" systemctl enable systemd-networkd systemd-resolved ssh
chroot "$root" systemctl mask apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer \
    systemd-networkd-wait-online.service man-db.timer
echo 'Binary::apt::APT::Keep-Downloaded-Packages "true";' > "$root/etc/apt/apt.conf.d/80keep"
echo 'Acquire::Languages "none";' > "$root/etc/apt/apt.conf.d/81languages"
chroot "$root" apt-get update -qq
chroot "$root" apt-get install -qq -y --download-only --no-install-recommends $PREFETCHED
chroot "$root" rm -f /etc/machine-id
: > "$root/etc/machine-id"
ln -sf /run/systemd/resolve/stub-resolv.conf "$root/etc/resolv.conf"
rm -f "$root"/etc/ssh/ssh_host_*
"""  # noqa: E501 -- a shell script, and its hash names the image
HOST_KEYS_UNIT = """[Unit]
Description=Make this machine's own ssh host keys
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key
[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -q -t ed25519 -N "" -f /etc/ssh/ssh_host_ed25519_key
[Install]
WantedBy=multi-user.target
"""


class MachineError(Exception):
    """What failed and what to do, in one line."""


def run(*command, **options):
    """Run to the end; a failure is told with the command's last words."""
    done = subprocess.run(command, text=True, capture_output=True, check=False, **options)
    if done.returncode != 0:
        raise MachineError(
            f"{command[0]} failed ({done.returncode}): {' '.join((done.stderr or done.stdout).split())[-600:]}"
        )
    return done.stdout


def say(text):
    print(text, file=sys.stderr, flush=True)


def debian_architecture():
    machine = platform.machine()
    try:
        return {"x86_64": "amd64", "aarch64": "arm64"}[machine]
    except KeyError:
        raise MachineError(f"no virtual machine is made for {machine}: use an amd64 or arm64 host") from None


def has_kvm():
    """KVM counts only where the processor says vmx or svm: a /dev/kvm alone may not run a stock kernel."""
    flags = Path("/proc/cpuinfo").read_text()
    real = " vmx" in flags or " svm" in flags or platform.machine() == "aarch64"
    return real and os.access("/dev/kvm", os.R_OK | os.W_OK)


# -- the image ---------------------------------------------------------------------------------------------------


def image():
    """The folder with disk.img, vmlinuz and initrd; built where the cache has none of this recipe."""
    recipe = "\n".join(
        [
            SUITE,
            DISK_SIZE,
            debian_architecture(),
            CUSTOMIZE,
            HOST_KEYS_UNIT,
            " ".join(GUEST_PACKAGES),
            " ".join(PREFETCHED_PACKAGES),
        ]
    )
    folder = CACHE / "vm" / f"image-{hashlib.sha256(recipe.encode()).hexdigest()[:16]}"
    if (folder / "disk.img").exists():
        return folder
    say(f"building the virtual machine's image from Debian {SUITE} (once; kept in {folder})")
    work = folder.with_suffix(f".{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    work.mkdir(parents=True)
    root = work / "root"
    packages = ",".join(GUEST_PACKAGES).format(kernel=debian_architecture())
    hook = work / "customize"
    hook.write_text("#!/bin/sh\n" + CUSTOMIZE)
    hook.chmod(0o755)
    unit = work / "ssh-host-keys.service"
    unit.write_text(HOST_KEYS_UNIT)
    try:
        run(
            "mmdebstrap",
            "--quiet",
            "--variant=minbase",
            "--skip=cleanup/apt",
            f"--include={packages}",
            f"--customize-hook=copy-in {unit} /etc/systemd/system/",
            '--customize-hook=chroot "$1" systemctl enable ssh-host-keys.service',
            f"--customize-hook={hook}",
            SUITE,
            str(root),
            *([MIRROR] if MIRROR else []),
            env={**os.environ, "PREFETCHED": " ".join(PREFETCHED_PACKAGES)},
        )
        for name, pattern in (("vmlinuz", "vmlinuz-*"), ("initrd", "initrd.img-*")):
            shutil.copy(next((root / "boot").glob(pattern)), work / name)
        run("truncate", "--size", DISK_SIZE, str(work / "disk.img"))
        run("mke2fs", "-q", "-F", "-t", "ext4", "-L", "root", "-d", str(root), str(work / "disk.img"))
        shutil.rmtree(root)
        work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder


# -- one machine -------------------------------------------------------------------------------------------------


class Machine:
    """A named machine: its folder holds overlay, key, settings, process id and console log."""

    def __init__(self, name):
        self.name = name
        self.folder = CACHE / "vm" / name
        self.key = self.folder / "key"
        self.settings_file = self.folder / "settings.json"
        self.pid_file = self.folder / "qemu.pid"
        self.sync_pid_file = self.folder / "sync.pid"
        self.tunnel_pid_file = self.folder / "tunnel.pid"

    @property
    def settings(self):
        try:
            return json.loads(self.settings_file.read_text())
        except FileNotFoundError:
            raise MachineError(f"there is no machine {self.name}: start it first") from None

    def pid(self, file, program):
        """The process of that file, if it still is that program."""
        try:
            pid = int(file.read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace")
        except (OSError, ValueError):
            return None
        return pid if program in command else None

    def running(self):
        return self.pid(self.pid_file, "qemu-system")

    def create(self, ssh_port, forwards, memory, append):
        """Make the folder, a key and the overlay; an existing disk is kept."""
        base = image()
        self.folder.mkdir(parents=True, exist_ok=True)
        self.folder.chmod(0o700)
        if not self.key.exists():
            run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "lighthouse-vm", "-f", str(self.key))
        overlay = self.folder / "overlay.qcow2"
        if overlay.exists():
            # What was stored in it outlives a new recipe: it goes on with the image it was made from.
            base = Path(self.settings["base"])
        self.settings_file.write_text(
            json.dumps(
                {"base": str(base), "ssh_port": ssh_port, "forwards": forwards, "memory": memory, "append": append}
            )
        )
        if not overlay.exists():
            (self.folder / "known_hosts").unlink(missing_ok=True)
            run("qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", str(base / "disk.img"), str(overlay))

    def boot(self):
        """Start qemu in the background and wait until ssh answers."""
        settings = self.settings
        base = Path(settings["base"])
        ports = [settings["ssh_port"], *(host for host, _ in settings["forwards"])]
        for port in ports:
            with socket.socket() as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind(("127.0.0.1", port))
                except OSError:
                    raise MachineError(
                        f"port {port} is taken on 127.0.0.1: stop what listens there "
                        f"(ss -ltnp 'sport = :{port}') or choose another"
                    ) from None
        arm = platform.machine() == "aarch64"
        accelerator = (
            ["-accel", "kvm", "-cpu", "host"]
            if has_kvm()
            else [
                # cmpxchg16b is emulated wrongly by QEMU 7.2: the guest's kernel would panic.
                "-accel",
                "tcg,thread=multi,tb-size=512",
                "-cpu",
                "max" if arm else "max,cx16=off",
            ]
        )
        command = [
            f"qemu-system-{platform.machine()}",
            "-name",
            f"lighthouse-{self.name}",
            "-machine",
            "virt" if arm else "q35",
            *accelerator,
            "-smp",
            "2",
            "-m",
            str(settings["memory"]),
            "-display",
            "none",
            "-monitor",
            "none",
            "-serial",
            f"file:{self.folder / 'console.log'}",
            "-kernel",
            str(base / "vmlinuz"),
            "-initrd",
            str(base / "initrd"),
            "-append",
            # Emulated, a kernel now and then panics while it boots: it then tries again by itself.
            f"root=/dev/vda rw quiet panic=3 systemd.show_status=no console={'ttyAMA0' if arm else 'ttyS0'} "
            f"{settings['append']}",
            # The disk can be made again at any time: no write waits for the host's disk.
            "-drive",
            f"file={self.folder / 'overlay.qcow2'},if=virtio,format=qcow2,cache=unsafe",
            "-netdev",
            f"user,id=net0,hostfwd=tcp:127.0.0.1:{settings['ssh_port']}-:22",
            "-device",
            "virtio-net-pci,netdev=net0",
            "-device",
            "virtio-rng-pci",
            "-smbios",
            "type=11,value=io.systemd.credential:ssh.authorized_keys.root="
            + self.key.with_suffix(".pub").read_text().strip(),
            "-pidfile",
            str(self.pid_file),
        ]
        if shutil.which(command[0]) is None:
            raise MachineError(f"{command[0]} is not installed: run make setup")
        say(f"booting {self.name} ({'KVM' if has_kvm() else 'emulated: this machine has no KVM, expect patience'})")
        with (self.folder / "qemu.log").open("wb") as log:
            process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        deadline = time.monotonic() + BOOT_SECONDS
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise MachineError(f"qemu ended: {(self.folder / 'qemu.log').read_text().strip()[-400:]}")
            if subprocess.run(self.ssh("true", connect_timeout=5), capture_output=True, check=False).returncode == 0:
                self.open_tunnel()
                return
            time.sleep(1)
        raise MachineError(f"{self.name} did not answer within {BOOT_SECONDS} s: see {self.folder / 'console.log'}")

    def open_tunnel(self):
        """Reach what listens on the guest's loopback: QEMU's own forwarding ends at the guest's network card."""
        ports = [f"-L127.0.0.1:{host}:127.0.0.1:{guest}" for host, guest in self.settings["forwards"]]
        if not ports:
            return
        options = ["-N", "-o", "ExitOnForwardFailure=yes", *ports]
        with (self.folder / "tunnel.log").open("ab") as log:
            process = subprocess.Popen(
                ["ssh", *options, *self.ssh()[1:]],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self.tunnel_pid_file.write_text(str(process.pid))

    def close_tunnel(self):
        pid = self.pid(self.tunnel_pid_file, "ssh")
        if pid is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        self.tunnel_pid_file.unlink(missing_ok=True)

    def ssh_options(self, connect_timeout=30):
        return [
            "-i",
            str(self.key),
            "-o",
            f"UserKnownHostsFile={self.folder / 'known_hosts'}",
            "-o",
            "StrictHostKeyChecking=accept-new",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "LogLevel=ERROR",
            "-o",
            "BatchMode=yes",
            "-o",
            f"ConnectTimeout={connect_timeout}",
            "-o",
            "ServerAliveInterval=15",
        ]

    def ssh(self, *command, connect_timeout=30):
        """The argument vector of an ssh call as root."""
        return [
            "ssh",
            "-p",
            str(self.settings["ssh_port"]),
            *self.ssh_options(connect_timeout),
            "root@127.0.0.1",
            *command,
        ]

    def start(self, ssh_port, forwards, memory, append):
        if self.running():
            if self.pid(self.tunnel_pid_file, "ssh") is None:
                self.open_tunnel()
            return False
        self.create(ssh_port, forwards, memory, append)
        self.boot()
        return True

    def stop(self):
        """Shut down; where that takes too long, end the process."""
        self.stop_sync()
        self.close_tunnel()
        pid = self.running()
        if pid is None:
            return False
        subprocess.run(self.ssh("systemctl poweroff", connect_timeout=5), capture_output=True, check=False)
        for when, number in ((STOP_SECONDS, signal.SIGTERM), (10, signal.SIGKILL), (10, 0)):
            deadline = time.monotonic() + when
            while time.monotonic() < deadline:
                if self.running() is None:
                    return True
                time.sleep(0.2)
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)
        raise MachineError(f"process {pid} of {self.name} does not end")

    def stop_sync(self):
        pid = self.pid(self.sync_pid_file, "machine.py")
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
        self.sync_pid_file.unlink(missing_ok=True)

    def destroy(self):
        self.stop()
        existed = self.folder.exists()
        shutil.rmtree(self.folder, ignore_errors=True)
        return existed

    def reboot(self, append):
        self.stop()
        settings = self.settings
        settings["append"] = append
        self.settings_file.write_text(json.dumps(settings))
        self.boot()

    def variables(self):
        """Ansible's connection variables."""
        return {
            "ansible_host": "127.0.0.1",
            "ansible_port": self.settings["ssh_port"],
            "ansible_user": "root",
            "key": str(self.key),
            "ansible_ssh_common_args": shlex.join(self.ssh_options()),
            "lighthouse_project_path": PROJECT_IN_GUEST,
        }

    # -- the project, in step ------------------------------------------------------------------------------------

    def sync(self, project):
        """Make the guest's copy equal to `project`, leaving out what the shadow leaves out too."""
        shell = shlex.join(["ssh", "-p", str(self.settings["ssh_port"]), *self.ssh_options()])
        run(
            "rsync",
            "--archive",
            "--delete",
            "--delay-updates",
            "--rsh",
            shell,
            "--rsync-path",
            f"mkdir -p {PROJECT_IN_GUEST} && rsync",
            "--exclude=.git/",
            "--exclude=node_modules/",
            "--exclude=.venv/",
            "--exclude=__pycache__/",
            "--exclude=*.pyc",
            "--exclude=.lighthouse/",
            f"{project}/",
            f"root@127.0.0.1:{PROJECT_IN_GUEST}/",
        )

    def watch(self, project):
        """Follow changes of `project` until told to stop."""
        from watchfiles import watch  # the project's environment has it; the other verbs need no package

        self.sync_pid_file.write_text(str(os.getpid()))
        while True:
            try:
                for _ in watch(project, step=50, debounce=200, raise_interrupt=False, ignore_permission_denied=True):
                    self.sync(project)
            except (MachineError, OSError, UnicodeError, RuntimeError) as error:
                # The machine rebooting, a name that is not text: say it, come back, and make up for what was missed.
                say(f"not in step: {error}")
                time.sleep(5)

    def keep_in_step(self, project):
        """Bring it over now, and go on in the background."""
        self.sync(project)
        self.stop_sync()
        with (self.folder / "sync.log").open("ab") as log:
            subprocess.Popen(
                [sys.executable, __file__, "sync", self.name, "--project", str(project), "--watch"],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )


def forward(text):
    host, _, guest = text.partition(":")
    return int(host), int(guest or host)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("image")
    for verb in ("start", "stop", "destroy", "reboot", "ssh", "inventory", "sync"):
        one = verbs.add_parser(verb)
        one.add_argument("name")
        if verb == "start":
            one.add_argument("--ssh-port", type=int, default=2222)
            one.add_argument("--forward", type=forward, action="append", default=[], metavar="HOST[:GUEST]")
            one.add_argument("--memory", type=int, default=2048, help="MiB")
        if verb in ("start", "reboot"):
            one.add_argument("--append", default="", help="more kernel arguments")
        if verb == "ssh":
            one.add_argument("command", nargs=argparse.REMAINDER)
        if verb == "sync":
            one.add_argument("--project", type=Path, required=True)
            how = one.add_mutually_exclusive_group()
            how.add_argument("--once", action="store_true", help="bring it over and do not follow")
            how.add_argument("--watch", action="store_true", help="only follow, in the foreground")
    return parser.parse_args()


def main():
    options = arguments()
    if options.verb == "image":
        print(image())
        return
    machine = Machine(options.name)
    if options.verb == "start":
        changed = machine.start(options.ssh_port, options.forward, options.memory, options.append)
        print(json.dumps({"changed": changed, **machine.variables()}))
    elif options.verb == "stop":
        print(json.dumps({"changed": machine.stop()}))
    elif options.verb == "destroy":
        print(json.dumps({"changed": machine.destroy()}))
    elif options.verb == "reboot":
        machine.reboot(options.append)
    elif options.verb == "ssh":
        command = machine.ssh(*options.command)
        os.execvp(command[0], command)
    elif options.verb == "inventory":
        print(json.dumps(machine.variables()))
    elif options.watch:
        machine.watch(options.project.resolve())
    elif options.once:
        machine.sync(options.project.resolve())
    else:
        machine.keep_in_step(options.project.resolve())


if __name__ == "__main__":
    try:
        main()
    except MachineError as error:
        sys.exit(f"machine.py: {error}")
