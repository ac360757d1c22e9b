"""Where a path leads: what of the host a command would touch, told by its text and the project's links.

The host's files are out of the bridge's sight but for the project, so places outside are told by where Linux
keeps what. A path that is not known to its first name is `unknown`.
"""

import posixpath
import re
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatch

from lighthouse.policy.shell.marks import ANY, BELOW, GLOBS, is_open, shown
from lighthouse.policy.vocabulary import listed

PLACES = listed("places", "places")

LinkReader = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class Place:
    """A path's kind and the path itself, absolute where it is known."""

    kind: str
    path: str


@dataclass(frozen=True, slots=True)
class Roots:
    """What the host calls the project, and the home folder of who works on it.

    `link` tells a symbolic link's text for an absolute path in the project, None for what is no link.
    """

    project: tuple[str, ...]
    home: str = ""
    link: LinkReader | None = None

    @property
    def home_folder(self) -> str:
        """The home, guessed from the project's path where nobody said it."""
        if self.home:
            return self.home
        match = re.match(r"/(?:home|Users)/[^/]+", self.project[0]) if self.project else None
        return match.group() if match else "/root"


GENERATED = listed("places", "generated")
_SECRET_NAME = re.compile(
    r"""(?ix) ^(?:
      \.env(?:\.(?!example$|sample$|template$|dist$|defaults?$|schema$|test$)[\w.-]+)? | \.envrc
      | id_(?:rsa|dsa|ecdsa|ed25519)(?:_sk)? | .*\.(?:pem|p12|pfx|jks|keystore|kdbx|ppk|asc|gpg|tfstate)
      | \.netrc | _netrc | \.pgpass | \.my\.cnf | \.npmrc | \.pypirc | \.git-credentials
      | \.htpasswd | \.vault-token
      | (?:.*[_.-])?(?:credentials?|secrets?|passwords?|passwd|tokens?|apikeys?|api[_-]keys?)
        (?:\.(?:json|ya?ml|toml|txt|ini|csv|env|xml|db|enc|properties|conf|cfg))
      | credentials? | secrets? | service[-_]?account.*\.json
      | .*(?<!public)(?<!pub)[_.-]?private[_.-]?key.* | .*\.key
      | shadow-? | gshadow-? | sudoers | master\.key | Login\ Data | cookies\.sqlite | logins\.json
      | \.(?:bash|zsh|sh|python|psql|mysql|node_repl)_history | \.histfile | .*\.keytab | terraform\.tfvars
    )$"""
)
_SECRET_FOLDERS = listed("places", "secret_folders")
_SECRET_PATH = re.compile(
    r"^/(?:etc/(?:shadow|gshadow|security/opasswd|krb5\.keytab|sudoers|ssl/private|kubernetes|ssh/ssh_host_\w+_key$)|proc/(?:[^/]+|)/?(?:environ|mem|maps)|"
    r"proc/kcore|run/secrets/|var/run/secrets/|var/lib/docker/)|/\.config/(?:gcloud|gh|op|doppler|hub)(?:/|$)|"
    r"/Library/Keychains|/\.mozilla/|/google-chrome/|/\.gem/credentials"
)
# A pattern of names that takes one of these takes a secret.
_SAMPLES = (
    ".env",
    ".env.local",
    ".ssh",
    ".aws",
    ".npmrc",
    ".netrc",
    ".git-credentials",
    "id_rsa",
    "id_ed25519",
)
_SYSTEM_SAMPLES = ("shadow", "gshadow", "sudoers")
_PUBLIC_NAMES = frozenset(("known_hosts", "authorized_keys", "config"))
_STARTUP = re.compile(
    r"/\.(?:bashrc|bash_profile|bash_login|bash_logout|bash_aliases|profile|zshrc|zshenv|zprofile|zlogin|kshrc|cshrc|"
    r"tcshrc|inputrc|xinitrc|xprofile|xsession|vimrc|emacs|gdbinit|gitconfig|pythonrc|pam_environment|tmux\.conf)$|"
    r"/\.ssh/(?:authorized_keys|rc|config|environment)|/\.config/(?:autostart|systemd|fish|git|environment\.d)(?:/|$)|"
    r"/LaunchAgents/|/LaunchDaemons/|^/etc/(?:cron|init|systemd|profile|rc|bash|zsh|pam|ld\.so|sudoers|apt|xdg)|"
    r"^/var/spool/(?:cron|at)|/\.local/share/systemd|^/(?:usr/)?lib/systemd"
)
# What keeps agents in check: who may write here may lift the checks.
_GUARD = re.compile(
    r"(?:^|/)(?:\.claude/(?:settings(?:\.local)?\.json|(?:hooks|agents|commands|skills|plugins)(?:/|$))|\.claude$|\.mcp\.json$|"
    r"\.cursor/mcp\.json$|\.lighthouse(?:/|$)|\.husky(?:/|$)|\.pre-commit-config\.yaml$|\.vscode/(?:tasks|settings|launch)\.json$|\.devcontainer(?:/|$)|"
    r"\.devcontainer\.json$|\.cursor/(?:hooks\.json|rules(?:/|$))|\.codex(?:/|$)|\.gemini/settings\.json$|"
    r"\.opencode(?:/|$)|opencode\.jsonc?$)|"
    r"^/etc/lighthouse(?:/|$)|^/mnt/lighthouse(?:/|$)|^/var/lib/lighthouse(?:/|$)|/\.config/lighthouse(?:/|$)|"
    r"/\.claude\.json$"
)
# What a build server runs, with secrets and rights of its own, as soon as it is pushed.
_PIPELINE = re.compile(
    r"(?:^|/)(?:\.github/(?:workflows|actions)|\.gitlab/ci|\.circleci|\.buildkite|\.woodpecker|\.teamcity|\.forgejo/workflows|\.gitea/workflows|"
    r"\.azure-pipelines)(?:/|$)|(?:^|/)(?:\.gitlab-ci\.ya?ml|Jenkinsfile|azure-pipelines\.ya?ml|bitbucket-pipelines\.ya?ml|\.drone\.ya?ml|"
    r"\.travis\.ya?ml|appveyor\.ya?ml|cloudbuild\.ya?ml|buildspec\.ya?ml|\.woodpecker\.ya?ml)$"
)
_NULL = re.compile(
    r"^/dev/(?:null|stdin|stdout|stderr|tty|zero|full|u?random|fd(?:/\d+)?|ptmx)$|^/proc/self/fd/\d+$"
)
_TEMP = re.compile(r"^/(?:private/)?(?:tmp|var/tmp|dev/shm|var/folders)(?:/|$)")
_TEMP_ROOTS = ("/tmp", "/var/tmp", "/dev/shm", "/private/tmp")  # noqa: S108
_SYSTEM = re.compile(
    r"^/(?:bin|sbin|lib\w*|usr|etc|boot|var|opt|sys|proc|run|root|srv|snap|efi|nix|System|Library|Applications|"
    r"Windows|cygdrive|private)(?:/|$)"
)
_DRIVE = re.compile(r"^(?:[A-Za-z]:(?:[\\/]|$)|/(?:mnt/)?[a-z]/(?:Windows|Users|Program)|\\\\)")
MOST_LINKS = 20
_STANDS_FOR_CWD = re.compile(r"~\+(?:/|$)")


def resolve(text: str, cwds: tuple[str, ...], roots: Roots) -> list[Place]:
    """Where the path leads, from each folder that may be the current one.

    `..` behind a link leads to the folder above what the link leads to; who makes a path shorter by its text
    goes elsewhere. Then both are told.
    """
    if text.startswith("/") or (text.startswith("~") and not _STANDS_FOR_CWD.match(text)):
        cwds = ("/",)
    return list(dict.fromkeys(place for cwd in cwds for place in _places(text, cwd, roots)))


def folders(text: str, cwds: tuple[str, ...], roots: Roots) -> list[Place]:
    """Where a shell stands that goes there: by the text, as it keeps the links on its way."""
    return resolve(text, cwds, Roots(roots.project, roots.home))


def _places(text: str, cwd: str, roots: Roots) -> list[Place]:
    if text.startswith("~"):
        name, slash, rest = text[1:].partition("/")
        if is_open(name) or name == "-":
            return [Place("unknown", shown(text))]
        home = roots.home_folder if not name else "/root" if name == "root" else f"/home/{name}"
        text = (cwd if name == "+" else home) + slash + rest
    if _DRIVE.match(text):
        return [Place("system", shown(text))]
    whole = text if text.startswith("/") else f"{cwd}/{text}"
    if ANY in whole or len(whole) > 4096 or max(map(len, whole.split("/"))) > 255:
        return [_open_place(whole[:4096], roots)]
    ways = [_normal(whole)]
    if roots.link is not None:
        if ".." in whole.split("/"):
            ways.append(whole)
        led = [_followed(way, roots) for way in dict.fromkeys(ways)]
        if None in led:
            return [Place("unknown", shown(ways[0]))]
        ways = [path for path in dict.fromkeys(led) if path is not None]
    return [Place(_kind(path, roots), shown(path)) for path in ways]


def _open_place(whole: str, roots: Roots) -> Place:
    """An unknown part may hold `..` and slashes, so nothing is certain from it on, whatever comes after.

    What comes before tells only that a path which is secret or of the system in any case is so.
    """
    known = whole[: whole.index(ANY)] if ANY in whole else ""
    kind = _kind(_normal(known), roots) if "/" in known[1:] else "unknown"
    return Place(kind if kind in ("secret", "device", "system", "guard", "git") else "unknown", shown(whole))


def _normal(path: str) -> str:
    path = posixpath.normpath(path)
    return path[1:] if path.startswith("//") else path


def _followed(path: str, roots: Roots) -> str | None:
    """The path with the project's links followed, name by name; None where they lead in a circle."""
    link = roots.link
    ahead = _backwards(path)
    found: list[str] = []
    links = 0
    while ahead:
        name = ahead.pop()
        if name == "..":
            del found[-1:]
            continue
        found.append(name)
        at = "/" + "/".join(found)
        if link is None or not any(at.startswith(root + "/") for root in roots.project):
            continue
        if (target := link(at)) is not None:
            links += 1
            if links > MOST_LINKS:
                return None
            if target.startswith("/"):
                found.clear()
            else:
                found.pop()
            ahead += _backwards(target)
    return "/" + "/".join(found)


def _backwards(path: str) -> list[str]:
    return [name for name in reversed(path.split("/")) if name not in ("", ".")]


def _kind(path: str, roots: Roots) -> str:
    """The kind of an absolute, normal path."""
    for root in roots.project:
        if path == root:
            return "project_root"
        if path.startswith(root + "/"):
            return _in_project(path[len(root) + 1 :])
        # Whoever takes a folder around the project takes the project with it.
        if root.startswith(path + "/") and path.count("/") > 1:
            return "home_root"
    if _NULL.match(path):
        return "null"
    if path in _TEMP_ROOTS or _all_of(path, _TEMP_ROOTS):
        return "temp_root"
    if _GUARD.search(path):
        return "guard"
    if _TEMP.match(path):
        return "secret" if _is_secret(path) else "temp"
    if path == "/" or _all_of(path, ("/",)):
        return "root"
    if path.startswith("/dev/"):
        return "device"
    if _is_secret(path):
        return "secret"
    if _STARTUP.search(path):
        return "startup"
    home = roots.home_folder
    if (
        path == home
        or _all_of(path, (home, "/home", "/Users"))
        or re.fullmatch(r"/(?:home|Users)(?:/[^/]+)?|/root", path)
    ):
        return "home_root"
    if path.startswith((home + "/", "/home/", "/Users/", "/root/")):
        return "home"
    return "system" if _SYSTEM.match(path) else "other"


def _in_project(inner: str) -> str:
    names = inner.split("/")
    if names[0] == ".git" or ".git" in names:
        return "git"
    if _GUARD.search(inner):
        return "guard"
    if _PIPELINE.search(inner):
        return "pipeline"
    if any(name in GENERATED for name in names):
        return "generated"
    if _is_secret("/" + inner):
        return "secret"
    if len(names) == 1 and is_pure_glob(names[0]):
        return "project_root"
    if names[-1].endswith(
        (".pyc", ".pyo", ".o", ".class", ".log", ".tmp", ".bak", ".swp", ".orig", ".egg-info", ".map")
    ):
        return "generated"
    return "project"


def _is_secret(path: str) -> bool:
    names = path.split("/")
    if _SECRET_PATH.search(path):
        return True
    name = names[-1]
    if any(folder in _SECRET_FOLDERS for folder in names[:-1]):
        public = name in _PUBLIC_NAMES and ".ssh" in names
        return not public and not name.endswith((".pub", ".py", ".ts", ".js", ".go", ".rs", ".md"))
    if name in _SECRET_FOLDERS and name.startswith(".") and name != ".docker":
        return True
    if not any(mark in name for mark in GLOBS):
        return bool(_SECRET_NAME.match(name))
    samples = _SYSTEM_SAMPLES if path.startswith("/etc/") else _SAMPLES if name[0] in ".i" else ()
    return bool(_SECRET_NAME.match(shown(name))) or any(fnmatch(sample, shown(name)) for sample in samples)


def _all_of(path: str, folders: tuple[str, ...]) -> bool:
    """Whether the path is a pattern for all that is in one of the folders."""
    head, _, last = path.rpartition("/")
    return is_pure_glob(last) and (head or "/") in folders


def is_pure_glob(name: str) -> bool:
    """Whether a name is a pattern that says nothing of what it matches, as `*`, `.*`, `?`."""
    marks = [char for char in name if char in GLOBS or char in (BELOW,)]
    return bool(marks) and not any(char.isalnum() for char in name)
