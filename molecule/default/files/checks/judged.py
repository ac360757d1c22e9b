"""What is promised to agents and people about tool calls: judged at once, asked about, answered, or blocked."""

import http.cookiejar
import json
import os
import re
import select
import subprocess
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser
from pathlib import Path

from host import MEMBER, PROJECT, SCALE, STRANGER, TOKEN, URL, Broken, call, health, need, sh, wait_for

POLICIES = Path("/etc/lighthouse/policies")
OWN = POLICIES / "90-check.cedar"
NO_COMMITS = '@id("check-no-commits")\n@decision("deny")\nforbid (principal, action == Action::"commit", resource);\n'
# The analysis has twice 14 ms of the processor, and an emulated one takes them away at times: it is asked again.
TOO_SLOW = "not-understood"
TRIES = 3
# What Claude Code sends, for each of its tools; and what is said to it.
CALLS = [
    ("Bash", {"command": "git status && grep -r TODO . | wc -l", "description": "Look around"}, "nothing"),
    ("Bash", {"command": "git push --force origin main", "description": "Push again"}, "deny"),
    ("Bash", {"command": "true; eval 'rm -rf /'", "description": "Make room"}, "deny"),
    ("Read", {"file_path": f"{PROJECT}/README.md"}, "nothing"),
    ("Glob", {"pattern": "**/*.py", "path": f"{PROJECT}"}, "nothing"),
    ("Grep", {"pattern": "TODO", "path": f"{PROJECT}"}, "nothing"),
    ("Write", {"file_path": f"{PROJECT}/new.py", "content": "print(1)\n"}, "nothing"),
    ("Edit", {"file_path": f"{PROJECT}/isympy.py", "old_string": "a", "new_string": "b"}, "nothing"),
    (
        "MultiEdit",
        {"file_path": f"{PROJECT}/isympy.py", "edits": [{"old_string": "a", "new_string": "b"}]},
        "nothing",
    ),
    ("NotebookEdit", {"notebook_path": f"{PROJECT}/a.ipynb", "new_source": "1"}, "nothing"),
]


def hook(tool, given, *, token=None, event="PreToolUse", **more):
    """What the bridge answers to Claude Code about this call: allow, deny, or nothing; and why."""
    sent = {
        "session_id": "3f0c6f0e-5c8e-4d0a-9a55-0b8f6a1f2d11",
        "transcript_path": f"/home/{MEMBER}/.claude/projects/shop/3f0c6f0e.jsonl",
        "cwd": str(PROJECT),
        "permission_mode": "default",
        "hook_event_name": event,
        "tool_name": tool,
        "tool_input": given,
        **more,
    }
    code, answer = call("POST", "/hooks/claude-code", sent, token=token, timeout=120)
    need(code == 200, f"the hook was answered {code}: {answer}")
    said = answer.get("hookSpecificOutput", {})
    return said.get("permissionDecision", "nothing"), said.get("permissionDecisionReason", "")


def operator():
    return token_of("olga", "operator")


def token_of(agent, role):
    return sh("lighthouse", "token", "create", "--agent", agent, "--role", role, "--ttl", "1h")[1].strip()


class Asked:
    """A hook call that is escalated and waits; `answer` is what became of it."""

    def __init__(self, command):
        known = {one["id"] for one in requests("pending", "resolved")}
        self.answer = None
        self.began = time.monotonic()
        self._thread = threading.Thread(target=self._ask, args=(command,), daemon=True)
        self._thread.start()
        new = []

        def arrived():
            # An expert may have answered it by then.
            new.extend(one for one in requests("pending", "resolved") if one["id"] not in known)
            return new

        wait_for("the request", arrived, 10)
        self.request = new[0]

    def _ask(self, command):
        try:
            self.answer = hook("Bash", {"command": command})
        except Exception as error:
            self.answer = ("broken", repr(error))

    def ended(self, seconds):
        """What the waiting call was answered, and after how long."""
        self._thread.join(seconds * SCALE)
        need(self.answer is not None, f"the hook still waits for {self.request['id']}")
        return self.answer, time.monotonic() - self.began


def asked_about(command):
    """A call that waits for an answer to what it would do."""
    for _ in range(TRIES):
        asked = Asked(command)
        if asked.request["rule"] != TOO_SLOW:
            return asked
        call(
            "POST", "/approve", {"id": asked.request["id"], "verdict": "deny", "reason": "ask again"}, token=operator()
        )
        asked.ended(10)
    raise Broken(f"{command} was not understood, {TRIES} times")


def requests(*states):
    found = []
    for state in states:
        code, answer = call("GET", f"/approvals?state={state}")
        need(code == 200, f"/approvals was answered {code}: {answer}")
        found += answer["approvals"]
    return found


def judged():
    """Claude Code's own hook JSON, for its tools: what is harmless passes, what is not is denied, at once."""
    said = []
    for tool, given, expected in CALLS:
        for _ in range(TRIES):
            decision, reason = hook(tool, given, tool_use_id="toolu_01A09q90qw90lq917835lq9")
            if TOO_SLOW not in reason:
                break
        need(decision == expected, f"{tool} {given} got {decision}: {reason}")
        need(decision != "deny" or reason, f"{tool} {given} was denied without a reason")
        said.append(f"{tool} {'denied' if decision == 'deny' else 'passes'}")
    new = PROJECT / f"hooked-{os.getpid()}.txt"
    new.write_text("written by a tool\n")
    try:
        hook("Write", {"file_path": str(new), "content": ""}, event="PostToolUse", tool_response={"success": True})
        asked = urllib.request.Request(f"{URL}/shadow/read/{new.name}")
        asked.add_header("Authorization", f"Bearer {TOKEN.read_text().strip()}")
        with urllib.request.urlopen(asked, timeout=20 * SCALE) as answer:
            need(b"written by a tool" in answer.read(), "it did not read its own write")
    finally:
        new.unlink()
    code, answer = call(
        "POST", "/validate", {"tool_name": "Bash", "tool_input": {"command": "ls"}, "cwd": str(PROJECT)}
    )
    need(code == 200 and answer["decision"] == "allow", f"/validate answered {code}: {answer}")
    return f"{', '.join(said)}; its own write was there to be read; ls in {answer['latency_us']} µs"


class Fields(HTMLParser):
    """The forms of a page: their addresses and hidden fields."""

    def __init__(self, text):
        super().__init__()
        self.forms = []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        if tag == "form":
            self.forms.append((given.get("action", ""), {}))
        elif tag == "input" and self.forms and given.get("name"):
            self.forms[-1][1][given["name"]] = given.get("value") or ""


class Browser:
    """As much of one as forms need: cookies, redirects, and the origin of the page a form is sent from."""

    def __init__(self):
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(jar)

    def get(self, path):
        return self._open(urllib.request.Request(URL + path))

    def post(self, path, fields, origin=URL):
        sent = urllib.request.Request(URL + path, urllib.parse.urlencode(fields).encode())
        sent.add_header("Origin", origin)
        return self._open(sent)

    def _open(self, request):
        try:
            with self._opener.open(request, timeout=20 * SCALE) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()


def form(page, action, **wanted):
    """The hidden fields of the page's form with this address and these values."""
    for address, fields in Fields(page).forms:
        if address == action and wanted.items() <= fields.items():
            return fields
    need(False, f"the page has no form {action} with {wanted}: {re.sub(r'<[^>]*>', ' ', page)[:600]}")
    return {}


def approved():
    """A person logs in to the console and approves with its form: the waiting call passes, and is remembered."""
    browser = Browser()
    code, page = browser.get("/")
    login = form(page, "/console/login") | {"token": operator()}
    code, page = browser.post("/console/login", login)
    need(code == 200 and "olga" in page, f"the log-in was answered {code}: {page[:600]}")
    asked = asked_about("npm publish")
    code, page = browser.get("/")
    own = form(page, "/console/answer", id=asked.request["id"]) | {"reason": "go ahead", "verdict": "approve"}
    stolen = {name: value for name, value in own.items() if name != "seal"}
    code, _ = browser.post("/console/answer", stolen)
    need(code == 403, f"a form without the session's mark was answered {code}")
    code, _ = browser.post("/console/answer", own, origin="http://127.0.0.1:9999")
    need(code == 403, f"a form of another origin was answered {code}")
    need(asked.answer is None, f"the call did not wait: {asked.answer}")
    code, page = browser.post("/console/answer", own | {"remember": "exact", "seconds": "3600", "for": "asker"})
    need(code == 200, f"approving was answered {code}: {page[:600]}")
    (decision, reason), waited = asked.ended(10)
    need(decision in ("nothing", "allow"), f"the approved call got {decision}: {reason}")
    code, answer = call("GET", f"/validate/{asked.request['id']}")
    need(answer["decision"] == "allow" and answer["how"] == "person", f"it was decided so: {answer}")
    decision, reason = hook("Bash", {"command": "npm publish"})
    need(decision in ("nothing", "allow") and not requests("pending"), f"the remembered call got {decision}: {reason}")
    return f"{asked.request['id']} waited {waited:.1f} s for olga; forged forms got 403; the same passes at once now"


# Runs as a user of its own, with its own token: an expert who denies what comes.
EXPERT = r"""
import asyncio, json, os, sys
sys.path.insert(0, sys.argv[1])
from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client

async def main():
    environment = {"LIGHTHOUSE_TOKEN": sys.stdin.readline().strip(), "PATH": os.environ["PATH"]}
    server = StdioServerParameters(command="/usr/local/bin/lighthouse", args=["mcp"], env=environment)
    async with stdio_client(server) as streams, ClientSession(*streams) as session:
        await session.initialize()
        async def use(tool, **arguments):
            result = await session.call_tool(tool, arguments)
            text = " ".join(block.text for block in result.content if block.type == "text")
            if getattr(result, "is_error", getattr(result, "isError", False)):
                sys.exit(f"{tool}: {text}")
            return text
        await use("lighthouse_register_expert", speciality="security", risks=["publish"])
        print("registered", flush=True)
        while True:
            waiting = json.loads(await use("lighthouse_pending_validations", wait_seconds=20))["waiting"]
            for one in waiting:
                said = {"id": one["id"], "verdict": "deny", "reason": "the expert says no"}
                print(await use("lighthouse_answer_validation", **said), flush=True)
                return

asyncio.run(main())
"""


def answered():
    """An expert, another program of another user over MCP, denies what an agent's hook waits for."""
    library = next(Path("/usr/local/lib/lighthouse").iterdir())
    expert = subprocess.Popen(
        ["runuser", "-u", STRANGER, "--", "/usr/bin/python3", "-I", "-c", EXPERT, str(library)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd="/",
    )
    try:
        expert.stdin.write(token_of("eva", "expert") + "\n")
        expert.stdin.flush()
        ready = select.select([expert.stdout], [], [], 30 * SCALE)[0] and expert.stdout.readline().strip()
        need(ready == "registered", f"the expert did not register: {ready!r} {expert.poll() and expert.stderr.read()}")
        asked = asked_about("docker push registry.example.com/shop")
        (decision, reason), waited = asked.ended(30)
    finally:
        expert.terminate()
        expert.communicate(timeout=10 * SCALE)
    need(decision == "deny" and "the expert says no" in reason, f"it got {decision}: {reason}")
    code, answer = call("GET", f"/validate/{asked.request['id']}")
    need(code == 200 and answer["how"] == "expert", f"it was decided so: {answer}")
    return f"{asked.request['id']} was denied by eva after {waited:.1f} s: {reason}"


def unanswered():
    """What nobody answers in time is denied, and whoever asked may not answer it."""
    asked = asked_about("git reset --hard")
    said = {"id": asked.request["id"], "verdict": "approve", "reason": "let me"}
    for who in (None, token_of("builder-1", "operator")):
        code, answer = call("POST", "/approve", said, token=who)
        need(code == 403, f"the asker's own answer got {code}: {answer}")
    (decision, reason), waited = asked.ended(120)
    need(decision == "deny", f"unanswered it got {decision}: {reason}")
    code, answer = call("GET", f"/validate/{asked.request['id']}")
    need(code == 200 and answer["how"] == "timeout", f"it ended so: {answer}")
    return f"denied after {waited:.0f} s: {reason}"


def followed():
    """A policy file changed on the host counts within seconds; a broken one changes nothing and /health tells."""

    def decision():
        given = {"tool_name": "Bash", "tool_input": {"command": "git commit -m x"}, "cwd": str(PROJECT)}
        return call("POST", "/validate", given)[1]["decision"]

    def policy():
        return health()[1]["components"]["policy"]

    need(decision() == "allow", "a commit is not allowed to begin with")
    try:
        OWN.write_text(NO_COMMITS)
        denied = wait_for("the new policy", lambda: decision() == "deny", 5)
        OWN.write_text("permit (")
        told = wait_for("/health to tell of the broken policy", lambda: policy()["status"] == "failed", 5)
        detail = policy()["detail"]
        need("90-check.cedar" in detail and decision() == "deny", f"broken: {detail}; a commit is {decision()}")
        code, complaint = sh("lighthouse", "policy", "check", check=False)
        need(code == 1 and "90-check.cedar" in complaint, f"policy check exited {code}: {complaint}")
    finally:
        OWN.unlink()
    allowed = wait_for("the policies as they were", lambda: decision() == "allow" and policy()["status"] == "ok", 5)
    return f"a new policy after {denied:.1f} s, a broken one told after {told:.1f} s, both gone after {allowed:.1f} s"


def blocked():
    """With the bridge away `lighthouse hook` blocks the call with exit 2 and says what to do."""
    sent = {"hook_event_name": "PreToolUse", "tool_name": "Bash", "tool_input": {"command": "ls"}, "cwd": str(PROJECT)}
    done = subprocess.run(
        ["runuser", "-u", MEMBER, "--", "env", f"LIGHTHOUSE_TOKEN_FILE={TOKEN}", "/usr/local/bin/lighthouse", "hook"],
        input=json.dumps(sent),
        capture_output=True,
        text=True,
        timeout=60 * SCALE,
        check=False,
        cwd="/",
    )
    told = done.stderr.strip()
    need(done.returncode == 2, f"lighthouse hook exited {done.returncode}: {done.stdout} {told}")
    need("lighthouse doctor" in told and not done.stdout, f"it does not say how to mend it: {done.stdout} {told}")
    return told
