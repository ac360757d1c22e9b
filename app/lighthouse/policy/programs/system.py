"""Programs of the machine itself: disks, services, firewalls, packages of the system, signals."""

import itertools
import re
from collections.abc import Callable

from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.tasks import act_of
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output
from lighthouse.policy.vocabulary import listed

_SHOWS = listed("system", "shows")
_PACKAGE_READS = listed("system", "package_reads")

_DISK_SHOWS = frozenset(
    (
        "-l",
        "--list",
        "-n",
        "--dry-run",
        "list",
        "status",
        "-N",
        "print",
        "info",
        "smart-log",
        "get",
        "df",
        "--detail",
        "show",
        "events",
        "iostat",
        "-V",
        "id-ctrl",
    )
)
_DISK_CHANGES = frozenset(("destroy", "-y", "--zap-all", "delete", "format", "mklabel", "rm", "eraseDisk"))
_DISK_VIEWERS = frozenset(
    (
        "fdisk",
        "parted",
        "zpool",
        "zfs",
        "btrfs",
        "nvme",
        "diskutil",
        "mdadm",
        "losetup",
        "sgdisk",
        "gdisk",
        "fsck",
        "e2fsck",
        "cryptsetup",
        "fwupdmgr",
        "sfdisk",
        "efibootmgr",
        "swapon",
    )
)


def _disk(call: Invocation) -> Output:
    words = [literal(word) for word in call.words]
    if words in (["-V"], ["--version"], ["-h"], ["--help"]):
        return SOMETHING
    shows = _DISK_SHOWS & set(words) and not _DISK_CHANGES & set(words) and call.name in _DISK_VIEWERS
    if shows or call.name == "dumpe2fs" or (not words and call.name in _DISK_VIEWERS):
        return SOMETHING
    if call.name == "format" and not any(
        re.match(r"[A-Za-z]:", word) or word.startswith("/dev") for word in words
    ):
        call.uncertain("the program format is not known")
        return SOMETHING
    files = [
        word for word in call.arguments.operands if set("/.") & set(word) and not word.startswith("/dev")
    ]
    # A file system made in a file is no disk.
    into_file = files and call.name.startswith(("mk", "losetup"))
    call.act("write:other" if into_file else "disk:device", " ".join([call.name, *words])[:200])
    return NOTHING


def _services(call: Invocation) -> Output:
    words = [literal(word) for word in call.arguments.operands]
    verbs = words[:1] if call.name not in ("service", "rc-service") else words[1:2]
    if not verbs or verbs[0] in _SHOWS or call.arguments.has("--status-all"):
        return SOMETHING
    if verbs[0] in (
        "poweroff",
        "reboot",
        "halt",
        "kexec",
        "suspend",
        "hibernate",
        "rescue",
        "emergency",
        "isolate",
    ):
        call.act("power:host", " ".join(words))
    elif verbs[0] in (
        "enable",
        "link",
        "add",
        "load",
        "bootstrap",
        "edit",
        "set-property",
        "preset",
        "enable-linger",
        "startup",
        "save",
    ):
        call.act("persist:host", " ".join([call.name, *words]))
    else:
        call.act("configure:host", " ".join([call.name, *words]), detail="changes the machine's services")
    return NOTHING


def _firewall(call: Invocation) -> Output:
    words = [literal(word) for word in call.words]
    shows = {
        "-L",
        "--list",
        "-S",
        "--list-rules",
        "status",
        "list",
        "--list-all",
        "--state",
        "-s",
        "show",
        "--get-active-zones",
        "-nL",
        "-vnL",
        "-nvL",
        "-Ln",
    }
    if words and (shows & set(words)) and not {"-F", "-X", "-P", "flush", "delete", "add"} & set(words):
        return SOMETHING
    call.act("privilege:host", " ".join([call.name, *words]), detail="changes the machine's firewall")
    return NOTHING


def _sysctl(call: Invocation) -> Output:
    if call.arguments.has("-w", "--write", "-p", "--load", "--system") or any(
        "=" in word for word in call.arguments.operands
    ):
        call.act("configure:host", " ".join(map(literal, call.words)))
    return SOMETHING


def _pkill(call: Invocation) -> Output:
    if call.arguments.value("-s", "--signal") == "0" or call.arguments.has("-0", "-l", "--list"):
        return SOMETHING
    call.act(
        "signal:host",
        " ".join(map(literal, call.words)),
        detail="ends every process of that name, also other people's",
    )
    return NOTHING


_LOOKS_AT_NETWORK = re.compile(r"show|status|list|query|statistics|dev|link|monitor|-?get\w*")


def _ip(call: Invocation) -> Output:
    words = [literal(word) for word in call.arguments.operands]
    changes = {
        "add",
        "del",
        "delete",
        "set",
        "flush",
        "up",
        "down",
        "change",
        "replace",
        "connect",
        "disconnect",
        "modify",
        "radio",
        "exec",
        "off",
        "on",
    }
    looks = not words or any(map(_LOOKS_AT_NETWORK.fullmatch, words))
    closed = call.name not in ("ip", "ifconfig", "route", "wg") and not looks
    if closed or changes & set(words) or (call.name in ("wg-quick", "dhclient", "brctl") and words):
        call.act("configure:host", " ".join([call.name, *words]), detail="changes the machine's network")
        if "exec" in words:
            call.uncertain("runs a program in another network")
    return SOMETHING


def _packages(call: Invocation) -> Output:
    words = [literal(word) for word in call.words]
    verb = next(
        (word for word in words if not word.startswith("-") or re.fullmatch(r"-[QSRUD][a-z]*", word)), ""
    )
    if (
        not words
        or verb in _PACKAGE_READS
        or call.arguments.has("--simulate", "--dry-run")
        or (call.arguments.has("-s", "-n") and call.name not in ("nix-env", *_BY_LETTERS))
    ):
        return SOMETHING
    for name, _ in call.arguments.options:
        if name in ("-o", "--option", "-c", "--config-file") and call.name.startswith("apt"):
            call.uncertain(f"{name} may make it run a program")
    if call.name in _BY_LETTERS and re.match(r"-S[a-z]*[silgp]", verb):
        return SOMETHING
    removes = re.match(
        r"remove|purge|autoremove|uninstall|delete|erase|-R|clean|autoclean|cleanup|rm|prune|zap", verb
    )
    call.act(
        "configure:host" if removes else "install:host",
        " ".join([call.name, *words])[:200],
        detail="changes the machine's programs",
    )
    return NOTHING


_BY_LETTERS = frozenset(("pacman", "yay", "paru", "emerge"))


def _dpkg(call: Invocation) -> Output:
    reads = (
        "-l",
        "-L",
        "-s",
        "-S",
        "-p",
        "--list",
        "--listfiles",
        "--status",
        "--search",
        "--print-avail",
        "--get-selections",
        "-q",
        "--query",
        "-qa",
        "-qi",
        "-ql",
        "-qf",
        "-c",
        "-I",
        "--info",
        "--contents",
        "--compare-versions",
        "--print-architecture",
        "--version",
    )
    if not call.words or call.arguments.has(*reads):
        return SOMETHING
    call.act("install:host", " ".join(map(literal, call.words)))
    return NOTHING


def _tunnel(call: Invocation) -> Output:
    if call.words and literal(call.words[0]) in (
        "version",
        "status",
        "list",
        "help",
        "ip",
        "netcheck",
        "ping",
    ):
        return SOMETHING
    call.act("send:remote", " ".join(map(literal, call.words)), detail="opens this machine to the network")
    return NOTHING


def _mktemp(call: Invocation) -> Output:
    from lighthouse.policy.shell.marks import PLAIN

    folder = call.arguments.value("-p", "--tmpdir")
    operands = call.arguments.operands
    if operands and ("/" in operands[0] or not call.arguments.has("-t", "--tmpdir", "-p")):
        base = operands[0].rpartition("/")[0]
        call.role("write", operands[0])
        return Output(f"{base or '.'}/{PLAIN}\n")
    return Output(f"{folder or '/tmp'}/{PLAIN}\n")  # noqa: S108


def _openssl(call: Invocation) -> Output:
    words = [literal(word) for word in call.words]
    options = dict(itertools.pairwise(words))
    for name in ("-in", "-inkey", "-key"):
        if name in options:
            call.role("read", options[name])
    for name in ("-out", "-keyout"):
        if name in options:
            call.role("write", options[name])
    verb = words[0] if words else ""
    if (
        "-engine" in words
        or "-provider" in words
        or "-provider-path" in words
        or verb in ("engine", "s_server")
    ):
        call.uncertain("loads code or opens this machine")
    if verb in ("s_client", "s_time", "ocsp"):
        call.act(
            "send:remote"
            if call.stdin is not None and call.stdin.text not in ("", "\n", "Q\n")
            else "fetch:remote",
            " ".join(words),
        )
        return Output(ANY, frozenset(("network",)))
    sources = call.stdin.sources if call.stdin is not None else frozenset()
    return Output(ANY, sources | {"decoded"} if "-d" in words else sources)


def _package_tool(call: Invocation) -> Output:
    words = [literal(word) for word in call.arguments.operands]
    verb = words[0] if words else ""
    if call.name in ("pyproject-build", "virtualenv"):
        call.act("execute:project", " ".join(words))
    elif call.name == "twine":
        call.act("publish:remote" if verb in ("upload", "register") else "read:self", " ".join(words))
    elif call.name in ("cpan", "cpanm") and words:
        call.act("install:host", " ".join([call.name, *words]))
    elif verb in (
        "list",
        "search",
        "show",
        "info",
        "env",
        "version",
        "spec",
        "outdated",
        "help",
        "config-list",
        "switch-list",
        "which",
        "find",
        "graph",
    ):
        return SOMETHING
    elif not verb:
        call.uncertain("opens a shell of its own")
    elif act := act_of(words[:1]):
        call.act(act, " ".join([call.name, *words]))
    else:
        call.act("install:registry", " ".join([call.name, *words]))
    return SOMETHING


def _nix(call: Invocation) -> Output:
    for name, value in call.arguments.options:
        if name in ("--run", "--command", "-c") and value:
            call.shell.script(literal(value), call.name)
    words = [literal(word) for word in call.arguments.operands]
    verb = words[0] if words else ""
    if call.name in ("nixos-rebuild", "home-manager"):
        call.act("privilege:host", " ".join(words))
    elif call.name == "nix-store" and call.arguments.has("--gc", "--delete"):
        call.act("delete:home", "nix store")
    elif call.name == "nix" and verb in ("search", "show-config", "eval", "path-info", "why-depends", "log"):
        call.act("fetch:remote", verb)
    elif any(":" in word for word in words[1:]):
        call.act("execute:registry", " ".join([call.name, *words]), detail="fetches and runs what it names")
    elif verb in ("profile", "registry", "store", "upgrade-nix", "collect-garbage"):
        call.act("configure:host", " ".join(words))
    else:
        call.act("execute:project", " ".join([call.name, *words]))
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "disk": _disk,
    "services-control": _services,
    "firewall": _firewall,
    "sysctl": _sysctl,
    "pkill": _pkill,
    "ip": _ip,
    "system-packages": _packages,
    "dpkg": _dpkg,
    "tunnel": _tunnel,
    "mktemp": _mktemp,
    "openssl": _openssl,
    "package-tool": _package_tool,
    "nix": _nix,
}
