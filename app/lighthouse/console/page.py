"""Pages from templates: escaped by default, strict about names, and compiled before anybody asks."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from lighthouse.console.assets import ASSETS
from lighthouse.console.visible import plain, shown, shown_lines
from lighthouse.events.event import timestamp
from lighthouse.paths import ProjectPath, to_bytes

UNITS = ("B", "KiB", "MiB", "GiB", "TiB")


class Pages:
    """Renders the console's templates."""

    def __init__(self) -> None:
        self._templates = Environment(
            loader=PackageLoader("lighthouse.console"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
        )
        self._templates.filters |= {
            "shown": shown,
            "lines": shown_lines,
            "plain": plain,
            "size": size,
            "when": when,
            "path_url": path_url,
            "path_text": path_text,
            "span": span,
        }
        self._templates.globals["assets"] = ASSETS
        for name in self._templates.list_templates():
            self._templates.get_template(name)

    def render(self, template: str, values: Mapping[str, Any]) -> str:
        """The page or piece of one."""
        return self._templates.get_template(template).render(values)


def size(count: int) -> str:
    """`1536` as `1.5 KiB`."""
    amount = float(count)
    for unit in UNITS:
        if amount < 1024 or unit == UNITS[-1]:
            break
        amount /= 1024
    return f"{count} B" if unit == "B" else f"{amount:.1f} {unit}"


def span(seconds: float) -> str:
    """`252` as `4 min 12 s`; what is past is `0 s`."""
    left = max(0, round(seconds))
    if left < 60:
        return f"{left} s"
    if left < 3600:
        return f"{left // 60} min {left % 60} s"
    if left < 48 * 3600:
        return f"{left // 3600} h {left % 3600 // 60} min"
    return f"{left // 86400} d {left % 86400 // 3600} h"


def when(moment: str | float) -> Markup:
    """A time as `2026-11-23 20:14:05`, UTC, in an element that holds it exactly."""
    exact = moment if isinstance(moment, str) else timestamp(datetime.fromtimestamp(moment, UTC))
    return Markup('<time datetime="{}" title="{} UTC">{}</time>').format(
        plain(exact), plain(exact[:19].replace("T", " ")), plain(exact[:19].replace("T", " "))
    )


def path_url(path: ProjectPath) -> str:
    """The path's bytes as they stand in an address."""
    return quote(to_bytes(path), safe="/")


def path_text(path: ProjectPath) -> str:
    """The path as a field of a form takes it; what is not UTF-8 in it cannot be asked for there."""
    return to_bytes(path).decode("utf-8", "replace")
