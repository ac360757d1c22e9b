"""Where a client finds its bridge and its token: the environment, then the user's own token file."""

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from lighthouse.client.errors import ClientMisconfigured

DEFAULT_URL = "http://localhost:8765"
MAX_TOKEN_BYTES = 16 * 1024


class Connection(NamedTuple):
    """A bridge's base address without a trailing slash, and the token to show there, if there is one."""

    url: str
    token: str | None

    def __repr__(self) -> str:
        """The connection without its token."""
        return f"Connection(url={self.url!r}, token={'set' if self.token else None})"


def connection_from(env: Mapping[str, str], url: str | None = None) -> Connection:
    """The connection that `LIGHTHOUSE_BRIDGE_URL`, `LIGHTHOUSE_TOKEN` and `LIGHTHOUSE_TOKEN_FILE` describe.

    `url` wins over the environment. Without either token variable the user's own file is taken where it
    exists, see `user_token_file`. Raises ClientMisconfigured for a bad address, and for a token file that is
    missing, empty or open to others.
    """
    return Connection(bridge_url(env, url), token_from(env))


def bridge_url(env: Mapping[str, str], url: str | None = None) -> str:
    """The bridge's base address, checked, without a trailing slash."""
    text = (url or env.get("LIGHTHOUSE_BRIDGE_URL") or DEFAULT_URL).rstrip("/")
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good:
        raise ClientMisconfigured(f"bridge address {text!r} is no http address", f"write it as {DEFAULT_URL}")
    if parts.username or parts.password or parts.query or parts.fragment:
        raise ClientMisconfigured(
            "the bridge address carries more than scheme, host, port and path", f"write it as {DEFAULT_URL}"
        )
    return text


def user_token_file(env: Mapping[str, str]) -> Path:
    """The file a person's token is looked for in when no variable names one: `~/.config/lighthouse/token`."""
    base = env.get("XDG_CONFIG_HOME") or str(Path(env.get("HOME") or "~").expanduser() / ".config")
    return Path(base) / "lighthouse" / "token"


def token_from(env: Mapping[str, str]) -> str | None:
    """The token, from the variable, the file it names, or the user's own file; None when there is none."""
    if token := env.get("LIGHTHOUSE_TOKEN", "").strip():
        return _sound(token, "LIGHTHOUSE_TOKEN")
    if named := env.get("LIGHTHOUSE_TOKEN_FILE"):
        return _read_token(Path(named))
    own = user_token_file(env)
    try:
        return _read_token(own) if own.is_file() else None
    except PermissionError:
        return None


def _read_token(path: Path) -> str:
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        raise ClientMisconfigured(
            f"token file {path} cannot be read ({error.strerror})", "correct LIGHTHOUSE_TOKEN_FILE"
        ) from error
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise ClientMisconfigured(
                f"token file {path} is no regular file", "correct LIGHTHOUSE_TOKEN_FILE"
            )
        if status.st_mode & 0o077:
            raise ClientMisconfigured(f"token file {path} is open to others", f"run: chmod 600 {path}")
        raw = os.read(descriptor, MAX_TOKEN_BYTES)
    finally:
        os.close(descriptor)
    token = raw.decode("ascii", "replace").strip()
    if not token:
        raise ClientMisconfigured(f"token file {path} is empty", "write a token into it")
    return _sound(token, f"token file {path}")


def _sound(token: str, source: str) -> str:
    if not token.isascii() or not token.isprintable() or " " in token:
        raise ClientMisconfigured(
            f"{source} holds no token", "put one token there, as `token create` prints it"
        )
    return token
