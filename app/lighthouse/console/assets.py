"""The console's own style, script and picture, read once; a page names each with the hash of its content."""

import hashlib
from dataclasses import dataclass
from importlib import resources

_TYPES = {"console.css": "text/css", "console.js": "text/javascript", "icon.svg": "image/svg+xml"}


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that the console serves; `url` changes with its content, so that a browser may keep it."""

    name: str
    media_type: str
    content: bytes
    url: str


def _read(name: str, media_type: str) -> Asset:
    content = resources.files("lighthouse.console").joinpath("static", name).read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    return Asset(name, media_type, content, f"/console/static/{name}?v={digest}")


ASSETS = {name: _read(name, media_type) for name, media_type in _TYPES.items()}
