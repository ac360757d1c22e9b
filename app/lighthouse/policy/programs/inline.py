"""Judges a few lines of another language by their words: known harmless, or not known.

Whole programs of other languages are beyond telling. What agents write behind `-c` and `-e` is mostly a question
about a value or a file, made of few words. Every name must be known as harmless; a string is data, for no word
that is let through runs one.
"""

import re
from dataclasses import dataclass

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
    words=frozenset(
        "and as assert async await break class continue def del elif else except False finally for from if import in is lambda None "
        "not or pass raise return True try while with yield self cls print len range sorted reversed enumerate zip map filter list dict "
        "set tuple str int float bool bytes bytearray complex frozenset min max sum abs round any all chr ord hex oct bin repr ascii "
        "format type isinstance issubclass hasattr hash id iter next slice divmod pow callable object super property staticmethod "
        "classmethod Exception ValueError TypeError KeyError IndexError AttributeError ImportError ModuleNotFoundError RuntimeError "
        "OSError StopIteration ZeroDivisionError AssertionError NotImplementedError FileNotFoundError exit quit dir help vars "
        # methods and attributes of values
        "append extend insert pop index count sort reverse copy keys values items get setdefault update join split rsplit splitlines "
        "strip lstrip rstrip lower upper title capitalize casefold swapcase startswith endswith replace find rfind partition rpartition "
        "removeprefix removesuffix isdigit isalpha isalnum isspace islower isupper zfill center ljust rjust encode decode read readline "
        "readlines readable add discard union intersection difference symmetric_difference issubset most_common elements total "
        "group groups groupdict match search fullmatch findall finditer sub compile span start end pattern now today utcnow strftime "
        "strptime isoformat timestamp fromtimestamp date datetime time timedelta total_seconds days seconds year month day hour minute "
        "loads load dumps indent key ensure_ascii sort_keys default __version__ __name__ __file__ __doc__ __path__ __main__ version "
        "version_info executable platform maxsize path argv stdin stdout stderr byteorder prefix implementation major minor micro "
        "getcwd listdir exists isfile isdir basename dirname abspath realpath getsize splitext join expanduser normpath relpath getmtime "
        "sep cpu_count walk scandir glob rglob iterdir is_file is_dir name suffix stem parent parents parts read_text read_bytes stat "
        "st_size st_mtime resolve with_suffix cwd sqrt floor ceil log log2 log10 exp pi e sin cos tan atan atan2 gcd factorial isnan inf "
        "nan hypot degrees radians prod comb perm counter Counter defaultdict OrderedDict namedtuple deque chain product permutations "
        "combinations islice accumulate groupby starmap repeat cycle count reduce partial lru_cache wraps randint random choice choices "
        "shuffle sample uniform seed uuid4 uuid1 hexdigest digest md5 sha1 sha256 sha512 blake2b new b64encode b64decode urlsafe_b64encode "
        "urlsafe_b64decode token_hex token_urlsafe token_bytes choice mean median stdev mode fmean Decimal Fraction quantize parse "
        "fromstring getroot text tag attrib iter findtext dump safe_load safe_dump reader writer DictReader DictWriter writerow "
        "fieldnames delimiter urlparse urlencode quote unquote parse_qs netloc scheme hostname port query fragment pprint dedent wrap "
        "fill shorten signature getsource getmembers getdoc perf_counter monotonic sleep process_time ctime gmtime localtime find_spec "
        "python_version system machine node release processor architecture python_implementation uname which version_tuple metadata "
        "get_distribution distributions requires flush write writelines close sys os json re math cmath datetime collections itertools functools random string "
        "statistics decimal fractions uuid hashlib base64 textwrap pprint csv io time calendar platform typing enum dataclasses secrets "
        "locale unicodedata difflib bisect heapq operator copy struct array numbers pathlib Path urllib yaml toml tomllib inspect "
        "importlib metadata util shutil html xml etree ElementTree ET configparser zlib binascii codecs contextlib abc warnings "
        "numpy np pandas pd array arange zeros ones linspace reshape shape dtype head tail describe info columns dtypes iloc loc mean sum "
        "read_csv read_json torch cuda is_available device_count get_device_name DataFrame tolist to_string TextIOWrapper utf encoding errors f r b ast".split()
    ),
    modules=frozenset(
        "sys json re math cmath datetime collections itertools functools random string statistics decimal fractions uuid hashlib "
        "base64 textwrap pprint csv time calendar platform typing enum dataclasses secrets locale unicodedata difflib bisect heapq "
        "operator copy struct array numbers html xml etree configparser zlib binascii abc yaml toml tomllib os pathlib urllib io inspect "
        "numpy pandas torch ast importlib codecs contextlib warnings shutil".split()
    ),
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
    words=frozenset(
        "const let var function return if else for of in while do break continue switch case default new typeof instanceof void null "
        "undefined true false try catch finally throw async await class extends this console log error warn info table dir JSON stringify "
        "parse Math floor ceil round random abs max min sqrt pow PI E trunc sign log2 log10 Object keys values entries assign freeze "
        "fromEntries Array isArray from of push pop shift unshift slice splice concat map filter reduce forEach find findIndex some every "
        "includes indexOf lastIndexOf join reverse sort flat flatMap fill length String Number Boolean parseInt parseFloat toString "
        "toFixed toUpperCase toLowerCase trim trimStart trimEnd split replace replaceAll substring substr charAt charCodeAt fromCharCode "
        "padStart padEnd repeat startsWith endsWith match matchAll test Date now toISOString getTime getFullYear Set Map has get set add "
        "size Promise resolve all then BigInt Symbol RegExp isNaN isFinite NaN Infinity process version versions platform arch argv cwd "
        "memoryUsage uptime exit hrtime pid node v8 release require fs path os util url crypto readFileSync existsSync statSync readdirSync "
        "utf8 basename dirname extname normalize cpus totalmem freemem hostname type inspect URL URLSearchParams hostname pathname "
        "search hash origin createHash update digest randomUUID randomBytes hex base64 Buffer byteLength structuredClone encodeURIComponent "
        "decodeURIComponent scripts dependencies devDependencies name main performance assert equal strictEqual deepEqual Intl localeCompare "
        "toLocaleString import".split()
    ),
    modules=frozenset(
        "fs path os util url crypto assert buffer querystring node:fs node:path node:os node:util node:url node:crypto node:assert".split()
    ),
    forbidden=re.compile(
        r"\]\s*\(|\bprocess\s*\.\s*(?:env|kill|binding|dlopen|mainModule|chdir|set\w+)|\bimport\s*\(|\bconstructor\b|__proto__|\bglobalThis\b"
    ),
)
PERL = Language(
    strings=re.compile(
        r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\@])*\"|(?<![$@%&\w])(?:s|tr|y)([/|#!,])(?:\\.|(?!\1).)*\1(?:\\.|(?!\1).)*\1[gimsxr]*(?!\w)|(?:(?<=if )|(?<=unless )|(?<=and )|(?<=or )|(?<=not )|(?<=[~(])|(?<=~ )|^)m?/(?:\\.|[^/\\])*/[gimsx]*(?!\w)|(?<![$@%&\w])s\{[^{}]*\}\{[^{}]*\}[gimsxr]*(?!\w)"
    ),
    comments=re.compile(r"(?<!\$)#[^\n]*"),
    words=frozenset(
        "print printf say if unless else elsif for foreach while until my our local and or not eq ne lt gt le ge x length substr index uc lc "
        "ucfirst lcfirst join split push pop shift unshift reverse sort keys values exists defined scalar map grep sprintf next last "
        "chomp chop undef return F BEGIN END eof abs int sqrt time localtime gmtime strict warnings use q ARGV STDIN STDOUT v version "
        "List Util sum max min POSIX floor ceil strftime Data Dumper JSON PP decode_json encode_json".split()
    ),
    forbidden=re.compile(
        r"`|\bqx\b|\bopen\b|<[A-Za-z$*./]|\bsystem\b|\bexec\b|\beval\b|\$\^\w|@\{\s*\[|\(\?\??\{"
    ),
)
RUBY = Language(
    strings=re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\#])*\"|(?<=[(,~])/(?:\\.|[^/\\\n])+/[imx]*"),
    comments=re.compile(r"(?m)(?:^|\s)#[^\n]*"),
    words=frozenset(
        "puts print p pp if unless else elsif end for while until do each map select reject reduce inject sum min max sort sort_by uniq "
        "first last length size count join split gsub sub upcase downcase capitalize strip chomp chars lines to_s to_i to_f to_a to_h to_sym "
        "nil true false and or not then times upto step reverse include any all none empty keys values key value merge dig fetch zip "
        "flatten compact group_by partition tally each_with_index with_index require json time date yaml set RUBY_VERSION RUBY_PLATFORM "
        "Time now strftime Date today JSON parse generate pretty_generate Math sqrt PI rand round floor ceil abs File read exist "
        "readlines basename dirname extname join Dir pwd glob STDIN gets new Set Array Hash String Integer Float Struct lambda proc "
        "format sprintf match scan start_with end_with freeze inspect VERSION x y i n s a b k v e".split()
    ),
    forbidden=re.compile(r"`|%x|\beval\b|#\{|\bsend\b"),
)
PHP = Language(
    strings=PYTHON.strings,
    comments=re.compile(r"//[^\n]*|#[^\n]*|/\*[\s\S]*?\*/"),
    words=frozenset(
        "echo print print_r var_dump phpversion PHP_VERSION PHP_OS PHP_EOL if else foreach for while as return true false null array count "
        "strlen strtoupper strtolower ucfirst trim explode implode str_replace substr strpos in_array array_map array_filter array_keys "
        "array_values array_merge json_encode json_decode JSON_PRETTY_PRINT date time microtime round floor ceil abs max min rand "
        "mt_rand random_int sprintf printf number_format intval floatval is_array is_string isset empty md5 sha1 hash base64_encode "
        "extension_loaded ini_get php_ini_loaded_file memory_get_usage function new DateTime format".split()
    ),
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
_IMPORT = re.compile(r"\b(?:import\s+\w+(?:\s*,\s*\w+)*(?!\s*(?:,|as\b|\w))|from\s+[\w.]+\s+import\b)")
_BARE_MODULE = re.compile(r"\b(?:os|shutil|importlib|urllib|pathlib|sys|io|inspect|codecs)\b(?!\s*\.)")
_READS = re.compile(
    r"\b(?:readFileSync|read_text|File\.read|readlines|file_get_contents|Path)\s*\(\s*(['\"])(?P<path>[^'\"{}]*)\1"
)


@dataclass(slots=True)
class Inline:
    """What a piece of code does: paths it reads and writes, commands it hands to a shell, why it is not known."""

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
        or not code.isprintable()
        and not set(code) - set("\n\t\r") <= set(filter(str.isprintable, code))
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
    if name == "python" and (match := _BARE_MODULE.search(_IMPORT.sub(" ", bare))):
        found.unknown = f"the code hands {match[0]} on"
    elif match := language.forbidden.search(bare):
        found.unknown = f"the code uses {match[0].strip()[:40]}"
    elif "\\" in bare or name != "perl" and bare.count("'") % 2:
        found.unknown = "the code is not understood"
    else:
        found.unknown = found.unknown or _unknown_word(name, language, bare, rest)
    return found


def _opened(match: re.Match[str], found: Inline) -> str:
    mode = match["mode"] or "r"
    if match["path"] is None or match.string[: match.start()].rstrip().endswith("."):
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
