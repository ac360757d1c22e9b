"""Variables of the environment that change what programs do, and those that hold secrets."""

import re

from lighthouse.policy.places import resolve
from lighthouse.policy.shell.marks import ANY, is_open, shown
from lighthouse.policy.shell.state import State
from lighthouse.policy.vocabulary import listed

# Programs run the value of these as a command.
RUN_AS_COMMANDS = frozenset(("PAGER", "EDITOR", "VISUAL", "GIT_PAGER", "GIT_EDITOR", "GIT_SEQUENCE_EDITOR"))
_RUNNING_VARIABLES = listed("environment", "running_variables")
# Compilers, interpreters and their kin, and where such are looked for.
_TOOL_VARIABLE = re.compile(
    r"(?:HOST)?(?:CC|CXX|CPP|LD|AR|AS|NM|RANLIB|STRIP|OBJCOPY|FC|F77)|MAKE|SHELL|CARGO|GO|PYTHON\d?|NODE|RUBY|PERL|PHP|JAVA|"
    r"(?:CMAKE_)?\w+_(?:LAUNCHER|WRAPPER|RUNNER|COMPILER|EXECUTABLE|EDITOR|PAGER|SHELL|COMMAND|CMD|PROGRAM|HOOK|HELPER|ASKPASS|"
    r"PLUGINS?|PRELOAD|BIN|HOME|CONFIG|CONFIG_DIR|CONFIG_FILE|RC|STARTUP|LIBRARY_PATH|MODULES?_PATH|TEMPLATE_DIR)|"
    r"\w+RC|GOROOT|GOENV|LUA_INIT\w*|LUA_C?PATH|PSQL_PAGER|PSQLRC|INIT_FILE"
)
_SOURCE_VARIABLE = re.compile(
    r"\w*(?:_|^)(?:INDEX(?:_URL)?|INDEXES|REGISTRY\w*|REPOSITOR\w*|MIRROR\w*|SOURCES?|GOPROXY|GOSUMDB|HTTPS?_PROXY|ALL_PROXY|FTP_PROXY|CDN\w*|FIND_LINKS)"
)
_PATHS_OF_CODE = frozenset(("PYTHONPATH", "NODE_PATH", "RUBYLIB", "PERL5LIB", "CLASSPATH", "GOPATH"))
_HARMLESS_NODE_OPTIONS = re.compile(
    r"(?:\s*--(?:max-(?:old-space|semi-space|http-header)-size=\d+|no-(?:warnings|deprecation)|trace-(?:warnings|deprecation)|"
    r"enable-source-maps|experimental-(?:vm-modules|strip-types)|openssl-legacy-provider|unhandled-rejections=\w+|"
    r"dns-result-order=\w+|stack-trace-limit=\d+))*\s*"
)
_SECRET_VARIABLE = re.compile(
    rb"\$\{?\w*(?:SECRET|PASSWORD|PASSWD|PASSPHRASE|API_?KEY|ACCESS_KEY|PRIVATE_KEY|CREDENTIAL|TOKEN\b)\w*"
)


def suspicion(name: str, value: str, state: State) -> str:
    """Why setting the variable is not harmless; empty where it is."""
    if name.startswith("HIST"):
        return f"{name} hides what the shell was told"
    if name == "NODE_OPTIONS" and _HARMLESS_NODE_OPTIONS.fullmatch(value):
        return ""
    if name in _RUNNING_VARIABLES or name.startswith(("LD_", "DYLD_", "BASH_FUNC_", "GIT_CONFIG")):
        return f"{name} makes programs run or load something else"
    if name.lower().startswith(("npm_config_", "pip_")) or name in ("GOFLAGS", "RUSTC_WRAPPER"):
        return f"{name} changes where packages come from or what builds them"
    if name.startswith(("CARGO_", "RUSTFLAGS", "MAVEN_", "GRADLE_", "JAVA_OPTS")) and any(
        word in f"{name} {value}".lower()
        for word in ("runner", "linker", "wrapper", "agent", "onerror", "onoutof")
    ):
        return f"{name} makes a build run something else"
    if _SOURCE_VARIABLE.fullmatch(name.upper()) and "://" in value and not _at_home(value):
        return f"{name} changes where packages come from, or what everything goes through"
    if name in _PATHS_OF_CODE:
        if foreign := next((part for part in value.split(":") if part and _elsewhere(part, state)), None):
            return f"{name} makes programs load code from {shown(foreign)}"
        return ""
    if _TOOL_VARIABLE.fullmatch(name) and _elsewhere(value, state):
        return f"{name} makes programs run {shown(value)}"
    if name == "PATH":
        known = ("/usr/", "/bin", "/sbin", "/opt/", *_home_tools(state))
        for folder in value.split(":"):
            if folder != ANY and (is_open(folder) or not folder.startswith(known)):
                return f"PATH leads to {shown(folder) or 'the current folder'}"
    return ""


def _at_home(address: str) -> bool:
    return re.match(r"[a-z+]*://(?:[^/@]*@)?(?:localhost|127\.|\[::1\])", address) is not None


def _elsewhere(value: str, state: State) -> bool:
    """Whether a variable that names a tool or a folder of tools names one that nobody installed."""
    if ANY in value or set(value) & set(";|&`<>\n"):
        return True
    words = value.split()
    if not words or "/" not in words[0]:
        return False
    return not words[0].startswith(("/usr/", "/bin/", "/opt/", *_home_tools(state))) and any(
        place.kind not in ("project", "generated", "project_root")
        for place in resolve(words[0], state.cwds, state.roots)
    )


def secret_variable(source: bytes) -> str:
    """The first variable in the source whose name says that it holds a secret."""
    found = _SECRET_VARIABLE.search(source)
    return found[0].decode() if found else ""


def told_away(source: bytes) -> str:
    """The secret's variable that a program which speaks to another machine is given in the source."""
    return "" if b"localhost" in source or b"127.0.0.1" in source else secret_variable(source)


def _home_tools(state: State) -> tuple[str, ...]:
    home = state.roots.home_folder
    inner = tuple(
        f"{home}/{name}"
        for name in (".local/", ".cargo/", ".nvm/", ".pyenv/", "go/", ".bun/", ".deno/", ".volta/")
    )
    return (*inner, *(f"{root}/" for root in state.roots.project))
