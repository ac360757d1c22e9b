"""Judges a few lines of another language by their words: known harmless, or not known.

Whole programs of other languages are beyond telling. What agents write behind `-c` and `-e` is mostly a
question about a value or a file, made of few words. Every name must be known as harmless; a string is data,
for no word that is let through runs one.
"""

import re
from dataclasses import dataclass

from lighthouse.policy.programs.found import Inline
from lighthouse.policy.programs.python_code import judge_python
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
        r"`|\bqx\b|\bopen\b|<[A-Za-z$*./]|\bsystem\b|\bexec\b|\beval\b|\$\^\w|@\{\s*\[|\(\?\??\{|&\s*[{$]|->\s*[($]"
    ),
)
RUBY = Language(
    strings=re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\#])*\"|(?<=[(,~])/(?:\\.|[^/\\\n])+/[imx]*"),
    comments=re.compile(r"(?m)(?:^|\s)#[^\n]*"),
    words=listed("inline", "ruby_words"),
    forbidden=re.compile(r"`|%x|\beval\b|#\{|\bsend\b"),
)
PHP = Language(
    strings=re.compile(_STRINGS),
    comments=re.compile(r"//[^\n]*|#[^\n]*|/\*[\s\S]*?\*/"),
    words=listed("inline", "php_words"),
    forbidden=re.compile(r"`|\$\$|\$\w+\s*\(|\]\s*\(|\)\s*\("),
)
LANGUAGES = {"javascript": JAVASCRIPT, "perl": PERL, "ruby": RUBY, "php": PHP}
_RUNS_TEXT = re.compile(
    r"(?:\bsystem|\bpopen|\bexec(?!ute)\w*|\bspawn\w*|\brun|\bcall|\bcheck_call|\bcheck_output|\bgetoutput|\bshell_exec|\bpassthru|\bqx|\bPopen|\bsh)"
    r"\s*\(?\s*\[?\s*(['\"`])((?:\\.|(?!\1).)*)\1|`([^`]*)`"
)
_OPEN_PATH = re.compile(
    r"\b(?:readFileSync|readdirSync|Path|File\.read(?:lines)?|file_get_contents)\s*\(\s*(?!['\"][^'\"{}]*['\"]\s*[,)])"
)
_READS = re.compile(
    r"\b(?:readFileSync|read_text|File\.read|readlines|file_get_contents|Path)\s*\(\s*(['\"])(?P<path>[^'\"{}]*)\1"
)


def judge(name: str, code: str) -> Inline:
    """Judge code by its words. Anything that is not known as harmless makes it unknown."""
    commands = [match[2] or match[3] or "" for match in _RUNS_TEXT.finditer(code[:MOST])]
    if name == "python" and len(code) <= MOST:
        found = judge_python(code)
        found.commands = commands
        return found
    found = Inline(commands=commands)
    language = LANGUAGES.get(name)
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
    bare = language.strings.sub(" '' ", rest)
    # A mark of a comment within a string that was not recognised would hide what follows it.
    if not re.search(r"['\"`]", bare.replace("''", "")):
        bare = language.comments.sub(" ", bare)
    forbidden = language.forbidden.search(bare)
    if _OPEN_PATH.search(language.comments.sub(" ", code)):
        found.unknown = "the code reads a file whose name is only known when it runs"
    elif forbidden is not None:
        found.unknown = f"the code uses {forbidden[0].strip()[:40]}"
    elif "\\" in bare or (name != "perl" and bare.count("'") % 2):
        found.unknown = "the code is not understood"
    else:
        found.unknown = found.unknown or _unknown_word(name, language, bare, rest)
    return found


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
        if called or word not in own:
            if not called and len(word) == 1:
                continue
            return f"the code uses {word}"
    return ""
