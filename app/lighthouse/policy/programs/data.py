"""Data stores' own shells: SQL, Redis and Mongo commands on the command line or standard input."""

import re
from collections.abc import Callable

from lighthouse.policy.programs.arguments import split
from lighthouse.policy.programs.invocation import Invocation
from lighthouse.policy.shell.marks import ANY, literal
from lighthouse.policy.shell.output import SOMETHING, Output
from lighthouse.policy.vocabulary import listed

_READS = listed("data", "reads")
_DESTROYS = re.compile(
    r"\b(?:drop|truncate|delete|revoke|kill|shutdown|purge|reset|detach|dropdatabase|deletemany|deleteone|remove|dropindex|flushall|flushdb)\b",
    re.IGNORECASE,
)
_CHANGES = re.compile(
    r"\b(?:insert|update|alter|create|replace|merge|grant|pg_(?:terminate|cancel|drop|create|rotate|switch|promote|logical|replication|write|file|reload)\w*|vacuum|reindex|copy|call|do|execute|load|import|attach|rename|into|lock|set_config|nextval|setval|set\s+(?:global|persist|password|role|session\s+auth\w*|@@global))\b",
    re.IGNORECASE,
)
_RUNS = re.compile(
    r"(?i)\\!|\\copy|\\g\s*\||\\o|\bto\s+program\b|\bfrom\s+program\b|load_extension|pg_read_file|pg_ls_dir|lo_import|lo_export|into\s+(?:out|dump)file|load_file|xp_cmdshell|sys_exec|\bsystem\b|\breadfile\b|\bwritefile\b|\bedit\s*\(|dblink|copy\b[^;]{0,200}\b(?:to|from)\b"
)
_DOT_READS = re.compile(
    r"^\.(?:tables|schema|headers?|mode|databases|indexes|indices|quit|exit|width|help|fullschema|dbinfo|stats|timer|separator|nullvalue|show|echo)\b",
    re.IGNORECASE,
)
_META_READS = re.compile(
    r"^\\(?:d\w*\+?|l\+?|dt\+?|du\+?|conninfo|x|timing|q|c\b|pset|encoding|z|sf|sv|\?|h)(?![A-Za-z])",
    re.IGNORECASE,
)
_CALLS = re.compile(r"([\w$.]+)\s*\(")
_FUNCTIONS = listed("data", "functions")
_MONGO_READS = listed("data", "mongo_reads")
_REDIS_PAIRS = frozenset(listed("data", "redis_pairs"))
_REDIS_READS = listed("data", "redis_reads")
_REDIS_DESTROYS = listed("data", "redis_destroys")


MOST = 8000


def judge_sql(text: str) -> tuple[str, str]:
    """What statements do, `query`, `change`, `destroy` or `uncertain`, and the one that says so."""
    if ANY in text or len(text) > MOST:
        return "uncertain", "the statement is only known when it runs, or very long"
    bare = re.sub(r"--[^\n]*|/\*(?!!)[\s\S]*?\*/", " ", text)
    bare = re.sub(r"'(?:''|[^'])*'", "''", bare)
    worst = ("query", "")
    for statement in filter(None, map(str.strip, bare.split(";"))):
        if _RUNS.search(statement):
            return "uncertain", f"may run a program or touch files: {statement[:80]}"
        if _DOT_READS.match(statement) or _META_READS.match(statement):
            continue
        if statement.startswith((".", "\\")) or "/*!" in statement:
            return "uncertain", f"a command of the shell that is not known: {statement[:80]}"
        first = re.split(r"\W", statement.lower(), maxsplit=1)[0]
        if _DESTROYS.search(statement):
            return "destroy", statement[:120]
        if first not in _READS or _CHANGES.search(statement) or (first == "pragma" and "=" in statement):
            worst = ("change", statement[:120])
        elif called := next(
            (name for name in _CALLS.findall(statement.lower()) if name not in _FUNCTIONS), ""
        ):
            worst = ("change", f"calls {called}, which may change something")
    return worst


def _sql(call: Invocation) -> Output:
    arguments = call.arguments
    texts = [value or "" for name, value in arguments.options if call.spec.options.get(name) == "sql"]
    for name, value in arguments.options:
        role = call.spec.options.get(name)
        if role == "sql-file":
            call.role("read", value)
            texts.append(call.state.written.get(value or "", ANY))
        elif role and role != "sql":
            call.role(role, value)
        if flag := call.spec.flags.get(name):
            call.act(flag, detail=f"{call.name} {name}")
    operands = arguments.operands
    if call.name in ("sqlite3", "sqlite", "duckdb"):
        if operands and operands[0] != ":memory:":
            call.role("read", operands[0])
        texts += operands[1:]
    if call.stdin is not None and not texts:
        texts.append(call.stdin.text)
    if arguments.open_option:
        call.uncertain("an argument is only known when it runs")
    if (
        not texts
        and not any(call.spec.options.get(name) == "read" for name, _ in arguments.options)
        and not arguments.has("-l", "--list")
    ):
        call.uncertain("opens a shell of a data store")
    for text in map(literal, texts):
        action, why = judge_sql(text)
        if action == "uncertain":
            call.uncertain(why)
        else:
            call.act(
                f"{action}:{'local' if call.name in ('sqlite3', 'sqlite', 'duckdb') else 'remote'}",
                why,
                detail=why,
            )
    return SOMETHING


def _redis(call: Invocation) -> Output:
    arguments = split(call.words, call.spec, stops=True)
    words = [literal(word).lower() for word in arguments.operands]
    if arguments.has("--bigkeys", "--stat", "--latency", "--memkeys", "--scan"):
        return SOMETHING
    if not words:
        call.uncertain("commands come from its input")
    elif "-".join(words[:2]) in _REDIS_PAIRS:
        call.act("query:remote", " ".join(words))
    elif words[0] in _REDIS_DESTROYS:
        call.act("destroy:remote", " ".join(words))
    else:
        call.act("query:remote" if words[0] in _REDIS_READS else "change:remote", " ".join(words)[:200])
    return SOMETHING


def _mongo(call: Invocation) -> Output:
    arguments = call.arguments
    text = literal(arguments.value("--eval") or "")
    if not text:
        call.uncertain("its commands are not known")
        return SOMETHING
    if ANY in text or re.search(
        r"\b(?:load|runProgram|run|_exec|require|process|eval|fetch|fs)\b\s*[(.]|\$where|\$function", text
    ):
        call.uncertain("the code is not understood")
    elif re.search(
        r"(?i)[\"'`](?:drop\w*|remove|delete\w+|shutdown\w*|rename\w*)[\"'`]\s*\]|\b(?:drop\w*|remove|delete\w*|shutdownServer|findOneAndDelete|bulkWrite|kill\w*|rename\w*)\s*\(",
        text,
    ):
        call.act("destroy:remote", text[:200])
    elif re.search(
        r"(?i)\b(?:insert\w*|update\w*|replace\w*|create\w*|save|findAndModify|findOneAnd\w+|grant\w*|add\w*|set\w*|rs\.\w+|sh\.\w+)\s*\(",
        text,
    ):
        call.act("change:remote", text[:200])
    elif (
        called := next(
            (name for name in _CALLS.findall(text) if name.rpartition(".")[2] not in _MONGO_READS), ""
        )
    ) or re.search(r"=>|\bfunction\b|\$out\b|\$merge\b|\]\s*\(|(?<![=!<>])=(?!=)", text):
        call.uncertain(f"its code is not known to read alone: {called or text[:80]}")
    else:
        call.act("query:remote", text[:200])
    return SOMETHING


HANDLERS: dict[str, Callable[[Invocation], Output]] = {"sql": _sql, "redis": _redis, "mongo": _mongo}
