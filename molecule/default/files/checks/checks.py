#!/usr/bin/python3
"""The appliance's promises, checked on its host: checks.py NAME. Evidence in a line, or what is broken."""

import contextlib
import json
import os
import re
import socket
import subprocess
import sys
import time
from pathlib import Path

from host import (
    BRIDGE_LABEL,
    MEMBER,
    MOUNT,
    PROPOSALS,
    SCALE,
    SERVICE,
    TOKEN,
    Broken,
    bridge_pid,
    call,
    health,
    need,
    our_mounts,
    sh,
    user_unit,
    wait_for,
)
from judged import answered, approved, blocked, followed, judged, unanswered
from team import together
from tree import annotated, folders, follows, past, proposed, readers, same_tree


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
    code, answer = call("POST", "/proposal/create", {"name": note.parent.name})
    need(code == 200, f"creating a proposal answered {code}: {answer}")
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
    call("POST", f"/proposal/{note.parent.name}/withdraw", {"reason": "checked"})
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
    """Stop leaves no mount, dead or alive, nobody listening and no container; hooks block; start brings all back."""
    sh("systemctl", "stop", "lighthouse")
    need(not our_mounts(), f"a mount is left: {our_mounts()}")
    need(not any(any(place.iterdir()) for place in (MOUNT, PROPOSALS)), "a mount point is not empty and idle")
    need(health()[0] == 0, "somebody still answers, or a connection woke the bridge")
    inner = user_unit("lighthouse.service", "ActiveState", "NFileDescriptorStore")
    need(
        inner["ActiveState"] in ("inactive", "failed") and inner["NFileDescriptorStore"] == "0", f"left behind: {inner}"
    )
    told = blocked()
    sh("systemctl", "start", "lighthouse", timeout=300)
    need(health()[0] == 200, "started, and not healthy")
    sh("ls", str(MOUNT / "current"), user=MEMBER)
    return f"no mount, no listener, no stored descriptor; hooks said: {told}; started again and healthy"


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
        folders,
        follows,
        past,
        annotated,
        proposed,
        mcp,
        judged,
        approved,
        answered,
        unanswered,
        followed,
        together,
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
