"""A context made over the API stands in the mount of a real bridge, for ordinary tools, till removed."""

import subprocess
import time
from pathlib import Path

import pytest

from lighthouse.client import Client

pytestmark = pytest.mark.skipif(not Path("/dev/fuse").exists(), reason="this machine has no /dev/fuse")


def run(*command: str | Path) -> str:
    """What the program prints; its working folder is not in the mount."""
    ran = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=True, timeout=20)
    return ran.stdout


async def test_ordinary_tools_see_what_was_put_together(own_bridge, tmp_path, wait_for) -> None:
    own_bridge.mount = tmp_path / "mount"
    own_bridge.mount.mkdir()
    (own_bridge.project / "src").mkdir()
    (own_bridge.project / "src" / "main.py").write_text("print('first')\n")
    (own_bridge.project / "src" / "main.py").chmod(0o755)
    (own_bridge.project / "link").symlink_to("src/main.py")
    own_bridge.start()
    folder = own_bridge.mount / "context"
    plain = tmp_path / "plain"
    run("cp", "-a", own_bridge.project, plain)
    async with Client(own_bridge.url, own_bridge.token()) as bridge:
        assert run("ls", folder) == ""
        begun = time.time()
        await bridge.create_context("review", ["."], notes={"Why": "to see"}, purpose="a look")
        assert run("ls", folder) == "review\n"
        (own_bridge.project / "src" / "main.py").write_text("print('second')\n")
        await bridge.update_shadow()
        assert run("ls", folder / "review") == "files\nmanifest.json\nnotes\n"
        assert run("diff", "-r", "--no-dereference", folder / "review" / "files", plain) == ""
        assert run("cat", folder / "review/notes/01-Why.md") == "# Why\n\nto see\n"
        assert '"purpose": "a look"' in run("cat", folder / "review/manifest.json")
        assert "review/files/src/main.py:1:print('first')" in run("grep", "-rn", "first", folder)
        modes = run("stat", "-c", "%a", folder / "review/files/src/main.py")
        assert modes == "550\n"
        made = int(run("stat", "-c", "%Y", folder / "review"))
        assert abs(made - begun) < 60
        await bridge.remove_context("review")
        await wait_for(lambda: run("ls", folder) == "")
        await bridge.create_context("review", ["src"], purpose="another look")
        assert run("ls", folder / "review" / "files") == "src\n"
        assert run("cat", folder / "review/files/src/main.py") == "print('second')\n"
