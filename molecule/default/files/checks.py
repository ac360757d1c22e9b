#!/usr/bin/python3
"""The appliance's promises, checked on the host that carries it: checks.py NAME. Evidence in a line, or what is broken.

Runs as root on the host; what an expert or an agent would do is done as that user. Deadlines stretch where the
machine is emulated: there the same Python program takes eight to nine times as long as on the host of the emulation.
"""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from fnmatch import fnmatch
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


def call(method, path, body=None, token=None):
    request = urllib.request.Request(
        f"{URL}{path}", method=method, data=None if body is None else json.dumps(body).encode()
    )
    request.add_header("Authorization", f"Bearer {token or TOKEN.read_text().strip()}")
    request.add_header("Content-Type", "application/json")
    try:
        with urllib.request.urlopen(request, timeout=20 * SCALE) as answer:
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


def units():
    """systemctl status lighthouse and the user unit are active, and STATUS says what the bridge said."""
    _, status = sh("systemctl", "status", "--no-pager", "lighthouse")
    inner = user_unit("lighthouse.service", "ActiveState", "SubState", "StatusText")
    need(inner["ActiveState"] == "active" and inner["SubState"] == "running", f"the user unit is {inner}")
    need(inner["StatusText"] and inner["StatusText"] in status, f"status does not mirror {inner['StatusText']!r}")
    return f"active; {inner['StatusText']}"


def answers():
    """/health is 200 on 127.0.0.1, and nobody answers on the host's other address."""
    code, body = health()
    need(code == 200, f"/health answered {code}: {body}")
    address = re.search(r"inet (\d+\.\d+\.\d+\.\d+)", sh("ip", "-4", "addr", "show", "scope", "global")[1])[1]
    with contextlib.suppress(OSError):
        socket.create_connection((address, 8765), timeout=3).close()
        raise Broken(f"somebody answers on {address}:8765")
    return f"{body['status']} on 127.0.0.1, refused on {address}"


def walls():
    """The bridge's process: no capability, no new privileges, own user namespace, enforced, read-only root, only lo."""
    pid = bridge_pid()
    status = dict(re.findall(r"^(\w+):\s*(.*)$", Path(f"/proc/{pid}/status").read_text(), re.MULTILINE))
    for name in ("CapEff", "CapPrm", "CapInh", "CapBnd", "CapAmb"):
        need(int(status[name], 16) == 0, f"{name} is {status[name]}")
    need(status["NoNewPrivs"] == "1", "NoNewPrivs is 0")
    need(status["Seccomp"] == "2", "no seccomp filter")
    namespaces = [Path(f"/proc/{process}/ns/user").readlink() for process in (pid, 1)]
    need(namespaces[0] != namespaces[1], "it shares the host's user namespace")
    need("0" not in status["Uid"].split(), "it is root on the host")
    root = next(line for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines() if line.split()[4] == "/")
    need("ro" in root.split()[5].split(","), f"its root is writable: {root}")
    interfaces = [line.split(":")[0].strip() for line in Path(f"/proc/{pid}/net/dev").read_text().splitlines()[2:]]
    need(interfaces == ["lo"], f"it has network interfaces {interfaces}")
    memory = int(status["VmRSS"].split()[0]) / 1024
    found = f"pid {pid}, {BRIDGE_LABEL}, capabilities 0, no new privileges, read-only root, lo only"
    return f"{found}; {memory:.0f} MiB resident"


def memory():
    """At rest with this project the bridge holds at most 120 MiB."""
    resident = int(re.search(r"VmRSS:\s*(\d+)", Path(f"/proc/{bridge_pid()}/status").read_text())[1]) / 1024
    _, status = call("GET", "/status")
    need(resident <= 120, f"{resident:.0f} MiB resident")
    return f"{resident:.0f} MiB resident with {status['shadow']['files']} files"


# Runs inside the container, let in by podman exec, and takes the bridge's own profile before it tries anything.
ESCAPES = r"""
import ctypes, errno, json, os, socket
with open("/proc/self/attr/apparmor/current", "w") as current:
    current.write("changeprofile lighthouse-bridge")
libc = ctypes.CDLL(None, use_errno=True)
def call(function, *arguments):
    if function(*arguments) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
def write(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT))
attempts = {
    "read /etc/passwd": lambda: open("/etc/passwd").read(),
    "write /opt/lighthouse/x": lambda: write("/opt/lighthouse/x"),
    "write /etc/lighthouse/x": lambda: write("/etc/lighthouse/x"),
    "write /project/x": lambda: write("/project/x"),
    "mount": lambda: call(libc.mount, b"none", b"/tmp", b"tmpfs", 0, None),
    "raw socket": lambda: socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_ICMP),
    "user namespace": lambda: call(libc.unshare, 0x10000000),
}
found = {}
for name, attempt in attempts.items():
    try:
        attempt()
        found[name] = "succeeded"
    except OSError as error:
        found[name] = errno.errorcode[error.errno]
with open("/proc/self/attr/apparmor/current") as current:
    print(json.dumps({"label": current.read().strip(), "found": found}))
"""
# What AppArmor writes for each attempt, where it is the one that decides.
DENIALS = {
    "read /etc/passwd": r'name="/etc/passwd"',
    "write /opt/lighthouse/x": r'name="/opt/lighthouse/x"',
    "write /etc/lighthouse/x": r'name="/etc/lighthouse/x"',
    "write /project/x": r'name="/project/x"',
    "mount": r'operation="mount"',
    "raw socket": r'sock_type="raw"',
    "user namespace": r'(operation="userns_create"|capname="sys_admin")',
}


def escapes():
    """From inside, everything that leads out is denied; which wall decided is said for each."""
    since = sh("date", "+%Y-%m-%d %H:%M:%S")[1].strip()
    # In the user's own manager: from a session of root's podman may not place a process into the container's cgroup.
    manager = (
        "systemd-run",
        "--user",
        f"--machine={SERVICE}@.host",
        "--quiet",
        "--pipe",
        "--wait",
        "--collect",
    )
    _, out = sh(*manager, "podman", "exec", "lighthouse", "/usr/bin/python3", "-I", "-c", ESCAPES)
    report = json.loads(out.splitlines()[-1])
    need(report["label"] == BRIDGE_LABEL, f"the test ran as {report['label']}")
    _, log = sh("journalctl", "--dmesg", "--no-pager", f"--since={since}", '--grep=apparmor="DENIED"', check=False)
    denials = [line for line in log.splitlines() if 'profile="lighthouse-bridge"' in line]
    said = []
    for name, result in report["found"].items():
        need(result in ("EACCES", "EPERM", "EROFS"), f"{name}: {result}")
        logged = any(re.search(DENIALS[name], line) for line in denials)
        wall = "AppArmor, logged" if logged else {"EROFS": "the read-only mount"}.get(result, "seccomp or capabilities")
        said.append(f"{name}: {result} by {wall}")
    need(any("/etc/passwd" in line for line in denials), "the denial of /etc/passwd is not in the log")
    return "; ".join(said)


def same_tree():
    """diff -r between the project and current/ finds nothing but what is ignored."""
    files = sum(len(names) for _, _, names in os.walk(PROJECT))
    need(files >= 2000, f"the project has only {files} files")
    # Permissions of the original are the owner's business; an expert compares as root's stand-in would.
    _, out = sh(
        "diff", "--recursive", "--no-dereference", str(PROJECT), str(MOUNT / "current"), timeout=300, check=False
    )
    ignored = re.compile(r"Only in \S+: (\.git|node_modules|__pycache__|\.venv|\.lighthouse|.*\.pyc)$")
    rest = [line for line in out.splitlines() if not ignored.match(line) and not is_ignored(line)]
    need(not rest, f"{len(rest)} differences: {rest[:5]}")
    return f"{files} files, no difference but {len(out.splitlines())} ignored names"


def is_ignored(line):
    """Whether `Only in DIR: NAME` names something that the project's own .gitignore, at its root, leaves out."""
    found = re.match(r"Only in (\S+): (.+)$", line)
    if not found or not Path(found[1]).is_relative_to(PROJECT):
        return False
    path = "/" + str((Path(found[1]) / found[2]).relative_to(PROJECT))
    patterns = [pattern.strip().rstrip("/") for pattern in (PROJECT / ".gitignore").read_text().splitlines()]
    return any(fnmatch(path, pattern if pattern.startswith("/") else f"*/{pattern}") for pattern in patterns if pattern)


def readers():
    """A member of the group reads, a stranger gets EACCES, and nobody writes."""
    _, listing = sh("ls", str(MOUNT / "current"), user=MEMBER)
    name = next(path.name for path in sorted(PROJECT.iterdir()) if path.is_file() and path.name[0].isalpha())
    sh("cat", str(MOUNT / "current" / name), user=MEMBER)
    for place in (MOUNT / "current", PROPOSALS):
        code, refused = sh("ls", str(place), user=STRANGER, check=False)
        need(code != 0 and "Permission denied" in refused, f"a stranger got at {place}: {refused}")
    for user in (MEMBER, "root", SERVICE):
        code, refused = sh("touch", str(MOUNT / "current" / "new"), user=user, check=False)
        need(code != 0 and re.search("Read-only|denied", refused), f"{user} could write: {refused}")
        code, refused = sh(
            "dd", "if=/dev/null", f"of={MOUNT / 'current' / name}", "conv=notrunc", user=user, check=False
        )
        need(code != 0 and re.search("Read-only|denied", refused), f"{user} could write {name}: {refused}")
    return f"{MEMBER} sees {len(listing.splitlines())} names, {STRANGER} gets EACCES, writing is refused to all"


def proposed():
    """A member edits a proposal with ordinary tools; nothing of it runs on this host, the project stays as it is."""
    place = PROPOSALS / f"check-{os.getpid()}"
    sh("mkdir", str(place), user=MEMBER)
    kept = sh("stat", "--format=%Y %s", str(PROJECT / "isympy.py"))[1]
    script = (
        "set -e; cd $0; sed -i 1d isympy.py; printf '#!/bin/sh\\necho ran\\n' > tool; chmod +x tool; mkdir a; mv tool a"
    )
    sh("sh", "-c", script, str(place), user=MEMBER)
    _, patch = sh("cat", f"{place}.patch", user=MEMBER)
    need("b/a/tool" in patch and "new file mode 100755" in patch, f"the patch has no a/tool: {patch[:400]}")
    need("--- a/isympy.py" in patch, f"the patch has no isympy.py: {patch[:400]}")
    need(sh("stat", "--format=%Y %s", str(PROJECT / "isympy.py"))[1] == kept, "the project was changed")
    sh("test", "-x", str(place / "a/tool"), user=MEMBER)
    code, refused = sh(str(place / "a/tool"), user=MEMBER, check=False)
    need(code == 126 or "Permission denied" in refused, f"a script of a proposal ran: {code} {refused}")
    sh("rm", "-r", str(place), user=MEMBER)
    return f"{len(patch)} bytes of patch; its script shows as executable and is not executed"


def follows():
    """A file saved on the host shows in current/ within a second, and tail -f streams/events shows its event."""
    name = f"saved-{os.getpid()}.txt"
    need(sh("ls", str(MOUNT / "current" / name), user=MEMBER, check=False)[0] != 0, f"{name} is there already")
    tail = subprocess.Popen(
        ["runuser", "-u", MEMBER, "--", "tail", "-n", "0", "-f", str(MOUNT / "streams/events")],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        os.set_blocking(tail.stdout.fileno(), False)
        time.sleep(2 * min(SCALE, 2))  # tail has no way to say that it has reached the end
        shown = MOUNT / "current" / name
        (PROJECT / name).write_text("one\n")
        created = wait_for(f"{name} in current/", lambda: shown.exists() and shown.read_text() == "one\n", 1)
        (PROJECT / name).write_text("two and more\n")
        changed = wait_for(f"the new text of {name}", lambda: shown.read_text() == "two and more\n", 1)
        heard = []
        wait_for("the event in tail -f", lambda: heard.append(tail.stdout.read() or "") or name in "".join(heard), 5)
    finally:
        tail.terminate()
        tail.wait(10)
        (PROJECT / name).unlink()
    wait_for(f"{name} gone from current/", lambda: not shown.exists(), 1)
    return f"created seen after {created * 1000:.0f} ms, change after {changed * 1000:.0f} ms, event followed"


MCP_CLIENT = r"""
import asyncio, json, os, sys
sys.path.insert(0, sys.argv[1])
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    environment = {"LIGHTHOUSE_BRIDGE_URL": "http://localhost:8765", "LIGHTHOUSE_TOKEN_FILE": sys.argv[2],
                   "PATH": os.environ["PATH"]}
    server = StdioServerParameters(command="/usr/local/bin/lighthouse", args=["mcp"], env=environment)
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        hello = await session.initialize()
        tools = sorted(tool.name for tool in (await session.list_tools()).tools)
        marker = f"molecule-{os.getpid()}"
        stored = await session.call_tool("lighthouse_store_event", {"type": "check.marker", "data": {"marker": marker}})
        found = await session.call_tool("lighthouse_query_events", {"type": "check.marker", "limit": 1000})
        posed = {"type": "check.marker", "data": {}, "agent_id": "somebody-else"}
        other = await session.call_tool("lighthouse_store_event", posed)
        text = lambda result: " ".join(block.text for block in result.content if block.type == "text")
        def failed(result):
            return bool(getattr(result, "is_error", getattr(result, "isError", False)))
        print(json.dumps({"tools": tools, "marker": marker, "stored": text(stored), "stored_failed": failed(stored),
                          "found": text(found), "other_failed": failed(other), "other": text(other)}))

asyncio.run(main())
"""


def mcp():
    """The official MCP client over stdio stores and queries as its own agent, and cannot act as another."""
    library = next(Path("/usr/local/lib/lighthouse").iterdir())
    _, out = sh("/usr/bin/python3", "-I", "-c", MCP_CLIENT, str(library), str(TOKEN), user=MEMBER)
    report = json.loads(out.splitlines()[-1])
    need("lighthouse_store_event" in report["tools"], f"tools: {report['tools']}")
    need(not report["stored_failed"], f"storing failed: {report['stored']}")
    need(
        report["marker"] in report["found"] and "builder-1" in report["found"],
        f"not found again: {report['found'][:400]}",
    )
    need(report["other_failed"], f"it acted as another: {report['other']}")
    return f"{len(report['tools'])} tools; stored and found as builder-1; as another: {report['other'][:120]}"


def killed():
    """kill -9 with a reader blocked: the reader gets an error, health is back, nothing acknowledged is lost."""
    acknowledged = []
    for number in range(20):
        code, answer = call("POST", "/event/store", {"type": "check.kept", "data": {"number": number}})
        need(code in (200, 201), f"storing answered {code}: {answer}")
        acknowledged.append(answer["seq"])
    note = PROPOSALS / f"kept-{os.getpid()}" / "note"
    sh("mkdir", str(note.parent), user=MEMBER)
    sh("sh", "-c", "echo kept > $0; sync -d $0", str(note), user=MEMBER)
    pid = bridge_pid()
    os.kill(pid, 19)  # SIGSTOP: from here on nobody serves the mount
    reader = subprocess.Popen(
        ["runuser", "-u", MEMBER, "--", "cat", str(MOUNT / "debug/health.json")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    wait_for(
        "the reader to block", lambda: "fuse" in blocked_in(reader.pid) or "request_wait" in blocked_in(reader.pid), 5
    )
    start = time.monotonic()
    os.kill(pid, 9)
    _, complaint = reader.communicate(timeout=10 * SCALE)
    freed = time.monotonic() - start
    need(reader.returncode != 0, "the blocked reader got data")
    back = wait_for("health", lambda: health()[0] == 200, 5) + freed
    _, page = call("GET", "/event/query?type=check.kept&limit=1000")
    there = {event["seq"] for event in page["events"]}
    need(set(acknowledged) <= there, f"lost: {sorted(set(acknowledged) - there)}")
    sh("ls", str(MOUNT / "current"), user=MEMBER)
    need(sh("cat", str(note), user=MEMBER)[1] == "kept\n", f"{note} is lost")
    sh("rm", "-r", str(note.parent), user=MEMBER)
    return (
        f"reader freed after {freed:.2f} s ({complaint.strip()[-60:]}), health 200 after {back:.2f} s, "
        f"{len(acknowledged)} acknowledged events and a written proposal there"
    )


def blocked_in(pid):
    """Where in the kernel the process or its children wait."""
    places = []
    for task in [pid, *map(int, sh("pgrep", "-P", str(pid), check=False)[1].split())]:
        with contextlib.suppress(OSError):
            places.append(Path(f"/proc/{task}/wchan").read_text())
    return " ".join(places)


def verified():
    """events verify passes over the log as it lies on disk."""
    _, out = sh("lighthouse", "events", "verify", "--json", timeout=300)
    report = json.loads(out.splitlines()[-1])
    need(report["ok"], f"verify says {report}")
    return f"{report['events']} events verified"


def stopped():
    """Stop leaves no mount, dead or alive, nobody listening and no container; start brings all back."""
    sh("systemctl", "stop", "lighthouse")
    need(not our_mounts(), f"a mount is left: {our_mounts()}")
    need(not any(any(place.iterdir()) for place in (MOUNT, PROPOSALS)), "a mount point is not empty and idle")
    need(health()[0] == 0, "somebody still answers, or a connection woke the bridge")
    inner = user_unit("lighthouse.service", "ActiveState", "NFileDescriptorStore")
    need(
        inner["ActiveState"] in ("inactive", "failed") and inner["NFileDescriptorStore"] == "0", f"left behind: {inner}"
    )
    sh("systemctl", "start", "lighthouse", timeout=300)
    need(health()[0] == 200, "started, and not healthy")
    sh("ls", str(MOUNT / "current"), user=MEMBER)
    return "no mount, no listener, no stored descriptor; started again and healthy"


def back():
    """After a reboot the bridge serves again, without anybody doing anything."""
    waited = wait_for("health after the reboot", lambda: health()[0] == 200, 60)
    sh("ls", str(MOUNT / "current"), user=MEMBER)
    return f"{units()}; {waited:.0f} s after ssh answered; {answers()}"


def quiet():
    """The bridge runs within its profile: no denial but those a check provoked."""
    _, log = sh("journalctl", "--dmesg", "--no-pager", '--grep=apparmor="DENIED".*lighthouse', check=False)
    provoked = re.compile("|".join(DENIALS.values()))
    rest = [line for line in log.splitlines() if 'profile="lighthouse' in line and not provoked.search(line)]
    need(not rest, f"{len(rest)} unexpected denials, as: {rest[0] if rest else ''}")
    return "no unexpected denial in the kernel's log"


def main():
    checks = [
        units,
        answers,
        walls,
        memory,
        escapes,
        same_tree,
        readers,
        proposed,
        follows,
        mcp,
        killed,
        verified,
        stopped,
        back,
        quiet,
    ]
    chosen = {check.__name__: check for check in checks}[sys.argv[1]]
    try:
        print(f"{chosen.__name__}: {chosen()}")
    except (Broken, OSError, ValueError, KeyError, subprocess.SubprocessError) as error:
        sys.exit(f"{chosen.__name__} is broken: {type(error).__name__}: {error}\npromise: {chosen.__doc__}")


if __name__ == "__main__":
    main()
