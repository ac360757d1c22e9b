"""Every file that bash makes or removes stands among the facts, wherever the script had gone before.

The scripts change folders, loop, fail and redirect, and end where they would leave the test's own folder.
"""

import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lighthouse.policy.facts import facts
from lighthouse.policy.places import Roots

BASH = shutil.which("bash")
pytestmark = pytest.mark.skipif(BASH is None, reason="there is no bash to compare with")

STAY = 'cd() {{ builtin cd "$@" && case "$PWD" in "{top}/1/"*) ;; *) exit 99 ;; esac; }}\n'
FOLDER = st.sampled_from(
    ["a", "a/c", "b", "..", "nosuch", "$d", '"$d"', "./a", "../project", "-", '"$OLDPWD"']
)
FILE = st.sampled_from(
    [
        "f",
        "g",
        "./h",
        "a/i",
        "../j",
        "$n",
        '"${n}k"',
        "$n.txt",
        "l{1,2}",
        "${n:-w}",
        "${n%o}x",
        "$1",
        "$(echo y)",
        "${e[1]}",
        "$PWD/z",
    ]
)
GOING = st.builds(
    lambda go, folder: f"{go} {folder} >/dev/null 2>&1",
    st.sampled_from(["cd", "cd", "cd --"]),
    FOLDER,
)
WRITING = st.one_of(
    st.builds(lambda file: f"echo x > {file}", FILE.filter(lambda file: "{" not in file)),
    st.builds(lambda file: f"echo x >> {file}", FILE.filter(lambda file: "{" not in file)),
    st.builds(lambda file: f"touch {file} 2>/dev/null", FILE),
    st.builds(lambda file: f"echo y | tee {file} >/dev/null 2>&1", FILE),
    st.builds(lambda file: f"cp seed {file} 2>/dev/null", FILE.filter(lambda file: "{" not in file)),
    st.builds(lambda file: f"rm -f {file}", FILE),
    st.builds(lambda file: f"cat <<E > {file}\nz\nE\n", FILE.filter(lambda file: "{" not in file)),
    st.builds(lambda file: f"printf '%s\\n' {file} | xargs touch 2>/dev/null", FILE),
)
SETTING = st.sampled_from(
    [
        *("d=a", "d=..", "n=m", "n=o", "d=$n", "n=$(echo p)", "n+=q", "declare n=r", "export n=s", "unset n"),
        *(
            "read -r n <<< t",
            "for n in u v; do :; done",
            "printf -v n aa",
            "set -- bb cc",
            "shift",
            "e=(dd ee)",
        ),
        *("eval 'n=ff'", "n=gg true", "let n=1", ": ${n:=hh}", "IFS=- read -r n d <<< ii-a", "cd $d && n=jj"),
    ]
)
SIMPLE = st.one_of(GOING, WRITING, WRITING, SETTING)


def _around(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    one = [
        lambda x: f"( {x}\n)",
        lambda x: f"{{ {x}\n}}",
        lambda x: f"for n in s t; do {x}\ndone",
        lambda x: f"for i in $(echo 1 2); do {x}\ndone",
        lambda x: f"i=0; while [ $i -lt 2 ]; do i=$((i + 1)); {x}\ndone",
        lambda x: f"for ((i = 0; i < 2; i++)); do {x}\ndone",
        lambda x: f"fn() {{ {x}\n}}; fn u",
        lambda x: f"if true; then {x}\nfi",
        lambda x: f"! {{ {x}\n}}",
        lambda x: f"{{ {x}\n}} > /dev/null",
    ]
    two = [
        lambda x, y: f"{x}\n{y}",
        lambda x, y: f"{{ {x}\n}} && {y}",
        lambda x, y: f"{{ {x}\n}} || {y}",
        lambda x, y: f"{{ {x}\n}} | {{ {y}\n}}",
        lambda x, y: f"if {x}\nthen {y}\nelse {x}\nfi",
    ]
    listed = [
        lambda x, y: f"{x} && {y}",
        lambda x, y: f"{x} || {y}",
        lambda x, y: f"{x} && {y} && echo done > v",
    ]
    return st.one_of(
        st.builds(lambda make, x: make(x), st.sampled_from(one), inner),
        st.builds(lambda make, x, y: make(x, y), st.sampled_from(two), inner, inner),
        st.builds(lambda make, x, y: make(x, y), st.sampled_from(listed), GOING, WRITING),
    )


SCRIPTS = st.recursive(SIMPLE, _around, max_leaves=6)


def tree(top: Path) -> dict[str, tuple[int, int]]:
    found = {}
    for path in sorted(top.rglob("*")):
        if path.is_file():
            state = path.stat()
            found[str(path)] = (state.st_mtime_ns, state.st_size)
    return found


COUNT = 120


def changed(script: str, project: Path, top: Path) -> set[str]:
    for folder in ("a/c", "b"):
        (project / folder).mkdir(parents=True, exist_ok=True)
    (project / "seed").write_text("seed")
    before = tree(top)
    subprocess.run(
        [BASH or "bash", "-c", STAY.format(top=top) + script],
        cwd=project,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=20,
        check=False,
    )
    after = tree(top)
    return {path for path in before.keys() | after.keys() if before.get(path) != after.get(path)}


@settings(max_examples=COUNT, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(script=SCRIPTS)
def test_what_bash_changes_is_among_the_facts(script, tmp_path) -> None:
    project = tmp_path / "1/2/3/4/5/6/project"
    shutil.rmtree(tmp_path / "1", ignore_errors=True)
    made = changed(script, project, tmp_path)
    found = facts("Bash", {"command": script}, str(project), Roots((str(project),)))
    if found.uncertain:
        return
    told = {act.target for act in found.acts if act.action in ("write", "delete")}
    if any("…" in path for path in told):
        return
    # A folder that is written to has the file under its old name.
    missing = {path for path in made if path not in told and str(Path(path).parent) not in told}
    assert not missing, (script, missing, told)
