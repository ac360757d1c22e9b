"""What leases say to calls, between the judgement and the verdict."""

import asyncio
from pathlib import Path

import pytest

from lighthouse.policy import Roots
from lighthouse.policy.facts import facts
from lighthouse.sessions import Role
from lighthouse.validation import Remember
from lighthouse.validation.leased import touches
from tests.validation.conftest import EVE, HIGH, MEDIUM, OLGA, Clock, Room, identity

LEASED = [
    "echo x > src/a.py",
    "echo x >> ./src/../src/a.py",
    "cd src && tee a.py",
    "F=src/a.py; echo x > $F",
    "sed -i s/a/b/ src/*.py",
    "for f in src/*.py; do echo x > $f; done",
    "rm src/a.py",
    "rm src/*",
    "find src -name '*.py' -delete",
    "find . -type f | xargs sed -i s/a/b/",
    "mv src lib",
    "mv src/a.py lib.py",
    "mv b.py src/",
    "cp b.py src/",
    "cp -r other/. src",
    "tar xf x.tgz -C src",
    "rsync -a other/ src/",
    "unzip x.zip",
    "touch src/a.py",
    "chmod +x src/a.py",
    "chmod -R +x src",
    "ln -sf x src/a.py",
    "git checkout main",
    "git checkout -- src/a.py",
    "git checkout -- src",
    "git checkout src/a.py",
    "git restore .",
    "git restore ':/'",
    "git restore --source HEAD~1 src/a.py",
    "git clean -fd",
    "git stash",
    "git stash pop",
    "git reset --hard",
    "git pull",
    "git merge main",
    "git rebase main",
    "git rm src/a.py",
    "git mv src/a.py b.py",
    "git mv src lib",
    "git apply x.patch",
    "git apply --include='src/*' x.patch",
    "git apply --include=docs/b.md --include='*.py' x.patch",
    "cd docs && git apply --include=src/a.py x.patch",
    "git -C src checkout main",
    "cd src && git switch main",
    "patch -p1 < x.patch",
    "patch docs/b.md x.patch; patch -p1 < y.patch",
    "black src",
    "black .",
    "prettier --write .",
    "cargo fmt",
    "dd if=b of=src/a.py",
    "python3 -c \"open('src/a.py', 'w').write('x')\"",
    "(cd src; ( rm a.py ))",
    "echo x > link/a.py",
    "rm link/a.py",
    "bash -c 'echo x > src/a.py'",
    "sudo rm src/a.py",
    # Through a link and up again, as the kernel goes.
    "rm deep/../a.py",
    "cd deep && rm ../a.py",
    "cd deep && cd .. && rm src/a.py",
    "cd -P deep && cd .. && rm a.py",
    "rm ~+/src/a.py",
    # By a name of the project's folder that is a glob, or from a folder above.
    "rm ../proj*/src/a.py",
    "sed -i s/a/b/ ../*/src/*.py",
    "find .. -name a.py -delete",
    "find .. -name '*.py' -exec sed -i s/a/b/ {} +",
    "rm -rf ../*",
    "tar xf x.tgz -C ..",
    "cp -r other/. ..",
    "rsync -a other/ ../",
    "black ..",
    "find docs src -type f -print0 | xargs -0 rm",
    "ln -sft src ../b/a.py",
    "zip -m x.zip src/a.py",
    "lighthouse restore before src",
    "perl -i.bak -lne 1 src/a.py",
    "ruff check --fix",
    "ruff format",
    "biome check --write",
    "gh pr checkout 3",
    "glab mr checkout 3",
    "git worktree add src main",
    "git apply --check --apply x.patch",
    # What looks with one option changes with another.
    "black --check . && black .",
    "ruff check . && ruff format .",
    "eslint --fix .",
    "eslint -o src/a.py .",
    "prettier -w .",
    "gofmt -lw .",
    "autopep8 -ir .",
    "mypy --junit-xml src/a.py .",
    "clang-format -i src/a.py",
    "isort .",
    "eslint $X .",
]
FREE = [
    "ls -l src",
    "cat src/a.py",
    "echo x > docs/b.md",
    "echo x > src/b.py",
    "sed -n 1p src/a.py",
    "rm docs/b.md",
    "mkdir -p src",
    "mkdir -p src/new",
    "cp src/a.py docs/",
    "mv docs/b.md docs/c.md",
    "touch src",
    "black docs",
    "git status",
    "git diff",
    "git add -A",
    "git commit -m x",
    "git fetch",
    "git checkout -b new",
    "git switch -c new",
    "git stash list",
    "git restore --staged src/a.py",
    "git restore docs/b.md",
    "git clean -n",
    "git reset HEAD~1",
    "git rm --cached src/a.py",
    "git apply --check x.patch",
    "git checkout -- docs",
    "git apply --include='docs/*' x.patch",
    "cd /opt/other && git pull",
    "ssh host git pull",
    "docker run --rm alpine git pull",
    "pytest -q",
    "git worktree list",
    "git worktree add -b new ../wt main",
    "cp docs/b.md ..",
    "mv docs/b.md ..",
    "cp -r src ../other",
    "ruff check --fix docs",
    "ln -st docs ../src/a.py",
    "find .. -name a.py",
    "cat deep/../a.py",
    "mypy .",
    "pyright src",
    "flake8",
    "pylint src",
    "shellcheck src/a.py",
    "eslint .",
    "npx eslint src",
    "ruff check .",
    "ruff check --output-format=github src",
    "ruff format --check .",
    "black --check --diff src",
    "isort --check-only .",
    "prettier --check .",
    "gofmt -l .",
    "cargo fmt --check",
    "rustfmt --check src/a.py",
]


@pytest.fixture
async def leased(room: Room) -> Room:
    """Where bob has leased src/a.py."""
    (room.project / "docs").mkdir()
    (room.project / "docs" / "b.md").write_text("b")
    (room.project / "src" / "a.py").write_text("a")
    (room.project / "src" / "in").mkdir()
    (room.project / "link").symlink_to("src")
    (room.project / "deep").symlink_to("src/in")
    await room.shadow.scan()
    await room.leases.take("bob", ["src/a.py"], 900)
    return room


async def test_what_would_change_it_is_denied(leased: Room) -> None:
    found = {command: await leased.ask(command) for command in LEASED}
    assert [command for command, one in found.items() if one.rule != "leased"] == []
    assert {one.decision for one in found.values()} == {"deny"}


async def test_its_holder_may(leased: Room) -> None:
    assert [command for command in LEASED if (await leased.ask(command, "bob")).rule == "leased"] == []


async def test_what_leaves_it_alone_is_judged_as_ever(leased: Room) -> None:
    assert [command for command in FREE if (await leased.ask(command)).rule == "leased"] == []


async def test_without_leases_nothing_is_denied_for_them(leased: Room) -> None:
    (lease,) = leased.leases.all()
    await leased.leases.release(lease.id, identity("bob", Role.AGENT))
    assert [command for command in LEASED if (await leased.ask(command)).rule == "leased"] == []


async def test_the_denial_says_who_holds_it_until_when_and_what_to_do(leased: Room) -> None:
    (lease,) = leased.leases.all()
    outcome = await leased.use("Write", file_path=str(leased.project / "src/a.py"), content="x")
    assert (outcome.decision, outcome.rule) == ("deny", "leased")
    assert outcome.reason == (
        f"it may change src/a.py, and bob has leased src/a.py ({lease.id}) until {lease.until}"
    )
    assert lease.id in outcome.suggestion
    (event,) = await leased.events("verdict.denied")
    assert (event.value["by"], event.value["rule"]) == ("lease", "leased")


async def test_what_a_policy_denies_is_denied_by_it(leased: Room) -> None:
    assert (await leased.ask("rm -rf /")).rule == "destroy-the-machine"


async def test_tools_that_write(leased: Room) -> None:
    file = str(leased.project / "link/a.py")
    for tool, fields in {
        "Edit": {"file_path": file, "old_string": "a", "new_string": "b"},
        "MultiEdit": {"file_path": "docs/b.md", "edits": [{"file_path": "src/a.py", "old_string": "a"}]},
        "NotebookEdit": {"notebook_path": "src/a.py", "new_source": "x"},
        "mcp__files__write_file": {"path": "src/a.py", "content": "x"},
    }.items():
        assert (await leased.use(tool, **fields)).rule == "leased", tool
    assert (await leased.use("Read", file_path=file)).decision == "allow"
    assert (await leased.use("Write", file_path="src/a.pyc", content="x")).rule != "leased"


async def test_a_folder_and_a_glob(room: Room) -> None:
    (room.project / "docs").mkdir()
    await room.shadow.scan()
    await room.leases.take("bob", ["src", "*.sql"], 900)
    for path, rule in {"src/new/x.py": True, "db/x.sql": True, "docs/x.py": False, "srcs": False}.items():
        assert ((await room.use("Write", file_path=path, content="x")).rule == "leased") is rule
    assert (await room.ask("cp -r other docs")).rule == "leased", "there may be SQL among it"
    assert (await room.ask("cp -r other docs/x.md")).rule != "leased"


async def test_the_root_may_be_leased(room: Room) -> None:
    await room.leases.take("bob", ["."], 900)
    assert (await room.use("Write", file_path="anything", content="x")).rule == "leased"
    assert (await room.use("Write", file_path="/tmp/x", content="x")).rule != "leased"


async def test_an_approval_does_not_pass_over_a_lease_taken_meanwhile(room: Room) -> None:
    asked = await room.ask(MEDIUM)
    assert asked.decision == "escalate"
    waiting = asyncio.create_task(room.validations.get(asked.id, 60))
    lease = await room.leases.take("bob", ["src/a.py"], 900)
    answered = await room.validations.answer(asked.id, OLGA, "approve", "go on")
    assert (answered.decision, answered.rule, answered.state) == ("deny", "leased", "resolved")
    assert answered.resolution is not None
    assert (answered.resolution.how, answered.resolution.by) == ("lease", "olga")
    assert answered.reason.startswith("olga approved, but it may change all of src, and bob has leased")
    assert lease.id in answered.suggestion
    assert (await waiting).decision == "deny"
    assert room.validations.resolutions == {"lease": 1}
    await room.again()
    found = await room.validations.get(asked.id)
    assert (found.decision, found.rule) == ("deny", "leased")


async def test_nor_does_an_experts_nor_after_a_restart(room: Room) -> None:
    await room.expert(EVE, "security")
    asked = await room.ask(MEDIUM)
    await room.leases.take("bob", ["src/a.py"], 900)
    await room.again()
    await room.expert(EVE, "security")
    assert (await room.validations.answer(asked.id, EVE, "approve", "fine")).rule == "leased"


async def test_the_askers_own_lease_is_in_nobodys_way(room: Room) -> None:
    asked = await room.ask(MEDIUM)
    await room.leases.take("ann", ["src/a.py"], 900)
    assert (await room.validations.answer(asked.id, OLGA, "approve", "go on")).decision == "allow"


async def test_a_denial_stays_what_it_is(room: Room) -> None:
    asked = await room.ask(MEDIUM)
    await room.leases.take("bob", ["src/a.py"], 900)
    answered = await room.validations.answer(asked.id, OLGA, "deny", "no")
    assert answered.resolution is not None
    assert (answered.resolution.how, answered.reason) == ("person", "olga denied: no")


async def test_a_remembered_rule_does_not_pass_over_it(room: Room) -> None:
    asked = await room.ask(MEDIUM)
    await room.validations.answer(asked.id, OLGA, "approve", "go on", Remember("exact", 3600))
    assert (await room.ask(MEDIUM)).decision == "allow"
    lease = await room.leases.take("bob", ["src"], 900)
    assert (await room.ask(MEDIUM)).rule == "leased"
    await room.leases.release(lease.id, identity("bob", Role.AGENT))
    assert (await room.ask(MEDIUM)).decision == "allow"


async def test_a_pending_call_asked_again_is_denied(room: Room) -> None:
    assert (await room.ask(HIGH)).decision == "escalate"
    await room.leases.take("bob", ["src"], 900)
    assert (await room.ask(HIGH)).decision == "escalate", "it changes nothing there"
    assert (await room.ask(MEDIUM)).rule == "leased"


async def test_a_lease_past_its_time_restrains_nobody(room: Room, clock: Clock) -> None:
    await room.leases.take("bob", ["src"], 30)
    clock.ahead += 31
    assert (await room.ask("rm src/a.py")).rule != "leased"


async def test_many_paths_are_taken_for_the_folder_that_holds_them(leased: Room) -> None:
    assert (await leased.ask("rm " + " ".join(f"src/x{n}" for n in range(100)))).rule == "leased"
    assert (await leased.ask("rm " + " ".join(f"docs/x{n}" for n in range(100)))).rule != "leased"


async def test_a_call_of_long_paths_still_becomes_a_request(leased: Room) -> None:
    """What is stored of its paths is bounded."""
    deep = "/".join(["docs", *(letter * 250 for letter in "abcdefghijklmn")])
    command = "rm -rf " + " ".join(f"{deep}/{number}" for number in range(15))
    asked = await leased.ask(command)
    assert asked.decision == "escalate"
    (waiting,) = leased.validations.pending()
    assert [(one.names, one.extent) for one in waiting.touches] == [(tuple(deep.split("/")), "all")]


async def test_a_name_that_is_no_text_is_any_name(room: Room) -> None:
    await room.leases.take("bob", ["src/x.py"], 900)
    assert (await room.ask("rm -rf $'src/\\xff.py'")).decision != "allow"
    assert (await room.ask("echo x > $'src/\\xe4.py'")).decision in ("deny", "escalate", "allow")


def test_touches_of_a_call(tmp_path: Path) -> None:
    def found(command: str) -> set[tuple[str, str]]:
        told = facts("Bash", {"command": command}, "/p/shop", Roots(("/p/shop",)))
        return {("/".join(one.names), one.extent) for one in touches(told, ("/p/shop",))}

    assert found("rm -r /p") == {("", "all")}
    assert found("rm -r /p/shop2 /p/shopping/x") == set()
    assert found("rm " + " ".join(f"a/b{n}/c" for n in range(70))) == {("a", "all")}
    assert found("rm " + " ".join(f"a/b/c{n}" for n in range(70)) + " a/b") == {("a/b", "all")}
    assert found("rm *.a *.b *.c *.d x/*.e") == {("", "all")}
    assert found("echo x > a/b; rm -r c") == {("a/b", "one"), ("c", "all")}
