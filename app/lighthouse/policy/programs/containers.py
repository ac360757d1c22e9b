"""Containers: what a run may reach of the host, and what is run in them."""

from collections.abc import Callable

from lighthouse.policy.places import resolve
from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.programs.remote import elsewhere
from lighthouse.policy.shell.environment import secret_variable
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import NOTHING, SOMETHING, Output

_MOUNTS = ("-v", "--volume", "--mount")
_HOST = ("--network", "--net", "--pid", "--ipc", "--uts", "--userns", "--cgroupns")


def _run(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    mounted = False
    for name, value in arguments.options:
        text = literal(value or "")
        if name in ("--privileged", "--cap-add", "--device", "--security-opt", "--gpus") and name != "--gpus":
            call.act("privilege", f"{name} {text}", detail=f"{call.name} {name}")
        elif name in _HOST and text == "host":
            call.act("privilege", f"{name}=host", detail=f"{call.name} {name}=host")
        elif name in _MOUNTS:
            mounted = _mount(call, name, text) or mounted
        elif name == "--volumes-from":
            call.act("change:container", text, detail=f"hands over the volumes of {text}")
        elif name in ("-e", "--env") and "=" not in text and secret_variable(f"${text}".encode()):
            call.uncertain(f"hands over {text}")
        elif name in ("--env-file",):
            call.role("read", value)
    words = arguments.operands
    if not words:
        return SOMETHING
    call.act("start:container", literal(words[0]), detail=f"a container of {literal(words[0])}")
    if mounted and len(words) > 1:
        _inside(call, words[1:])
    return SOMETHING


def _mount(call: Invocation, name: str, text: str) -> bool:
    """Tell what of the host a container gets; whether it is a folder of the host at all."""
    if name == "--mount":
        fields = dict(field.partition("=")[::2] for field in text.split(","))
        source, mode = (
            fields.get("source") or fields.get("src") or "",
            "ro" if "readonly" in fields or "ro" in fields else "",
        )
    else:
        source, _, rest = text.partition(":")
        mode = rest.rpartition(":")[2]
    if not source.startswith(("/", ".", "~", ANY)):
        return False
    for place in resolve(source, call.state.cwds, call.state.roots):
        if place.path.endswith("docker.sock"):
            call.act("privilege", place.path, detail="hands over the control of the host's containers")
        elif place.kind == "project_root":
            continue
        elif mode.startswith("ro"):
            call.analysis.act("read", place.kind, place.path, call.name)
        else:
            call.analysis.act(
                "write", place.kind, place.path, call.name, recursive=True, detail="handed to a container"
            )
    return True


def _inside(call: Invocation, words: list[str]) -> Output:
    shell = call.shell.inner((*call.shell.within, call.name), elsewhere(call, "/container"))
    return shell.start(words, call.stdin)


def _exec(call: Invocation) -> Output:
    """`docker exec NAME cmd`, `kubectl exec POD -- cmd`."""
    arguments = split(call.words, call.spec, stops=call.spec.skip == 1)
    if arguments.has("--privileged"):
        call.act("privilege", detail=f"{call.name} --privileged")
    if call.spec.skip == 1:
        words = arguments.operands[1:]
        if words[:1] == ["--"]:
            words = words[1:]
    elif arguments.after_dashes is not None:
        words = arguments.operands[arguments.after_dashes :]
    else:
        words = arguments.operands[1:]
    call.act("start:container", " ".join(map(literal, arguments.operands[:1])))
    return _inside(call, words) if words else NOTHING


def _copy(call: Invocation) -> Output:
    """`docker cp`: between a container, `NAME:path`, and a folder here."""
    *sources, target = call.arguments.operands or [""]
    for source in sources:
        if ":" not in source:
            call.role("read", source)
    if ":" in target:
        call.act("start:container", literal(target), detail="copies into a container")
    else:
        call.role("write", target)
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {
    "container-run": _run,
    "container-exec": _exec,
    "container-copy": _copy,
}
