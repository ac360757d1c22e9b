"""Programs that take a little language of their own as an argument: sed, awk, jq, editors, pagers."""

import re
from collections.abc import Callable

from lighthouse.policy.programs import awk
from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.sed import NotSed, written_files
from lighthouse.policy.shell.marks import ANY, BELOW, PLAIN, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output

MOST = 4000


def _sed(call: Invocation) -> Output:
    arguments = call.arguments
    scripts = [value or "" for name, value in arguments.options if name in ("-e", "--expression")]
    files = arguments.operands
    if not scripts and not arguments.has("-f", "--file"):
        scripts, files = files[:1], files[1:]
    in_place = arguments.has("-i", "--in-place") or any(
        name.startswith("-i") for name, _ in arguments.options
    )
    if (script_file := arguments.value("-f", "--file")) is not None:
        call.role("read", script_file)
        call.uncertain("its script stands in a file")
    for script in map(literal, scripts):
        # An unknown text in the middle could end its expression and begin another command.
        if ANY in script:
            call.uncertain("its script is only known when it runs")
        try:
            for path in written_files(script.replace(PLAIN, "x")):
                call.role("write", path)
        except NotSed as error:
            call.uncertain(str(error))
    for file in files:
        call.role("read", file)
        if in_place:
            call.role("write", file)
    return _filtered(call, not files)


def _awk(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    operands = arguments.operands
    if (file := arguments.value("-f", "--file")) is not None:
        call.role("read", file)
        call.uncertain("its program stands in a file")
        files = operands
    else:
        program, files = literal(operands[0]) if operands else "", operands[1:]
        if ANY in program or len(program) > MOST:
            call.uncertain("its program is only known when it runs, or very long")
        else:
            try:
                for path in awk.written_files(program):
                    call.role("write", path)
            except awk.NotAwk as error:
                call.uncertain(str(error))
    for option in ("-i", "--include", "-l", "--load", "-E", "--exec"):
        if arguments.has(option):
            if option == "-i" and arguments.value("-i") == "inplace":
                for operand in files:
                    call.role("write", operand)
            else:
                call.uncertain(f"{option} loads code")
    for word in files:
        if not re.match(r"[A-Za-z_]\w*=", word):
            call.role("read", word)
    return _filtered(call, not files)


def _filtered(call: Invocation, from_input: bool) -> Output:
    if from_input and call.stdin is not None:
        text = call.stdin.text
        return Output(
            text if "\ud802" in text and "/" in text and "s" not in call.words[:1] else ANY,
            call.stdin.sources,
        )
    return SOMETHING


def _editor(call: Invocation) -> Output:
    """An editor does whatever is typed or piped into it, also run programs."""
    if call.words in (["--version"], ["--help"]):
        return SOMETHING
    for operand in call.arguments.operands:
        if not operand.startswith("+"):
            call.role("write", operand)
    call.uncertain("an editor does what it is told while it runs")
    return NOTHING


def _base64(call: Invocation) -> Output:
    operands = call.arguments.operands
    for operand in operands[:1] if call.name == "xxd" else operands:
        call.role("read", operand)
    for operand in operands[1:] if call.name == "xxd" else []:
        call.role("write", operand)
    for name in ("-o", "--output"):
        if name in call.spec.options:
            call.role("write", call.arguments.value(name))
    decodes = call.arguments.has("-d", "-D", "--decode", "-r", "-dec", "-A") or call.name in (
        "uudecode",
        "base64d",
    )
    sources = call.stdin.sources if call.stdin is not None else frozenset()
    if decodes:
        return Output(_decoded(call, operands), sources | {"decoded"})
    return Output(ANY, sources)


def _decoded(call: Invocation, operands: list[str]) -> str:
    """The decoded text, where it is known: then what it would run can be judged."""
    import base64
    import binascii

    if operands or call.stdin is None or not call.stdin.text.isascii():
        return ANY
    text = call.stdin.text.strip()
    try:
        if call.name == "base64":
            raw = base64.b64decode(text, validate=False)
        elif call.name == "base32":
            raw = base64.b32decode(text)
        elif call.name == "xxd":
            raw = bytes.fromhex(text)
        else:
            return ANY
        return raw.decode("utf-8")
    except (ValueError, binascii.Error):
        return ANY


def _rev(call: Invocation) -> Output:
    """Filters that turn one text into another: what comes out is no longer what was written."""
    sources = (call.stdin.sources if call.stdin is not None else frozenset()) | {"decoded"}
    for operand in call.arguments.operands if call.name == "rev" else []:
        call.role("read", operand)
    return Output(ANY, sources)


def _cat(call: Invocation) -> Output:
    operands = call.arguments.operands
    for operand in operands:
        call.role("read", operand)
    if call.stdin is not None and (not operands or operands == ["-"]):
        return call.stdin
    if len(operands) == 1 and operands[0] in call.state.written:
        return Output(call.state.written[operands[0]])
    return SOMETHING


def _grep(call: Invocation) -> Output:
    arguments = call.arguments
    given = arguments.has("-e", "--regexp", "-f", "--file")
    if arguments.has("--files", "--type-list"):
        given = True
    for name, value in arguments.options:
        if (role := call.spec.options.get(name)) and role != "data":
            call.role(role, value)
    files = arguments.operands if given else arguments.operands[1:]
    for file in files:
        call.role("read", file)
    recursive = arguments.has("-r", "-R", "--recursive") or call.name in (
        "rg",
        "ripgrep",
        "ag",
        "ack",
        "ugrep",
    )
    names = arguments.has(
        "-l", "-L", "--files-with-matches", "--files-without-match", "--files", "-rl", "-rln", "-lr"
    )
    if not files and call.stdin is not None and not arguments.has("--files"):
        kept = call.stdin.text if "\ud802" in call.stdin.text else ANY
        return Output(kept, call.stdin.sources)
    if not files and recursive:
        call.role("read", ".")
    if names:
        return Output("".join(f"{base}/{BELOW}\n" for base in files or ["."]))
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "sed": _sed,
    "awk": _awk,
    "editor": _editor,
    "base64": _base64,
    "rev": _rev,
    "cat": _cat,
    "grep": _grep,
}
