"""Names of tasks and words given to a project's own programs: what they say of what would happen."""

import re

_DESTROY = re.compile(
    r"^(?:delete|del|remove|destroy|drop|purge|prune|truncate|wipe|erase|flush|nuke|reset|teardown|uninstall|undeploy|"
    r"rollback|terminate|revoke|disable|obliterate|kill|shutdown)$"
)
_PUBLISH = re.compile(
    r"^(?:deploy|deployment|publish|release|prod|production|promote|upload|ship|provision|migrate|seed|push|submit|announce|"
    r"distribute|sync)$"
)
_ASKS = re.compile(r"^(?:shell|console|repl|dbshell|interactive|sudo)$")
_LOCAL_INSTALL = frozenset(("deps", "dependencies", "dev", "hooks", "requirements", "packages"))


def act_of(words: list[str], *, script: bool = False) -> str:
    """The act that the names tell of: `destroy`, `publish`, or nothing; a script may also install."""
    found = ""
    for word in words:
        if word.startswith("-") or len(word) > 80:
            continue
        parts = [
            part for part in re.split(r"[^a-z]+", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", word).lower()) if part
        ]
        if any(map(_DESTROY.match, parts)):
            return "destroy:project"
        if any(map(_PUBLISH.match, parts)):
            found = "publish:remote"
        elif any(map(_ASKS.match, parts)):
            found = found or "uncertain"
        elif (
            script
            and ("install" in parts or ("setup" in parts and word.endswith(".sh")))
            and not _LOCAL_INSTALL & set(parts)
        ):
            found = found or "install:host"
    return found
