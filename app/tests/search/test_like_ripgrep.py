"""A search finds what ripgrep, or else grep, finds in a plain copy of the project."""

import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from lighthouse.paths import to_bytes
from lighthouse.search import Found, Query, Search

RG = shutil.which("rg")
needs_rg = pytest.mark.skipif(RG is None, reason="ripgrep is not installed")

FILES: dict[bytes, bytes] = {
    b"README.md": b"# Harbour\n\nThe light is on.\nLIGHT houses and lighthouses\nno line break, light",
    b"src/main.py": b"def light():\n    return 1\n\n\ndef lighter():\n    return light() + light()\n",
    b"src/deep/er/lamp.c": b"int light;\r\nint LIGHT_MAX = 3;\r\n",
    b"src/deep/lamp.h": b"/* light */\n" * 5 + b"#define X 1\n" * 20 + b"/* light */\n",
    b"tests/test_main.py": b"from main import light\nassert light() == 1\n",
    b".hidden/config.yml": b"light: on\n",
    b"empty.txt": b"",
    b"blank.txt": b"\n\n\n",
    b"one.txt": b"light",
    b"binary.dat": b"light\n\0light\n",
    b"latin.txt": b"light caf\xe9 light\ncaf\xe9\n",
    "grüße.txt".encode(): "Grüße, light\nÄRGER\närger\n".encode(),
    b"bom.txt": b"\xef\xbb\xbflight at the start\n",
    b"strange\xff.txt": b"light in a strange name\n",
    b"columns.txt": b"x" * 3000 + b"light" + b"y" * 3000 + b"\n",
    b"many.log": b"".join(b"line %d light\n" % number for number in range(9000)),
    b"a b/c d.txt": b"light with spaces\n",
    b"zz/Makefile": b"light: all\n\techo light\n",
}


@pytest.fixture
def project(project: Path) -> Path:
    for name, content in FILES.items():
        path = project / os.fsdecode(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (project / "link.txt").symlink_to("one.txt")
    return project


def ours(found: Found) -> list[bytes]:
    """As ripgrep prints it without headings."""
    printed = []
    for file in found.files:
        for line in file.lines:
            mark = b":" if line.match else b"-"
            printed.append(to_bytes(file.path) + mark + b"%d" % line.number + mark + line.text)
    return printed


def theirs(project: Path, *arguments: str) -> list[bytes]:
    assert RG
    plain = ["--no-config", "--hidden", "--no-ignore", "--no-heading", "--no-messages", "--color=never"]
    ran = subprocess.run(
        [RG, *plain, "--sort=path", "-n", *arguments],
        cwd=project,
        capture_output=True,
        check=False,
        timeout=30,
    )
    # 2 with no word is "no file was searched".
    assert ran.returncode in (0, 1) or not ran.stderr, ran.stderr
    lines = ran.stdout.removesuffix(b"\n").split(b"\n") if ran.stdout else []
    return [line for line in lines if line != b"--"]


CASES: list[tuple[dict[str, Any], list[str]]] = [
    ({"pattern": "light"}, ["light"]),
    ({"pattern": "light", "ignore_case": True}, ["-i", "light"]),
    ({"pattern": "light", "smart_case": True}, ["-S", "light"]),
    ({"pattern": "LIGHT", "smart_case": True}, ["-S", "LIGHT"]),
    ({"pattern": r"\Wlight", "smart_case": True}, ["-S", r"\Wlight"]),
    ({"pattern": "light", "word": True}, ["-w", "light"]),
    ({"pattern": "light|lighthouses", "word": True}, ["-w", "light|lighthouses"]),
    ({"pattern": "caf", "word": True}, ["-w", "caf"]),
    ({"pattern": "Gr", "word": True}, ["-w", "Gr"]),
    ({"pattern": "light()", "fixed": True}, ["-F", "light()"]),
    ({"pattern": "light() ", "fixed": True, "word": True}, ["-F", "-w", "light() "]),
    ({"pattern": "/* LIGHT */", "fixed": True, "ignore_case": True}, ["-F", "-i", "/* LIGHT */"]),
    ({"pattern": "^light"}, ["^light"]),
    ({"pattern": "light$"}, ["light$"]),
    ({"pattern": "^$"}, ["^$"]),
    ({"pattern": "^", "path": "src"}, ["^", "src"]),
    ({"pattern": "x*", "path": "src"}, ["x*", "src"]),
    ({"pattern": "return|def "}, ["return|def "]),
    ({"pattern": "l(i)(g)ht.*$"}, ["l(i)(g)ht.*$"]),
    ({"pattern": "[^a]light"}, ["[^a]light"]),
    ({"pattern": "caf.$"}, ["caf.$"]),
    ({"pattern": "ärger", "ignore_case": True}, ["-i", "ärger"]),
    ({"pattern": "ß"}, ["ß"]),
    ({"pattern": "light\\s"}, ["light\\s"]),
    ({"pattern": "(?i)LIGHT:"}, ["(?i)LIGHT:"]),
    ({"pattern": "[0-9]{3} light"}, ["[0-9]{3} light"]),
    ({"pattern": "light", "globs": ("*.py",)}, ["-g", "*.py", "light"]),
    ({"pattern": "light", "globs": ("*.{py,c,h}",)}, ["-g", "*.{py,c,h}", "light"]),
    ({"pattern": "light", "globs": ("!*.py",)}, ["-g", "!*.py", "light"]),
    ({"pattern": "light", "globs": ("src/**",)}, ["-g", "src/**", "light"]),
    ({"pattern": "light", "globs": ("!src/**",)}, ["-g", "!src/**", "light"]),
    ({"pattern": "light", "globs": ("!src",)}, ["-g", "!src", "light"]),
    ({"pattern": "light", "globs": ("!deep/",)}, ["-g", "!deep/", "light"]),
    ({"pattern": "light", "globs": ("**/deep/**",)}, ["-g", "**/deep/**", "light"]),
    ({"pattern": "light", "globs": ("/*.md",)}, ["-g", "/*.md", "light"]),
    ({"pattern": "light", "globs": ("*.py", "!test_*")}, ["-g", "*.py", "-g", "!test_*", "light"]),
    ({"pattern": "light", "globs": ("!test_*", "*.py")}, ["-g", "!test_*", "-g", "*.py", "light"]),
    ({"pattern": "light", "globs": ("src",)}, ["-g", "src", "light"]),
    ({"pattern": "light", "globs": ("lamp.[ch]",)}, ["-g", "lamp.[ch]", "light"]),
    ({"pattern": "light", "path": "one.txt", "globs": ("*.py",)}, ["-H", "light", "one.txt", "-g", "*.py"]),
    ({"pattern": "light", "types": ("py",)}, ["-t", "py", "light"]),
    ({"pattern": "light", "types": ("c", "markdown")}, ["-t", "c", "-t", "markdown", "light"]),
    ({"pattern": "light", "types": ("make", "yaml")}, ["-t", "make", "-t", "yaml", "light"]),
    ({"pattern": "light", "path": "src/deep"}, ["light", "src/deep"]),
    ({"pattern": "LIGHT", "before": 1}, ["-B1", "LIGHT"]),
    ({"pattern": "def", "after": 2}, ["-A2", "def"]),
    ({"pattern": "light", "before": 1, "after": 1}, ["-C1", "light"]),
    ({"pattern": "return", "before": 3, "after": 9}, ["-B3", "-A9", "return"]),
    ({"pattern": "line [0-9]*0 ", "before": 2, "after": 2}, ["-C2", "line [0-9]*0 "]),
    ({"pattern": "light", "max_per_file": 2, "before": 1}, ["-m2", "-B1", "light"]),
]


@needs_rg
@pytest.mark.parametrize(("asked", "arguments"), CASES, ids=[" ".join(case[1]) for case in CASES])
async def test_lines(project: Path, search: Search, asked: dict[str, Any], arguments: list[str]) -> None:
    found = await search.find(Query(max_matches=100_000, max_bytes=10**8, max_columns=10**4, **asked))
    assert ours(found) == theirs(project, *arguments)
    assert found.cursor is None


@needs_rg
@pytest.mark.parametrize("pattern", ["light", "^$", "nowhere", "[aeiou]"])
async def test_files_and_counts(project: Path, search: Search, pattern: str) -> None:
    found = await search.find(Query(pattern=pattern, mode="files"))
    assert [to_bytes(file.path) for file in found.files] == theirs(project, "-l", pattern)
    found = await search.find(Query(pattern=pattern, mode="count"))
    counted = [b"%b:%d" % (to_bytes(file.path), file.count) for file in found.files]
    assert counted == theirs(project, "-c", pattern)


@pytest.mark.parametrize("pattern", ["light", "^def", "light$", "return.*light"])
async def test_lines_of_grep(project: Path, search: Search, pattern: str) -> None:
    ran = subprocess.run(
        ["grep", "-rnI", "-e", pattern, *sorted(path.name for path in project.iterdir())],
        cwd=project,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
        capture_output=True,
        check=False,
        timeout=30,
    )
    # grep judges a file by its encoding too, knows no byte order mark, and opens a link that it is given.
    others = (b"latin.txt", b"bom.txt", b"link.txt", b"strange")
    printed = ran.stdout.removesuffix(b"\n").split(b"\n")
    found = ours(
        await search.find(Query(max_matches=100_000, max_bytes=10**8, max_columns=10**4, pattern=pattern))
    )
    assert sorted(one for one in found if not one.startswith(others)) == sorted(
        one for one in printed if not one.startswith(others)
    )
