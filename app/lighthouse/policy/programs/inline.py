"""Judges a few lines of another language by their words: known harmless, or not known.

Whole programs of other languages are beyond telling. What agents write behind `-c` and `-e` is mostly a
question about a value or a file, made of few words. Every name must be known as harmless; a string is data,
for no word that is let through runs one.
"""

import re
from dataclasses import dataclass

from lighthouse.policy.vocabulary import listed

MOST = 4000


@dataclass(frozen=True, slots=True)
class Language:
    """What one language's harmless words are, and how its strings and comments look."""

    strings: re.Pattern[str]
    comments: re.Pattern[str]
    words: frozenset[str]
    modules: frozenset[str] = frozenset()
    forbidden: re.Pattern[str] = re.compile(r"(?!)")


_STRINGS = r"'''[\s\S]*?'''|\"\"\"[\s\S]*?\"\"\"|'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\""

PYTHON = Language(
    strings=re.compile(rf"(?<![fF])(?<![fF][rR])(?:{_STRINGS})"),
    comments=re.compile(r"#[^\n]*"),
    words=listed("inline", "python_words"),
    modules=listed("inline", "python_modules"),
    forbidden=re.compile(
        r"\b(?:exec|eval|compile|globals|locals|setattr|getattr|delattr|breakpoint|input|memoryview)\s*\(|\b__(?!version__|name__|file__|doc__|path__|main__)\w+|"
        r"\bshutil\s*\.\s*(?!which\b|disk_usage\b)|\burllib\s*\.\s*request|\bos\s*\.\s*(?:system|popen|exec|spawn|remove|unlink|rmdir|rename|replace|"
        r"kill|fork|chmod|chown|link|symlink|truncate|putenv|setuid|environ|mkdir|makedirs|open|write)|\bPath\s*\([^()]*\)\s*\.\s*(?:replace|rename)|"
        r"\.\s*(?:replace|rename)\s*\(\s*[A-Za-z_(]|\byaml\s*\.\s*load\b|\bimportlib\s*\.\s*(?:import_module|reload)|\]\s*\(|\)\s*\(|"
        r"\bast\s*\.\s*(?!parse\b|literal_eval\b|dump\b|walk\b)|\bos\s*\.\s*(?:path\s*\.\s*)?\w+\s*=|\bfrom\s+(?:os|shutil|importlib|urllib)\s+import\s+(?!path\b)"
    ),
)
JAVASCRIPT = Language(
    strings=re.compile(r"'(?:\\.|[^'\\\n])*'|\"(?:\\.|[^\"\\\n])*\"|`(?:\\.|[^`\\$])*`"),
    comments=re.compile(r"//[^\n]*|/\*[\s\S]*?\*/"),
    words=listed("inline", "javascript_words"),
    modules=listed("inline", "javascript_modules"),
    forbidden=re.compile(
        r"\]\s*\(|\bprocess\s*\.\s*(?:env|kill|binding|dlopen|mainModule|chdir|set\w+)|\bimport\s*\(|\bconstructor\b|__proto__|\bglobalThis\b"
    ),
)
PERL = Language(
    strings=re.compile(
        r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\@])*\""
        r"|(?<![$@%&\w])(?:s|tr|y)([/|#!,])(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1[gimsxr]*(?!\w)"
        r"|(?:(?<=if )|(?<=unless )|(?<=and )|(?<=or )"
        r"|(?<=not )|(?<=[~(])|(?<=~ )|^)m?/(?:\\.|[^/\\])*/[gimsx]*(?!\w)"
        r"|(?<![$@%&\w])s\{[^{}]*\}\{[^{}]*\}[gimsxr]*(?!\w)"
    ),
    comments=re.compile(r"(?<!\$)#[^\n]*"),
    words=listed("inline", "perl_words"),
    forbidden=re.compile(
        r"`|\bqx\b|\bopen\b|<[A-Za-z$*./]|\bsystem\b|\bexec\b|\beval\b|\$\^\w|@\{\s*\[|\(\?\??\{"
    ),
)
RUBY = Language(
    strings=re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\#])*\"|(?<=[(,~])/(?:\\.|[^/\\\n])+/[imx]*"),
    comments=re.compile(r"(?m)(?:^|\s)#[^\n]*"),
    words=listed("inline", "ruby_words"),
    forbidden=re.compile(r"`|%x|\beval\b|#\{|\bsend\b"),
)
PHP = Language(
    strings=PYTHON.strings,
    comments=re.compile(r"//[^\n]*|#[^\n]*|/\*[\s\S]*?\*/"),
    words=listed("inline", "php_words"),
    forbidden=re.compile(r"`|\$\$|\$\w+\s*\(|\]\s*\(|\)\s*\("),
)
LANGUAGES = {"python": PYTHON, "javascript": JAVASCRIPT, "perl": PERL, "ruby": RUBY, "php": PHP}
_RUNS_TEXT = re.compile(
    r"(?:\bsystem|\bpopen|\bexec\w*|\bspawn\w*|\brun|\bcall|\bcheck_call|\bcheck_output|\bgetoutput|\bshell_exec|\bpassthru|\bqx|\bPopen|\bsh)"
    r"\s*\(?\s*\[?\s*(['\"`])((?:\\.|(?!\1).)*)\1|`([^`]*)`"
)
_OPENS = re.compile(
    r"\bopen\s*\(\s*(?:[rb]?(['\"])(?P<path>[^'\"{}]*)\1)?\s*(?:,\s*(?:mode\s*=\s*)?['\"](?P<mode>[rwxabt+]*)['\"])?(?P<rest>[^()]*)\)"
)
_OPEN_REST = re.compile(r"\s*(?:,\s*(?:encoding|newline|errors)\s*=\s*['\"][\w-]*['\"]\s*)*")
_OPEN_PATH = re.compile(
    r"\b(?:readFileSync|readdirSync|Path|File\.read(?:lines)?|file_get_contents)\s*\(\s*(?!['\"][^'\"{}]*['\"]\s*[,)])"
)
_IMPORT = re.compile(r"\b(?:import\s+\w+(?:\s*,\s*\w+)*(?!\s*(?:,|as\b|\w))|from\s+[\w.]+\s+import\b)")
_BARE_MODULE = re.compile(r"\b(?:os|shutil|importlib|urllib|pathlib|sys|io|inspect|codecs)\b(?!\s*\.)")
_READS = re.compile(
    r"\b(?:readFileSync|read_text|File\.read|readlines|file_get_contents|Path)\s*\(\s*(['\"])(?P<path>[^'\"{}]*)\1"
)


@dataclass(slots=True)
class Inline:
    """What code does: paths it reads and writes, commands it hands to a shell, why it is not known."""

    reads: list[str]
    writes: list[str]
    commands: list[str]
    unknown: str = ""


def judge(name: str, code: str) -> Inline:
    """Judge code by its words. Anything that is not known as harmless makes it unknown."""
    found = Inline([], [], [])
    language = LANGUAGES.get(name)
    found.commands = [match[2] or match[3] or "" for match in _RUNS_TEXT.finditer(code[:MOST])]
    if (
        language is None
        or len(code) > MOST
        or (not code.isprintable() and not set(code) - set("\n\t\r") <= set(filter(str.isprintable, code)))
    ):
        found.unknown = "code of this kind is not understood"
        return found
    for match in _READS.finditer(code):
        found.reads.append(match["path"])
    rest = code
    if name == "python":
        rest = _OPENS.sub(lambda match: _opened(match, found), rest)
    bare = language.strings.sub(" '' ", rest)
    # A mark of a comment within a string that was not recognised would hide what follows it.
    if not re.search(r"['\"`]", bare.replace("''", "")):
        bare = language.comments.sub(" ", bare)
    handed = _BARE_MODULE.search(_IMPORT.sub(" ", bare)) if name == "python" else None
    forbidden = language.forbidden.search(bare)
    if _OPEN_PATH.search(language.comments.sub(" ", code)):
        found.unknown = "the code reads a file whose name is only known when it runs"
    elif handed is not None:
        found.unknown = f"the code hands {handed[0]} on"
    elif forbidden is not None:
        found.unknown = f"the code uses {forbidden[0].strip()[:40]}"
    elif "\\" in bare or (name != "perl" and bare.count("'") % 2):
        found.unknown = "the code is not understood"
    else:
        found.unknown = found.unknown or _unknown_word(name, language, bare, rest)
    return found


def _opened(match: re.Match[str], found: Inline) -> str:
    mode = match["mode"] or "r"
    if (
        match["path"] is None
        or not _OPEN_REST.fullmatch(match["rest"])
        or match.string[: match.start()].rstrip().endswith(".")
    ):
        found.unknown = "the code opens a file whose name is only known when it runs"
    elif set(mode) & set("wax+"):
        found.writes.append(match["path"])
    else:
        found.reads.append(match["path"])
    return " '' "


def _unknown_word(name: str, language: Language, bare: str, code: str) -> str:
    own = set(re.findall(r"\b([A-Za-z_]\w*)\s*(?:=(?!=)|:=|,\s*\w+\s*=(?!=))", bare))
    own |= {
        word
        for match in re.finditer(
            r"\b(?:for|def|lambda|as|const|let|var|my|function)\s+\(?([\w\s,$]+?)(?:\bin\b|[:=({)]|$|\bof\b|;|\n)",
            bare,
        )
        for word in re.findall(r"\w+", match[1])
    }
    own |= {
        word
        for match in re.finditer(r"\(?([\w\s,]*)\)?\s*=>|\|([\w\s,]+)\|", bare)
        for word in re.findall(r"\w+", match[0])
    }
    if name == "javascript":
        for module in re.findall(r"\brequire\s*\(\s*['\"]([^'\"]*)['\"]\s*\)", code):
            if module not in language.modules and not module.endswith(".json"):
                return f"the code loads {module}"
        if len(re.findall(r"\brequire\b", bare)) != len(
            re.findall(r"\brequire\s*\(\s*['\"][^'\"]*['\"]\s*\)", code)
        ):
            return "the code loads what is only known when it runs"
    for match in re.finditer(r"(?<![\w$@%])([$@%]?)([A-Za-z_]\w*)(\s*\()?", bare):
        sigil, word, called = match.groups()
        if sigil or word in language.words:
            continue
        if called or (word not in own and not (name == "python" and _imported(word, bare))):
            if not called and len(word) == 1:
                continue
            return f"the code uses {word}"
    return ""


def _imported(word: str, code: str) -> bool:
    """A module or name of the project that is only imported, whose version or path is asked for."""
    return re.search(
        rf"\b(?:import|from)\s+[\w., ]*\b{re.escape(word)}\b", code
    ) is not None and not re.search(
        rf"\b{re.escape(word)}\b(?:\s*\.\s*(?!__version__|__file__|__path__)\w+)*\s*\(", code
    )
