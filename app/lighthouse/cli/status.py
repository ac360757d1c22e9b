"""`lighthouse status`: what runs, in one screen."""

from typing import TYPE_CHECKING, Any

from lighthouse.cli.asking import ask
from lighthouse.cli.options import AsJson, Url
from lighthouse.cli.output import print_json, print_table

if TYPE_CHECKING:
    from lighthouse.client.answers import Status

MOST_PROBLEMS = 10


def status(url: Url = None, as_json: AsJson = False) -> None:
    """Show bridge, project, log and mount, and what is wrong."""
    found = ask(url, lambda bridge: bridge.status())
    if as_json:
        print_json(found)
    else:
        print_table(("", ""), _rows(found))


def _rows(found: "Status") -> list[tuple[str, str]]:
    shadow = found.shadow
    head = f"event {found.head.seq}" if found.head else "none"
    rows = [
        ("bridge", f"{found.status}, version {found.version}, up {_duration(found.uptime_seconds)}"),
        ("", found.summary),
        ("project", found.project),
        ("files", f"{shadow.get('files', 0)} ({_size(shadow.get('bytes', 0))})"),
        ("version", f"{shadow.get('version', '-')}"),
        ("log head", head),
        ("mount", _mount(found)),
        ("approvals", _approvals(found.validations)),
        ("memory", _size(found.rss_bytes)),
        ("subscribers", str(found.subscribers)),
    ]
    for name, component in found.components.items():
        if component.status not in ("ok", "absent", "disabled"):
            rows.append(("problem", f"{name} is {component.status}: {component.detail}"))
    rows += [("problem", text) for text in _problems(shadow)]
    return rows


def _approvals(figures: dict[str, Any]) -> str:
    waiting = figures.get("pending", 0)
    return f"{waiting} wait for an answer: see `lighthouse approvals`" if waiting else "none waits"


def _mount(found: "Status") -> str:
    if not found.mount.enabled:
        return "none, as asked for"
    state = "answers" if found.mount.alive else "dead"
    return f"{state}, {found.mount.target or 'no target'} ({found.mount.detail})"


def _problems(shadow: dict[str, Any]) -> list[str]:
    problems = shadow.get("problems") or []
    lines = [
        f"{problem.get('path', '?')}: {problem.get('reason', '?')}" for problem in problems[:MOST_PROBLEMS]
    ]
    total = shadow.get("problems_total", len(problems))
    if total > len(lines):
        lines.append(f"and {total - len(lines)} more: see --json")
    if large := shadow.get("too_large"):
        lines.append(f"{large} files are over the limit of size and not captured")
    return lines


def _size(count: float) -> str:
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def _duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    shown = [f"{value} {unit}" for value, unit in parts if value][:2]
    return " ".join(shown) or "0 s"
