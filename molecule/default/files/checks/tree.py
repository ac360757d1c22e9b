"""What the mount promises: the project as it is, as it was, what was noted on it, and proposals to change it."""

import json
import os
import re
import subprocess
import time
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path

from host import MEMBER, MOUNT, PROJECT, PROPOSALS, SCALE, SERVICE, STRANGER, call, need, sh, wait_for


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


def folders():
    """Every folder of the tree is there for a member; grep -r over the streams ends, and debug/ tells."""
    names = sorted(sh("ls", str(MOUNT), user=MEMBER)[1].split())
    expected = ["context", "current", "debug", "history", "proposals", "shadows", "streams"]
    need(names == expected, f"the top holds {names}")
    for name in names:
        sh("ls", "-L", str(MOUNT / name), user=MEMBER)
    _, counts = sh("grep", "--recursive", "--count", "seq", str(MOUNT / "streams"), user=MEMBER)
    code, body = 0, json.loads(sh("cat", str(MOUNT / "debug/health.json"), user=MEMBER)[1])
    need(body["status"] == "ok", f"health.json says {body}")
    code, metrics = sh("grep", "--count", "^lighthouse_", str(MOUNT / "debug/metrics.prom"), user=MEMBER)
    need(code == 0, "metrics.prom holds no figure of ours")
    return f"{', '.join(names)}; {' '.join(counts.split())}; {metrics.strip()} figures"


def past():
    """What was is found under its sequence number, its time and its snapshot's name, however the file changed since."""
    name = f"past-{os.getpid()}.txt"
    now = MOUNT / "current" / name
    (PROJECT / name).write_text("as it was\n")
    try:
        wait_for(f"{name} in current/", lambda: now.exists() and now.read_text() == "as it was\n", 5)
        number = call("GET", "/status")[1]["shadow"]["version"]
        moment = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        snapshot = f"check-{os.getpid()}"
        code, made = call("POST", f"/snapshot/{snapshot}", {})
        need(code == 200, f"the snapshot was answered {code}: {made}")
        (PROJECT / name).write_text("as it is\n")
        wait_for(f"the new text of {name}", lambda: now.read_text() == "as it is\n", 5)
        for place in (str(number), moment, snapshot):
            _, text = sh("cat", str(MOUNT / "history" / place / name), user=MEMBER)
            need(text == "as it was\n", f"history/{place} says {text!r}")
    finally:
        (PROJECT / name).unlink()
    _, listing = sh("ls", str(MOUNT / "history"), user=MEMBER)
    need(snapshot in listing.split(), f"history/ lists {listing}")
    code, changes = call("GET", f"/diff?from={snapshot}&to={number}")
    need(code == 200 and not changes["changes"], f"between a snapshot and itself: {changes}")
    wait_for(f"{name} gone", lambda: not now.exists(), 5)
    return f"event {number}, {moment} and snapshot {snapshot} show what was"


def proposed():
    """An expert's edits become a patch that git applies on the host; none of it runs here, and applied is found."""
    name = f"check-{os.getpid()}"
    place = PROPOSALS / name
    code, made = call("POST", "/proposal/create", {"name": name, "uid": int(sh("id", "-u", MEMBER)[1])})
    need(code == 200, f"create answered {code}: {made}")
    kept = sh("stat", "--format=%Y %s", str(PROJECT / "isympy.py"))[1]
    script = (
        "set -e; cd $0; sed -i 1d isympy.py; vim.tiny -es -u NONE -c '%s/project/PROJECT/' -c wq README.md; "
        "printf '#!/bin/sh\\necho made\\n' > tool; chmod +x tool; mkdir a; mv tool a; mv bin/run bin/go"
    )
    sh("sh", "-c", script, str(place), user=MEMBER)
    patch = f"/home/{MEMBER}/{name}.patch"
    sh("cp", f"{MOUNT}/proposals/{name}.patch", patch, user=MEMBER)
    text = Path(patch).read_text()
    for part in ("--- a/isympy.py", "+A PROJECT", "b/a/tool", "new file mode 100755", "rename to bin/go"):
        need(part in text, f"the patch has no {part!r}: {text[:600]}")
    need(sh("stat", "--format=%Y %s", str(PROJECT / "isympy.py"))[1] == kept, "the project was changed")
    # Asked by test -x, the kernel says no: the mount is noexec.
    _, shown = sh("stat", "--format=%A", str(place / "a/tool"), user=MEMBER)
    need(shown.startswith("-rwx"), f"the script shows as {shown}")
    code, refused = sh(str(place / "a/tool"), user=MEMBER, check=False)
    need(code == 126 or "Permission denied" in refused, f"a script of a proposal ran: {code} {refused}")
    _, page = call("GET", "/event/query?type=proposal.changed&agent_id=builder-1&limit=1000")
    writers = {event["data"]["uid"] for event in page["events"] if event["data"]["name"] == name}
    need(writers == {int(sh("id", "-u", MEMBER)[1])}, f"the log says that {writers} wrote")
    try:
        sh("git", "-C", str(PROJECT), "apply", patch, user=MEMBER)
        state = lambda: call("GET", f"/proposal/{name}")[1]["proposal"]["state"]  # noqa: E731  (asked again and again)
        found = wait_for("the applied proposal to be found", lambda: state() == "applied", 10)
    finally:
        sh("git", "-C", str(PROJECT), "apply", "--reverse", patch, user=MEMBER, check=False)
    need(not place.exists(), "the applied proposal is still in the mount")
    return f"{len(text)} bytes of patch, applied by git and found {found:.1f} s later; its script is not executed"


NOTED = """import math


def area(radius):
    return math.pi * radius**2


def total(orders):
    answer = 0
    for order in orders:
        answer += order.price * order.count
    return answer
"""
REFACTORED = """import math

LIMIT = 10


class Report:
    @staticmethod
    def total(orders):
        answer = 0
        for order in orders:
            answer += order.price * order.count
        return answer


def area(radius):
    return math.pi * radius**2
"""


def annotated():
    """A note on a function follows it into a class, indented and before what came before it."""
    name = f"noted_{os.getpid()}.py"
    shown = MOUNT / "shadows" / f"{name}.annotations.json"
    (PROJECT / name).write_text(NOTED)
    try:
        wait_for(f"{name} in current/", lambda: (MOUNT / "current" / name).exists(), 5)
        note = {"path": name, "symbol": "total", "text": "prices are in cents", "severity": "warning"}
        code, made = call("POST", "/shadow/annotate", {**note, "category": "units"})
        need(code == 200, f"annotate answered {code}: {made}")
        wait_for(f"{shown.name}", shown.exists, 5)
        (PROJECT / name).write_text(REFACTORED)
        line = REFACTORED.splitlines().index("    def total(orders):") + 1

        def stands():
            (standing,) = json.loads(sh("cat", str(shown), user=MEMBER)[1])["annotations"]
            return standing if standing["lines"][0] in (line, line - 1) else None

        wait_for("the note at the moved function", stands, 10)
        standing = stands()
        need(standing["status"] in ("moved", "edited"), f"it says {standing}")
    finally:
        (PROJECT / name).unlink()
    call("POST", f"/annotation/{made['annotation']['id']}/resolve", {"reason": "checked"})
    return f"{standing['status']}, {standing['symbol']}, lines {standing['lines']}, confidence {standing['confidence']}"


def follows():
    """A file saved on the host shows in current/ within a second, and tail -f streams/events shows its event."""
    name = f"saved-{os.getpid()}.txt"
    need(sh("ls", str(MOUNT / "current" / name), user=MEMBER, check=False)[0] != 0, f"{name} is there already")
    tail = subprocess.Popen(
        ["runuser", "-u", MEMBER, "--", "tail", "-n", "0", "-f", str(MOUNT / "streams/events")],
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    try:
        # So that a read gives None, not an error, while there is nothing yet.
        os.set_blocking(tail.stdout.fileno(), False)
        time.sleep(2 * min(SCALE, 2))  # tail has no way to say that it has reached the end
        shown = MOUNT / "current" / name
        (PROJECT / name).write_text("one\n")
        created = wait_for(f"{name} in current/", lambda: shown.exists() and shown.read_text() == "one\n", 1)
        (PROJECT / name).write_text("two and more\n")
        changed = wait_for(f"the new text of {name}", lambda: shown.read_text() == "two and more\n", 1)
        heard = []
        told = name.encode()
        wait_for("the event in tail -f", lambda: heard.append(tail.stdout.read() or b"") or told in b"".join(heard), 5)
    finally:
        tail.terminate()
        tail.wait(10)
        (PROJECT / name).unlink()
    wait_for(f"{name} gone from current/", lambda: not shown.exists(), 1)
    return f"created seen after {created * 1000:.0f} ms, change after {changed * 1000:.0f} ms, event followed"
