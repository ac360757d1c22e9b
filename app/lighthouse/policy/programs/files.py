"""Programs that remove, move, link and overwrite files, where a table does not tell enough."""

import re
from collections.abc import Callable

from lighthouse.policy.places import resolve
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output


def _rm(call: Invocation) -> Output:
    arguments = call.arguments
    if arguments.has("--help", "--version"):
        return SOMETHING
    recursive = arguments.has("-r", "-R", "--recursive", "-rf", "-fr") or call.name in (
        "srm",
        "rimraf",
        "del-cli",
    )
    forced = (recursive and arguments.has("-f", "--force")) or call.name == "rimraf"
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    for operand in arguments.operands:
        call.analysis.path("delete", operand, call.state, call.name, recursive=recursive or forced)
    if recursive and not arguments.operands and "xargs" not in call.shell.within:
        call.uncertain("what would be removed is not said")
    return NOTHING


def _mv(call: Invocation) -> Output:
    arguments = call.arguments
    target = arguments.value("-t", "--target-directory")
    sources = arguments.operands if target is not None else arguments.operands[:-1]
    target = target if target is not None else (arguments.operands[-1] if arguments.operands else "")
    places = [place for source in sources for place in resolve(source, call.state.cwds, call.state.roots)]
    into = resolve(target, call.state.cwds, call.state.roots) if target else []
    inside = all(place.kind in ("project", "generated") for place in into)
    for place in places:
        # What is moved within the project is not lost; elsewhere its old place is emptied.
        if not (inside and place.kind in ("project", "generated")):
            call.analysis.act(
                "delete", place.kind, place.path, call.name, recursive=True, detail="moved away"
            )
        else:
            call.analysis.rewrites(place, call.name)
    for place in into:
        call.analysis.act("write", place.kind, place.path, call.name)
    return NOTHING


def _dd(call: Invocation) -> Output:
    for word in map(literal, call.words):
        name, _, value = word.partition("=")
        if name == "if":
            call.analysis.path("read", value, call.state, call.name)
        elif name == "of":
            call.analysis.path("write", value, call.state, call.name)
    return Output(sources=call.stdin.sources) if call.stdin is not None else SOMETHING


def _chmod(call: Invocation) -> Output:
    operands = call.arguments.operands
    mode = literal(operands[0]) if operands else ""
    recursive = call.arguments.has("-R", "--recursive")
    # `-x` and `-w` look like options, but are modes.
    if call.name == "chmod" and any(re.fullmatch(r"-[rwxXst]+", literal(word)) for word in call.words):
        mode, targets = "-", operands
    else:
        modeless = call.arguments.has("--reference") or call.name == "setfacl"
        if call.name == "chattr" and not mode.startswith(("+", "=")):
            modeless = True
        targets = operands if modeless else operands[1:]
    if call.name == "chmod" and re.search(r"^[0-7]*[2467][0-7]{3}$|\+[rwxX]*[st]|[ugoa]*=[rwxX]*s", mode):
        call.act("privilege", detail=f"sets a program's own rights ({mode})")
    for target in targets:
        for place in resolve(target, call.state.cwds, call.state.roots):
            wide = (
                call.name == "chmod"
                and re.fullmatch(r"0?777|a[+=]\w*w\w*|o?[+=]?rwx|\+?rwx", mode) is not None
            )
            if (
                place.kind in ("project", "generated", "temp")
                and call.name == "chmod"
                and not (wide and recursive)
            ):
                call.analysis.act("write", place.kind, place.path, call.name, detail=f"mode {mode}")
            elif place.kind in ("project", "generated", "project_root", "temp", "unknown", "home", "other"):
                call.analysis.act(
                    "configure",
                    place.kind,
                    place.path,
                    call.name,
                    recursive=recursive,
                    detail=f"{call.name} {mode}",
                )
            else:
                call.analysis.act(
                    "write",
                    place.kind,
                    place.path,
                    call.name,
                    recursive=recursive,
                    detail=f"{call.name} {mode}",
                )
    return NOTHING


def _ln(call: Invocation) -> Output:
    operands = call.arguments.operands
    if (folder := call.arguments.value("-t", "--target-directory")) is not None:
        operands = [*operands, folder]
    if len(operands) == 1:
        call.role("write", literal(operands[0]).rpartition("/")[2])
    for target in operands[-1:] if len(operands) > 1 else []:
        call.role("write", target)
    into = literal(operands[-1]) if operands else ""
    sources = operands[:-1]
    if len(operands) == 1:
        sources, into = operands, into.rpartition("/")[2]
    symbolic = call.arguments.has("-s", "--symbolic", "-sf", "-sfn", "-sn") and not call.arguments.has("-r")
    for source in sources:
        # A link's text counts from where the link stands.
        beside = symbolic and "/" in into and not source.startswith(("/", "~"))
        for place in resolve(
            f"{into.rpartition('/')[0]}/{source}" if beside else source, call.state.cwds, call.state.roots
        ):
            # A link makes the project show what stands elsewhere: later judgements would be blind to it.
            if place.kind in _NEVER_LINKED:
                call.uncertain(f"links to {place.path}")
            elif place.kind not in ("project", "generated", "temp", "null"):
                call.state.linked.append(into.removeprefix("./"))
        call.state.written[into] = ANY
    return NOTHING


_NEVER_LINKED = frozenset(
    ("secret", "system", "root", "device", "home_root", "guard", "git", "startup", "pipeline", "unknown")
)


def _tee(call: Invocation) -> Output:
    text = call.stdin.text if call.stdin is not None else ANY
    for operand in call.arguments.operands:
        call.analysis.path("write", operand, call.state, call.name)
        call.state.written[literal(operand)] = text if not call.arguments.has("-a", "--append") else ANY
    return call.stdin or SOMETHING


def _archive(call: Invocation) -> Output:
    """tar, in its old and new spellings."""
    words = list(call.words)
    if words and not words[0].startswith("-") and re.fullmatch(r"[A-Za-z]+", literal(words[0])):
        words[0] = "-" + words[0]
    from lighthouse.policy.programs.arguments import split

    arguments = split(words, call.spec)
    letters = {name for name, _ in arguments.options}
    for name, value in arguments.options:
        if name in (
            "--to-command",
            "--checkpoint-action",
            "-I",
            "--use-compress-program",
            "-F",
            "--info-script",
            "--rsh-command",
            "--rmt-command",
        ):
            if name in ("-I", "--use-compress-program") and (value or "").split(" ")[0] in _COMPRESSORS:
                continue
            if name == "--checkpoint-action" and value in ("dot", "echo"):
                continue
            call.shell.script(literal((value or "").removeprefix("exec=")), call.name)
            call.uncertain(f"{name} runs a program")
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    archive = arguments.value("-f", "--file")
    folder = arguments.value("-C", "--directory")
    creates = letters & {"-c", "--create", "-r", "-u", "--append", "--update"}
    if archive and archive != "-":
        call.role("write" if creates else "read", archive)
    if letters & {"--remove-files"}:
        for operand in arguments.operands:
            call.role("delete", operand, recursive=True)
    if creates:
        for operand in arguments.operands:
            call.role("read", operand if folder is None else f"{folder}/{operand}")
    elif letters & {"-x", "--extract", "--get"}:
        from_elsewhere = call.stdin is not None and "network" in call.stdin.sources
        if from_elsewhere or (archive is not None and archive in call.state.written):
            call.fetched_into(folder or ".")
        call.role("write", folder or ".")
        if letters & {"-P", "--absolute-names"}:
            call.uncertain("takes absolute paths from the archive")
    return Output(sources=call.stdin.sources if call.stdin is not None else frozenset())


_COMPRESSORS = frozenset(["gzip", "bzip2", "xz", "zstd", "pigz", "lz4", "pbzip2", "pxz", "lzma", "unzstd"])


def _truncate(call: Invocation) -> Output:
    for operand in call.arguments.operands:
        empties = call.arguments.value("-s", "--size") == "0" or call.name == "shred"
        for place in resolve(operand, call.state.cwds, call.state.roots):
            call.analysis.act(
                "delete" if empties else "write",
                place.kind,
                place.path,
                call.name,
                detail="its content is lost",
            )
            if call.name == "shred" or place.kind == "project":
                call.analysis.act("discard", place.kind, place.path, call.name, detail="its content is lost")
    return NOTHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "rm": _rm,
    "mv": _mv,
    "dd": _dd,
    "chmod": _chmod,
    "ln": _ln,
    "tee": _tee,
    "tar": _archive,
    "truncate": _truncate,
}
