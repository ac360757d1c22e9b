#!/usr/bin/python3
"""Has the `lighthouse` command on the host, taken out of the image the bridge runs: the two are never of two versions.

Root runs this command too, so it never comes from the service user's podman, where a bridge that broke out could
have changed it: it comes from the archive, checked against the digest, or is pulled anew by root.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: lighthouse_command
short_description: The lighthouse command, from the bridge's image
description:
  - With neither archive nor reference only tells whether the command of that digest is installed.
options:
  digest: {description: The digest of the image's manifest., type: str, required: true}
  archive: {description: The OCI archive on this host., type: path}
  reference: {description: A reference with that digest to pull it by., type: str}
  library: {description: Where the Python packages go; one folder for each digest., type: path, required: true}
  command: {description: The program to write., type: path, required: true}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Install the lighthouse command
  lighthouse_command:
    digest: sha256:0f3c…
    archive: /var/tmp/lighthouse.oci.tar
    library: /usr/local/lib/lighthouse
    command: /usr/local/bin/lighthouse
"""

RETURN = r"""
present: {description: Whether the command of this digest is installed now., type: bool, returned: always}
library: {description: The folder in use., type: str, returned: always}
"""

IN_IMAGE = "opt/lighthouse/lib"
# An adapter that still runs loads modules from the version it began with.
KEPT_VERSIONS = 2
PROGRAM = """#!/usr/bin/python3 -IS
\"\"\"The lighthouse command, as installed with the bridge's image.\"\"\"
import sys

sys.path.insert(0, {library!r})
if sys.argv[1:2] == ["hook"] and "--help" not in sys.argv:
    # It is started for every call of a tool, and brings all it needs.
    from lighthouse.hook import main
else:
    from lighthouse.cli.main import main

sys.exit(main())
"""


class Altered(Exception):
    """A part of the archive is not what its digest says."""


def blob(archive, digest, work):
    """The blob of this digest as a file, its content checked."""
    path = Path(work, digest.removeprefix("sha256:"))
    with archive.extractfile(f"blobs/sha256/{path.name}") as source, path.open("wb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found != path.name:
        raise Altered(f"the archive's part {digest} has the content of sha256:{found}")
    return path


def packages_of(archive_path, digest, work):
    """Unpack the image's packages below `work`, every step from the manifest down checked by its digest."""
    with tarfile.open(archive_path) as archive:
        manifest = json.loads(blob(archive, digest, work).read_text())
        for layer in manifest["layers"]:
            with tarfile.open(blob(archive, layer["digest"], work)) as tar:
                tar.extractall(work, members=(m for m in tar if m.name.startswith(f"{IN_IMAGE}/")), filter=plain)
    return Path(work, IN_IMAGE)


def packages_pulled(reference, work):
    """The same from a registry, through a storage of root's that is gone afterwards."""
    podman = ["podman", "--root", f"{work}/storage", "--runroot", f"{work}/run", "--storage-driver", "vfs"]

    def run(*command, **options):
        return subprocess.run([*podman, *command], check=True, capture_output=True, **options).stdout.decode().strip()

    run("pull", "--quiet", reference)
    made = run("create", reference)
    run("cp", f"{made}:/{IN_IMAGE}", f"{work}/packages.tar.d")
    run("rm", made)
    with tempfile.TemporaryFile(dir=work) as spool:
        with tarfile.open(fileobj=spool, mode="w") as tar:
            tar.add(f"{work}/packages.tar.d", IN_IMAGE)
        spool.seek(0)
        with tarfile.open(fileobj=spool) as tar:
            tar.extractall(work, filter=plain)
    return Path(work, IN_IMAGE)


def plain(member, path):
    """Ordinary files and folders only, owned by root, no set-id bits."""
    member = tarfile.data_filter(member, path)
    return member.replace(uid=0, gid=0, uname="root", gname="root", mode=0o755 if member.isdir() else 0o644)


def write_program(path, text):
    """Replace the program at once; a reader finds the old one or the new one."""
    descriptor, name = tempfile.mkstemp(dir=path.parent)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
        os.fchmod(file.fileno(), 0o755)
    Path(name).rename(path)


def outdated(library, target):
    """The versions beyond those that are kept, oldest first."""
    others = sorted(
        (path for path in library.glob("[0-9a-f]*") if path != target), key=lambda path: path.stat().st_mtime
    )
    return others[: max(0, len(others) - (KEPT_VERSIONS - 1))]


def install(parameters, target, program):
    """All or nothing: the packages are in place before the program names them."""
    target.parent.mkdir(parents=True, exist_ok=True)
    if not target.exists():
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".new-") as work:
            if parameters["archive"]:
                packages = packages_of(parameters["archive"], parameters["digest"], work)
            else:
                packages = packages_pulled(parameters["reference"], work)
            packages.chmod(0o755)
            packages.rename(target)
    write_program(Path(parameters["command"]), program)
    for path in outdated(target.parent, target):
        shutil.rmtree(path)


def main():
    module = AnsibleModule(
        argument_spec={
            "digest": {"type": "str", "required": True},
            "archive": {"type": "path"},
            "reference": {"type": "str"},
            "library": {"type": "path", "required": True},
            "command": {"type": "path", "required": True},
        },
        mutually_exclusive=[("archive", "reference")],
        supports_check_mode=True,
    )
    given = module.params
    if not re.fullmatch(r"sha256:[0-9a-f]{64}", given["digest"]):
        module.fail_json(msg=f"{given['digest']} is no digest: write sha256: and 64 hexadecimal digits")
    target = Path(given["library"], given["digest"].removeprefix("sha256:")[:16])
    command, program = Path(given["command"]), PROGRAM.format(library=str(target))
    present = target.exists() and command.exists() and command.read_text() == program
    wanted = bool(given["archive"] or given["reference"])
    if wanted and not present and not module.check_mode:
        try:
            install(given, target, program)
        except (Altered, KeyError, OSError, ValueError, tarfile.TarError, subprocess.CalledProcessError) as error:
            module.fail_json(msg=f"the command was not installed, nothing was changed: {error}")
    module.exit_json(
        changed=wanted and not present, present=present or (wanted and not module.check_mode), library=str(target)
    )


if __name__ == "__main__":
    main()
