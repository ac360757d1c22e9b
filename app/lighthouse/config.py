"""The bridge's settings: one table, filled from the config file and then from the environment, which wins."""

import re
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from lighthouse import __version__
from lighthouse.errors import LighthouseError

CONFIG_PATH = Path("/etc/lighthouse/config.toml")
PREFIX = "LIGHTHOUSE_"
# Names with the prefix that are no settings of the bridge: the agents' own, and where the file is.
FOREIGN_NAMES = {"CONFIG", "BRIDGE_URL", "TOKEN", "TOKEN_FILE", "HOOK_AWAY"}


class BadSettings(LighthouseError):
    """The config file or an environment variable does not make sense; the bridge does not start."""


ADDRESS = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[^\[\]:\s]+):[0-9]{1,5}")
Id = Annotated[int, msgspec.Meta(ge=0, le=2**32 - 2)]


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything a bridge is told before it starts. Paths are absolute or relative to its working folder.

    `roots` maps host folders to where the bridge sees them; `mount_uid` and `mount_gid` are what the mount
    reports as owner (None: the process's own); `watchdog_seconds` 0 leaves the interval to systemd.
    """

    project_path: Path = Path("/project")
    mount_point: Path = Path("/mnt/lighthouse/project")
    proposals_mount_point: Path = Path("/mnt/lighthouse/proposals")
    mount: bool = True
    event_store: Path = Path("/var/lib/lighthouse/events")
    listen: str = "127.0.0.1:8765"
    auth_secret: str | None = None
    auth_secret_file: Path | None = None
    roots: dict[str, str] = {}
    max_file_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)] = 64 * 1024 * 1024
    ignore: tuple[str, ...] = (
        ".git/",
        "node_modules/",
        "__pycache__/",
        ".venv/",
        "*.pyc",
        ".lighthouse/",
    )
    reconcile_seconds: Annotated[float, msgspec.Meta(gt=0)] = 60.0
    proposal_max_bytes: Annotated[int, msgspec.Meta(ge=1, le=2**40)] = 256 * 1024 * 1024
    proposal_max_entries: Annotated[int, msgspec.Meta(ge=1, le=10**6)] = 20_000
    policies: Path = Path("/etc/lighthouse/policies")
    home: str = ""
    expert_seconds: Annotated[float, msgspec.Meta(gt=0, le=3600)] = 30.0
    person_seconds: Annotated[float, msgspec.Meta(gt=0, le=86400)] = 300.0
    hook_allows: bool = False
    console_hosts: tuple[str, ...] = ()
    mount_uid: Id | None = None
    mount_gid: Id | None = None
    health_socket: Path | None = None
    require_confinement: bool = False
    watchdog_seconds: Annotated[float, msgspec.Meta(ge=0)] = 0.0
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    version: str = __version__

    @property
    def host_port(self) -> tuple[str, int]:
        """The address to listen on, `("127.0.0.1", 8765)`; brackets of IPv6 removed."""
        host, _, port = self.listen.rpartition(":")
        return host.strip("[]"), int(port)

    def secret_environment(self) -> dict[str, str]:
        """The secret's source in the form `keys.load_secret` takes."""
        source: dict[str, str] = {}
        if self.auth_secret is not None:
            source["LIGHTHOUSE_AUTH_SECRET"] = self.auth_secret
        if self.auth_secret_file is not None:
            source["LIGHTHOUSE_AUTH_SECRET_FILE"] = str(self.auth_secret_file)
        return source

    def __repr__(self) -> str:
        """The settings without the secret."""
        shown = {name: getattr(self, name) for name in self.__struct_fields__ if name != "auth_secret"}
        return f"Settings({', '.join(f'{name}={value!r}' for name, value in shown.items())})"


def load(env: Mapping[str, str], overrides: Mapping[str, Any] | None = None) -> Settings:
    """Settings from `LIGHTHOUSE_CONFIG` (or the usual file, if there is one), `env`, then `overrides`.

    Raises BadSettings, one line, for a file that cannot be read, an unknown key, a value of the wrong type.
    """
    named = env.get(PREFIX + "CONFIG")
    values = _read_file(Path(named) if named else CONFIG_PATH, required=bool(named))
    source = _from_environment(env)
    # A secret given one way hides one given the other way by a weaker source.
    if source.keys() & {"auth_secret", "auth_secret_file"}:
        values.pop("auth_secret", None)
        values.pop("auth_secret_file", None)
    values |= source
    values |= dict(overrides or {})
    settings = _convert(values, "setting")
    if not ADDRESS.fullmatch(settings.listen) or settings.host_port[1] > 65535:
        raise BadSettings(f"listen {settings.listen!r} is no address", "write HOST:PORT, as 127.0.0.1:8765")
    for host_path, inner_path in settings.roots.items():
        if not (host_path.startswith("/") and inner_path.startswith("/")):
            raise BadSettings(f"root {host_path}={inner_path} is not absolute", "write /on/the/host=/project")
    return settings


def unknown_names(env: Mapping[str, str]) -> list[str]:
    """Variables with the prefix that mean nothing here: told in the log, for one may be a typing error.

    They do not stop it: orchestrators set such names by themselves (`LIGHTHOUSE_SERVICE_HOST`).
    """
    known = {name.upper() for name in Settings.__struct_fields__} | FOREIGN_NAMES
    return sorted(name for name in env if name.startswith(PREFIX) and name.removeprefix(PREFIX) not in known)


def _read_file(path: Path, *, required: bool) -> dict[str, Any]:
    try:
        raw = path.read_bytes()
    except FileNotFoundError as error:
        if required:
            raise BadSettings(
                f"config file {path} does not exist", "create it or unset LIGHTHOUSE_CONFIG"
            ) from error
        return {}
    except OSError as error:
        raise BadSettings(
            f"config file {path} cannot be read ({error.strerror})", "let the bridge read it"
        ) from error
    try:
        values = tomllib.loads(raw.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise BadSettings(f"config file {path} is not TOML ({error})", "mend it") from error
    _convert(values, f"config file {path}")
    return values


def _from_environment(env: Mapping[str, str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(Settings):
        name = PREFIX + field.name.upper()
        if (text := env.get(name)) is None:
            continue
        try:
            values[field.name] = _SPLIT.get(field.name, _plain)(text, field.type)
        except (ValueError, msgspec.ValidationError) as error:
            raise BadSettings(f"{name} is not valid ({_reason(error)})", "correct or unset it") from error
    return values


def _plain(text: str, kind: Any) -> Any:
    return msgspec.convert(text, kind, strict=False, dec_hook=_decode_path)


def _names(text: str, _: Any) -> tuple[str, ...]:
    return tuple(name for name in text.split(":") if name)


def _pairs(text: str, _: Any) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for item in _names(text, None):
        outer, equals, inner = item.partition("=")
        if not equals:
            raise ValueError("write /on/the/host=/project, several separated by ':'")
        pairs[outer] = inner
    return pairs


_SPLIT: dict[str, Callable[[str, Any], Any]] = {"roots": _pairs, "ignore": _names, "console_hosts": _names}


def _convert(values: Mapping[str, Any], where: str) -> Settings:
    try:
        return msgspec.convert(values, Settings, dec_hook=_decode_path)
    except msgspec.ValidationError as error:
        raise BadSettings(f"{where}: {_reason(error)}", "correct it") from error


def _reason(error: Exception) -> str:
    return re.sub(r" - at `\$\.?([^`]+)`", r" at \1", str(error)).replace(" - at `$`", "")


def _decode_path(kind: type, value: Any) -> Any:
    if kind is not Path:
        raise NotImplementedError(kind)
    if isinstance(value, Path):
        return value
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("Expected a path")
    return Path(value)
