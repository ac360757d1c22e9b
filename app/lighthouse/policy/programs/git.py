"""What of git its table cannot tell: settings that run programs, refspecs, and paths against branches."""

import re
from collections.abc import Callable

from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.generic import describe
from lighthouse.policy.programs.git_tree import rewrites
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, literal, shown
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output

_PLAIN_SETTINGS = re.compile(
    r"(?i)(?:user\.(?:name|email)|color\.\w+|advice\.\w+|commit\.gpgsign|core\.(?:quotepath|autocrlf|eol|filemode|ignorecase|"
    r"longpaths|abbrev|bare|compression|preloadindex)|init\.defaultbranch|log\.\w+|diff\.(?:algorithm|renames|renamelimit|noprefix|context)|"
    r"pull\.(?:rebase|ff)|push\.(?:default|autosetupremote|followtags)|fetch\.prune|merge\.(?:conflictstyle|ff)|rebase\.\w+|"
    r"http\.(?:postbuffer|lowspeed\w+)|status\.\w+|tag\.sort|branch\.\w+|rerere\.\w+|column\.\w+|gc\.auto|"
    r"branch\.[\w/-]+\.(?:remote|merge)|submodule\.recurse|help\.\w+|format\.pretty|versionsort\.\w+|feature\.\w+)"
)
_ADDRESS = re.compile(r"://|^[\w.-]+@[\w.-]+:|^[\w.-]+\.[a-z]+:")
_LOOKS_LIKE_FILE = re.compile(
    r"\.[A-Za-z][A-Za-z0-9]{0,5}$|^\./|/$|^\.$|^:/|^\*|^(?:src|lib|app|apps|tests?|docs?|packages|config|public|scripts)$"
)


def _git(call: Invocation) -> Output:
    own = split(call.words, call.spec, stops=True)
    outer = call.state.cwds
    for name, value in own.options:
        text = literal(value or "")
        if name in ("-c", "--config-env"):
            if not _PLAIN_SETTINGS.fullmatch(text.partition("=")[0]):
                call.uncertain(f"-c {shown(text)} may make git run a program")
        elif name == "--exec-path" and value:
            call.uncertain("--exec-path makes git run other programs")
        elif name in ("--git-dir", "--work-tree") and value and value.startswith(("/", "~", "..")):
            call.uncertain(f"{name} takes the settings, which may run programs, from elsewhere")
        elif name == "-C" and value:
            from lighthouse.policy.programs.builtins import HANDLERS as BUILTINS

            BUILTINS["cd"](Invocation(call.shell, "cd", [value], None, call.spec, call.arguments))
            call.state.cwds = call.state.reached
    verb = literal(own.operands[0]) if own.operands else ""
    try:
        rewrites(call, verb, own.operands[1:])
        if verb == "rev-parse" and own.operands[1:] == ["--show-toplevel"] and call.state.roots.project:
            return Output(call.state.roots.project[0] + "\n")
        for word in map(literal, own.operands[1:]):
            if word.startswith(("--output=", "--upload-pack", "--receive-pack", "--exec=")):
                call.role("write" if word.startswith("--output") else "uncertain", word.partition("=")[2])
            elif word.startswith(("ext::", "fd::")):
                call.uncertain("an address of this kind runs a command")
            elif word.startswith(("/", "~", "../")):
                call.role("read", word)
        from lighthouse.policy.programs.generic import _subcommand

        printed = _subcommand(call)
        return Output("./\ud802\n") if verb in ("ls-files", "diff") and _names_only(own.operands) else printed
    finally:
        call.state.cwds = outer


def _names_only(words: list[str]) -> bool:
    return words[0] == "ls-files" or "--name-only" in words


def _push(call: Invocation) -> Output:
    describe_inner(call)
    if call.arguments.has("-n", "--dry-run"):
        return SOMETHING
    to = literal(call.arguments.operands[0]) if call.arguments.operands else ""
    if call.arguments.value("--repo"):
        to = literal(call.arguments.value("--repo") or "")
    if _ADDRESS.search(to) or f" remote {to}" in call.state.variables:
        call.act("send:remote", shown(to), detail="pushes to an address that the project does not know")
    for refspec in call.arguments.operands[1:]:
        text = literal(refspec)
        if text.startswith("+"):
            call.act("rewrite:remote", text, detail="a refspec with + overwrites the branch")
        elif text.startswith(":"):
            call.act("destroy:remote", text, detail="an empty source removes the branch")
        elif ANY in text:
            call.uncertain("what would be pushed is only known when it runs")
    _no_command_url(call)
    return SOMETHING


def _remote_add(call: Invocation) -> Output:
    """Where the project may be pushed to from now on: by this very command, nobody has agreed to it."""
    _no_command_url(call)
    operands = [literal(operand) for operand in call.arguments.operands]
    for name in operands[:1]:
        call.state.variables[f" remote {name}"] = "1"
    if operands[1:] and not operands[1].startswith((".", "/")):
        call.act("configure:git", " ".join(operands), detail=f"adds {operands[1]} to what can be pushed to")
    return SOMETHING


def describe_inner(call: Invocation) -> Output:
    """By the table alone, without the handler."""
    from lighthouse.policy.programs.generic import _plain

    _plain(call, call.spec, call.arguments)
    return SOMETHING


def _no_command_url(call: Invocation) -> None:
    for operand in map(literal, call.arguments.operands):
        if operand.startswith(("ext::", "fd::", "-")) or "://-" in operand:
            call.uncertain("an address of this kind runs a command")
        elif ANY in operand:
            call.uncertain("an address is only known when it runs")


def _checkout(call: Invocation) -> Output:
    arguments = call.arguments
    operands = [literal(operand) for operand in arguments.operands]
    if arguments.has("-f", "--force", "-B", "-m", "--merge"):
        call.act("discard:project", "git checkout --force", detail="uncommitted changes are lost")
    elif arguments.has("-b", "--orphan", "-t", "--track", "--detach", "-d"):
        return SOMETHING
    elif (
        arguments.after_dashes is not None
        or len(operands) > 1
        or any(map(_LOOKS_LIKE_FILE.search, operands))
        or arguments.has("-p", "--patch", "--ours", "--theirs", "--pathspec-from-file")
    ):
        call.act(
            "discard:project",
            "git checkout " + " ".join(operands),
            detail="uncommitted changes of these files are lost",
        )
    elif arguments.open_option:
        call.uncertain("a branch or a path is only known when it runs")
    return SOMETHING


def _restore(call: Invocation) -> Output:
    arguments = call.arguments
    if arguments.has("-S", "--staged") and not arguments.has("-W", "--worktree", "-SW", "-WS"):
        return SOMETHING
    call.act(
        "discard:project",
        "git restore " + " ".join(map(literal, arguments.operands)),
        detail="uncommitted changes of these files are lost",
    )
    return SOMETHING


def _clean(call: Invocation) -> Output:
    arguments = call.arguments
    if arguments.has("-n", "--dry-run"):
        return SOMETHING
    if arguments.has("-f", "--force", "-i", "--interactive") or arguments.open_option:
        call.act(
            "discard:project", "git clean", recursive=True, detail="files that git does not know are lost"
        )
    return SOMETHING


def _config(call: Invocation) -> Output:
    arguments = call.arguments
    operands = [literal(operand) for operand in arguments.operands]
    if operands[:1] in (["get"], ["list"]) or arguments.has(
        "--get", "--get-all", "--get-regexp", "-l", "--list", "--get-urlmatch", "--show-origin"
    ):
        return SOMETHING
    if operands[:1] == ["set"]:
        operands = operands[1:]
    elif operands[:1] == ["unset"] or arguments.has(
        "--unset", "--unset-all", "--remove-section", "-e", "--edit"
    ):
        call.act("configure:git", "git config " + " ".join(operands))
        return SOMETHING
    if len(operands) < 2:
        return SOMETHING
    call.role("write", arguments.value("-f", "--file"))
    if not _PLAIN_SETTINGS.fullmatch(operands[0]):
        call.act(
            "configure:git",
            "git config " + " ".join(operands),
            detail="a setting that may make git run or send",
        )
    return SOMETHING


def _rebase(call: Invocation) -> Output:
    for name, value in call.arguments.options:
        if name in ("-x", "--exec") and value:
            call.shell.script(literal(value), call.name)
        elif name in ("--onto", "--root", "--skip", "-i", "--interactive", "--autosquash"):
            call.act("rewrite:local", f"git rebase {name}", detail="commits may be left out or changed")
    return SOMETHING


def _clone(call: Invocation) -> Output:
    arguments = call.arguments
    for name, value in arguments.options:
        if name in ("-u", "--upload-pack", "--template") or (
            name in ("-c", "--config")
            and not _PLAIN_SETTINGS.fullmatch(literal(value or "").partition("=")[0])
        ):
            call.uncertain(f"{name} may run a program")
    _no_command_url(call)
    call.act("fetch:remote", " ".join(map(literal, arguments.operands)))
    if len(arguments.operands) > 1:
        call.role("write", arguments.operands[1])
    for address in arguments.operands[:1]:
        name = literal(address).rstrip("/").rpartition("/")[2].removesuffix(".git")
        call.fetched_into(arguments.operands[1] if len(arguments.operands) > 1 else name)
    return SOMETHING


def _fetch(call: Invocation) -> Output:
    for name, _ in call.arguments.options:
        if name in ("--upload-pack", "--exec"):
            call.uncertain(f"{name} runs a program")
    _no_command_url(call)
    refspecs = [literal(refspec) for refspec in call.arguments.operands[1:]]
    forced = call.arguments.has("-f", "--force") and any(":" in refspec for refspec in refspecs)
    if forced or any(refspec.startswith("+") and ":" in refspec for refspec in refspecs):
        call.act("rewrite:local", " ".join(refspecs), detail="a branch points elsewhere afterwards")
    return SOMETHING


def _branch(call: Invocation) -> Output:
    arguments = call.arguments
    if arguments.has("-D") or (arguments.has("-d", "--delete") and arguments.has("-f", "--force")):
        call.act(
            "discard:git",
            "git branch -D " + " ".join(map(literal, arguments.operands)),
            detail="commits of no other branch are lost",
        )
    elif arguments.has("-f", "--force", "-C") or (arguments.has("-M") and len(arguments.operands) > 1):
        call.act("rewrite:local", "git branch --force", detail="the branch points elsewhere afterwards")
    return SOMETHING


def _submodule(call: Invocation) -> Output:
    operands = [literal(operand) for operand in call.arguments.operands]
    if operands[:1] == ["foreach"]:
        return call.shell.script(" ".join(operands[1:]), call.name)
    if operands[:1] == ["deinit"] or (operands[:1] == ["update"] and call.arguments.has("-f", "--force")):
        call.act("discard:project", f"git submodule {operands[0]}")
    elif operands[:1] and operands[0] not in (
        "status",
        "update",
        "init",
        "summary",
        "sync",
        "add",
        "absorbgitdirs",
    ):
        call.uncertain("a submodule's command is not known")
    return SOMETHING


def _bisect(call: Invocation) -> Output:
    words = call.words
    return call.run(words[1:]) if words[:1] == ["run"] else NOTHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "git": _git,
    "git-push": _push,
    "git-remote-add": _remote_add,
    "git-checkout": _checkout,
    "git-restore": _restore,
    "git-clean": _clean,
    "git-config": _config,
    "git-rebase": _rebase,
    "git-clone": _clone,
    "git-fetch": _fetch,
    "git-branch": _branch,
    "git-submodule": _submodule,
    "git-bisect": _bisect,
}
__all__ = ["HANDLERS", "describe"]
