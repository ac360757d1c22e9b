"""How a team works on a project: each member a program of its own that speaks MCP over stdio, with its own token.

The story is told at a Place: on the appliance (team.py), or beside a plain bridge (app/tests/story).
"""

import concurrent.futures
import itertools
import json
import subprocess
import threading
import time
from pathlib import Path

MEMBER = Path(__file__).with_name("member.py")
ROLES = {"bea": "agent", "ben": "agent", "sam": "expert", "tess": "agent"}
PERSON = "olga"

UNSAFE = '''def total(db, customer):
    """What a customer owes, in cents."""
    return db.execute(f"select sum(cents) from orders where customer = '{customer}'").fetchone()[0]
'''
MORE = UNSAFE.replace("def total", 'CURRENCY = "EUR"\n\n\ndef total')
# An emulated machine may need longer for a command than judging may take: it is asked again.
TOO_SLOW, TRIES = "not-understood", 3
ASKED_ABOUT = "npm publish --access public"


class Broken(Exception):
    """What the story promises and is not so."""


def need(condition, complaint):
    if not condition:
        raise Broken(complaint)


def hooked(tool, given, folder, after=False):
    """A call of a tool as Claude Code tells its hooks of it, before or after it is made."""
    event = "PostToolUse" if after else "PreToolUse"
    more = {"tool_response": {"success": True}} if after else {}
    return {"hook_event_name": event, "tool_name": tool, "tool_input": given, "cwd": str(folder)} | more


class Member:
    """One member's program. `command` runs member.py; `hello` is its first line, and holds the token."""

    def __init__(self, name, command, hello, seconds):
        self.name = name
        self._seconds = seconds
        self._numbers = itertools.count(1)
        self._open = {0: concurrent.futures.Future()}
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "cwd": "/"}
        self._process = subprocess.Popen(command, **pipes)
        self._send(hello)
        threading.Thread(target=self._read, daemon=True).start()

    @property
    def tools(self):
        """The names of the tools that it is offered; waits for its start."""
        return self._open[0].result(self._seconds)["answer"]

    def begin(self, tool, **arguments):
        """Call a tool; the future is what comes back."""
        number = next(self._numbers)
        self._open[number] = concurrent.futures.Future()
        self._send({"number": number, "tool": f"lighthouse_{tool}", "arguments": arguments})
        return self._open[number]

    def call(self, tool, **arguments):
        """What a tool answers."""
        return self.ended(self.begin(tool, **arguments), tool)

    def ended(self, begun, tool):
        """What a call that was begun was answered."""
        said = begun.result(self._seconds)
        need("error" not in said, f"{self.name}'s {tool} failed: {said.get('error')}")
        return said["answer"]

    def refused(self, tool, **arguments):
        """Why a call was refused."""
        said = self.begin(tool, **arguments).result(self._seconds)
        need("error" in said, f"{self.name}'s {tool} was not refused: {said.get('answer')}")
        return said["error"]

    def leave(self):
        """Its program ends."""
        self._process.stdin.close()
        try:
            self._process.wait(self._seconds)
        finally:
            self._process.kill()

    def _send(self, told):
        self._process.stdin.write(json.dumps(told) + "\n")
        self._process.stdin.flush()

    def _read(self):
        with self._process.stdout as output:
            for line in output:
                said = json.loads(line)
                self._open[said["number"]].set_result(said)
        for begun in self._open.values():
            if not begun.done():
                begun.set_result({"error": f"{self.name}'s program ended"})


class Place:
    """Where the story happens. `project` is how members name the project's folder."""

    project: Path
    seconds = 60.0

    def member(self, name, role):
        """Start a member's program."""
        raise NotImplementedError

    def lighthouse(self, name, role, *arguments):
        """What the command `lighthouse` prints when `name` runs it."""
        raise NotImplementedError

    def hook(self, name, role, tool, given, *, after=False):
        """What the bridge says to this member's client before a call: `deny`, or else; and why. Or after it."""
        raise NotImplementedError

    def shell(self, script, *arguments):
        """Run a script as the user who owns the project, whom all members' programs run as."""
        raise NotImplementedError

    def restart(self):
        """End the bridge without a warning, and start it again."""
        raise NotImplementedError

    def wait_for(self, what, condition):
        """Until the condition gives something; that."""
        end = time.monotonic() + self.seconds
        while not (found := condition()):
            need(time.monotonic() < end, f"{what}: not within {self.seconds:.0f} s")
            time.sleep(0.02)
        return found


class Story:
    """The members, the file they work on, and what happens, step by step."""

    def __init__(self, place, folder="shop"):
        self.place = place
        self.path = f"{folder}/pay.py"
        self.file = place.project / self.path
        self.proposal = f"{folder}-safer-total"
        self.team = {}

    def __enter__(self):
        try:
            self._begin()
        except BaseException:
            self._leave()
            raise
        return self

    def __exit__(self, *_):
        self._leave()
        self.place.shell('rm -r "$0"', str(self.file.parent))

    def _begin(self):
        self.place.shell('mkdir -p "$(dirname "$0")"; printf %s "$1" > "$0"', str(self.file), UNSAFE)
        for name, role in ROLES.items():
            self.team[name] = self.place.member(name, role)
        for one in self.team.values():
            need("lighthouse_validate_command" in one.tools, f"{one.name} has {one.tools}")
        self.bea, self.ben, self.sam, self.tess = self.team.values()
        self.begun = self.bea.call("store_event", type="story.begun", data={"file": self.path})["seq"]

    def _leave(self):
        for one in self.team.values():
            one.leave()

    def tell(self):
        """All of it; a line of evidence for each step."""
        steps = (
            self.an_expert_comes,
            self.a_builder_edits_under_a_lease,
            self.a_second_builder_is_refused,
            self.the_builder_asks_gives_work_and_writes,
            self.the_bridge_is_restarted,
            self.the_expert_answers_notes_and_proposes,
            self.the_builder_applies,
            self.a_tester_works,
            self.a_person_approves,
            self.the_lease_ends,
        )
        said = [step() for step in steps]
        return [*said, self.read_back()]

    def write(self, name, text):
        """Write the file as a member's client does: asked before, told of after."""
        given = {"file_path": str(self.file), "content": text}
        decision, reason = self.place.hook(name, ROLES[name], "Write", given)
        if decision != "deny":
            self.place.shell('printf %s "$1" > "$0"', str(self.file), text)
            # So that all others see it, before this member goes on.
            self.place.hook(name, ROLES[name], "Write", given, after=True)
        return decision, reason

    def an_expert_comes(self):
        made = self.sam.call("register_expert", speciality="security")
        need(made["agent_id"] == "sam", f"registered as {made}")
        return "sam is an expert of security"

    def a_builder_edits_under_a_lease(self):
        folder = f"{self.file.parent.name}/"
        self.lease = self.bea.call("take_lease", paths=[folder], seconds=3600, reason="a currency for all")["id"]
        decision, reason = self.write("bea", MORE)
        need(decision != "deny", f"bea may not write: {reason}")
        return f"bea edits under {self.lease}"

    def a_second_builder_is_refused(self):
        decision, reason = self.write("ben", UNSAFE)
        need(decision == "deny" and "bea" in reason, f"ben's write got {decision}: {reason}")
        emptied = {"command": f"echo > {self.path}", "cwd": str(self.place.project)}
        for _ in range(TRIES):
            verdict = self.ben.call("validate_command", **emptied)
            if verdict["rule"] != TOO_SLOW:
                break
        need((verdict["decision"], verdict["rule"]) == ("deny", "leased"), f"ben's shell got {verdict}")
        refusal = self.ben.refused("take_lease", paths=[self.path])
        need("bea" in refusal, f"ben was told {refusal}")
        return f"ben is refused: {reason}"

    def the_builder_asks_gives_work_and_writes(self):
        schema = {"type": "object", "properties": {"safe": {"type": "boolean"}}, "required": ["safe"]}
        asked = {"to": "sam", "message": f"Is {self.path} safe?", "schema": schema, "timeout_seconds": 3600}
        self.asking = self.bea.begin("elicit_information", **asked, wait_seconds=120)
        (question,) = self.sam.call("check_elicitations", wait_seconds=60)["questions"]
        self.question = question["id"]
        self.task = self.bea.call("dispatch_task", title="Look at the currency", to="tess")["id"]
        self.message = self.bea.call("send_message", to="tess", body=f"{self.path} has a currency now")["id"]
        return f"bea asks {self.question}, gives {self.task} and sends {self.message}"

    def the_bridge_is_restarted(self):
        """In the middle: nothing that was acknowledged is lost, nothing comes twice."""
        self.place.restart()
        waiting = self.sam.call("check_elicitations")["questions"]
        need([one["id"] for one in waiting] == [self.question], f"sam is asked {waiting}")
        tasks = self.tess.call("check_tasks")["tasks"]
        need([one["id"] for one in tasks] == [self.task], f"tess finds {tasks}")
        messages = self.tess.call("read_messages")["messages"]
        need([one["id"] for one in messages] == [self.message], f"tess reads {messages}")
        rest = self.tess.call("read_messages", acknowledge=[self.message])["messages"]
        need(rest == [], f"tess reads again {rest}")
        decision, reason = self.write("ben", UNSAFE)
        need(decision == "deny" and "bea" in reason, f"after the restart ben's write got {decision}: {reason}")
        return "restarted: the question, the task, the message and the lease are there, once"

    def the_expert_answers_notes_and_proposes(self):
        wrong = self.sam.refused("respond_to_elicitation", id=self.question, action="accept", content={"safe": 1})
        need("safe" in wrong, f"an answer of the wrong shape was told {wrong}")
        self.sam.call("respond_to_elicitation", id=self.question, action="accept", content={"safe": False})
        # The asker's own call may have ended with the bridge, and says then what to ask for.
        said = self.asking.result(self.place.seconds)
        found = self.bea.call("check_elicitations", id=self.question, wait_seconds=60)["questions"][0]
        need("error" in said or said["answer"]["content"] == {"safe": False}, f"bea was told {said}")
        need((found["state"], found["content"]) == ("accepted", {"safe": False}), f"bea finds {found}")
        text = "customer goes into SQL as it comes"
        told = {"path": self.path, "symbol": "total", "text": text, "severity": "error", "category": "security"}
        self.note = self.sam.call("annotate", **told)["id"]
        made = self.sam.call("create_proposal", name=self.proposal, title="Let the database quote")
        folder = made["text"].rstrip("\n").rpartition("edit in ")[2]
        quoted = """s/f"select\\(.*\\)'{customer}'")/"select\\1?", (customer,))/"""
        self.place.shell('sed -i "$1" "$0"', f"{folder}/{self.path}", quoted)
        return f"sam answers, notes {self.note} and proposes {self.proposal}"

    def the_builder_applies(self):
        notes = self.bea.call("list_annotations", path=self.path)["notes"]
        need([one["id"] for one in notes] == [self.note], f"bea finds {notes}")
        patch = self.bea.call("show_proposal", name=self.proposal, patch=True)["text"]
        need("customer = ?" in patch, f"the patch is {patch}")
        decision, reason = self.place.hook("bea", "agent", "Edit", {"file_path": str(self.file)})
        need(decision != "deny", f"bea may not edit: {reason}")
        self.place.shell('cd "$0" && printf %s "$1" | git apply', str(self.place.project), patch)
        self.place.wait_for(
            "the applied proposal to be found",
            lambda: f"{self.proposal}, applied" in self.bea.call("show_proposal", name=self.proposal)["text"],
        )
        self.bea.call("end_annotation", id=self.note, ending="resolved", reason="the database quotes")
        return "bea applies it with git, and resolves the note"

    def a_tester_works(self):
        self.tess.call("change_task", id=self.task, action="claim")
        refusal = self.ben.refused("change_task", id=self.task, action="claim")
        self.tess.call("change_task", id=self.task, action="progress", note="half of it", percent=50)
        self.place.shell('grep -q CURRENCY "$0"', str(self.file))
        self.tess.call("change_task", id=self.task, action="complete", result={"passed": 1, "failed": 0})
        done = self.bea.call("check_tasks", id=self.task, wait_seconds=60)["tasks"][0]
        need((done["state"], done["result"]) == ("completed", {"passed": 1, "failed": 0}), f"bea finds {done}")
        return f"tess completes {self.task}; ben was refused: {refusal}"

    def a_person_approves(self):
        asked = {"command": ASKED_ABOUT, "cwd": str(self.place.project), "wait_seconds": 120}
        waiting = self.bea.begin("validate_command", **asked)
        found = self.place.wait_for(
            "the request", lambda: self.sam.call("pending_validations", wait_seconds=2)["waiting"]
        )
        (one,) = [each for each in found if each["tool_input"].get("command") == ASKED_ABOUT]
        self.place.lighthouse(PERSON, "operator", "approve", one["id"], "--reason", "version 2 is due")
        verdict = self.bea.ended(waiting, "validate_command")
        need((verdict["id"], verdict["decision"]) == (one["id"], "allow"), f"bea was told {verdict}")
        return f"{PERSON} approves {one['id']}"

    def the_lease_ends(self):
        self.bea.call("change_lease", id=self.lease, action="release")
        decision, reason = self.write("ben", self.file.read_text() + "\n")
        need(decision != "deny", f"without a lease ben may not write: {reason}")
        return f"{self.lease} is released, and ben may write"

    def read_back(self):
        """The story as the log has it."""
        printed = self.place.lighthouse(
            PERSON, "operator", "events", "query", "--from-seq", str(self.begun), "--limit", "2000", "--json"
        )
        events = [json.loads(line) for line in printed.splitlines()]
        told = [(event["agent_id"], event["type"]) for event in events]
        for expected in EXPECTED:
            need(told.count(expected) == 1, f"{expected} is {told.count(expected)} times in the log: {told}")
        order = [told.index(expected) for expected in EXPECTED]
        need(order == sorted(order), f"the log has another order: {told}")
        report = json.loads(self.place.lighthouse(PERSON, "operator", "events", "verify", "--json").splitlines()[-1])
        need(report["ok"], f"verify says {report}")
        return f"read back from {len(events)} events; {report['events']} verified"


# Who did what, in this order, each once.
EXPECTED = [
    ("bea", "story.begun"),
    ("sam", "expert.registered"),
    ("bea", "lease.granted"),
    ("bea", "elicitation.created"),
    ("bea", "task.dispatched"),
    ("bea", "message.sent"),
    ("tess", "message.delivered"),
    ("sam", "elicitation.answered"),
    ("sam", "annotation.added"),
    ("sam", "proposal.created"),
    ("bea", "annotation.resolved"),
    ("tess", "task.claimed"),
    ("tess", "task.progressed"),
    ("tess", "task.completed"),
    ("bea", "validation.requested"),
    (PERSON, "validation.answered"),
    (PERSON, "validation.resolved"),
    ("bea", "lease.released"),
]
