#!/usr/bin/python3
"""Has the `lighthouse` command on the host, taken out of the image the bridge runs: the two are never of two versions."""

import os
import shutil
import tarfile
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lighthouse_podman import NotThereYet, connect

DOCUMENTATION = r"""
module: lighthouse_command
short_description: The lighthouse command, from the bridge's image
options:
  user: {description: Whose podman holds the image., type: str, required: true}
  image: {description: The image's name or reference., type: str, required: true}
  library: {description: Where the Python packages go; one folder for each image id., type: path, required: true}
  command: {description: The program to write., type: path, required: true}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Install the lighthouse command
  lighthouse_command:
    user: lighthouse
    image: localhost/lighthouse:0f3c
    library: /usr/local/lib/lighthouse
    command: /usr/local/bin/lighthouse
"""

RETURN = r"""
library: {description: The folder in use., type: str, returned: always}
"""

IN_IMAGE = "/opt/lighthouse/lib"
# As the bridge's own container: another mapping would cost a copy of the image.
USERNS = "keep-id:uid=65532,gid=65532"
PROGRAM = """#!/usr/bin/python3 -I
\"\"\"The lighthouse command, as installed with the bridge's image.\"\"\"
import sys

sys.path.insert(0, {library!r})
from lighthouse.cli.main import main

sys.exit(main())
"""


def extract(client, image, target):
    """Unpack the image's packages as root's, readable by everybody, all or nothing."""
    container = client.containers.create(image, userns_mode=USERNS)
    try:
        chunks, _ = container.get_archive(IN_IMAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=target.parent) as work:
            with tempfile.TemporaryFile(dir=work) as spool:
                for chunk in chunks:
                    spool.write(chunk)
                spool.seek(0)
                with tarfile.open(fileobj=spool) as archive:
                    archive.extractall(work, filter=plain)
            (Path(work) / Path(IN_IMAGE).name).rename(target)
    finally:
        container.remove(force=True)


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


def main():
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "image": {"type": "str", "required": True},
            "library": {"type": "path", "required": True},
            "command": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    library, command = Path(module.params["library"]), Path(module.params["command"])
    try:
        client = connect(module.params["user"])
    except NotThereYet as reason:
        if module.check_mode:
            module.exit_json(changed=True, library=str(library))
        module.fail_json(msg=str(reason))
    with client:
        if not client.images.exists(module.params["image"]):
            if module.check_mode:
                module.exit_json(changed=True, library=str(library))
            module.fail_json(msg=f"{module.params['user']} has no image {module.params['image']}: run the image role")
        target = library / client.images.get(module.params["image"]).id.removeprefix("sha256:")[:16]
        program = PROGRAM.format(library=str(target))
        others = [path for path in library.glob("*") if path != target] if library.exists() else []
        changed = not target.exists() or not command.exists() or command.read_text() != program or bool(others)
        if changed and not module.check_mode:
            if not target.exists():
                extract(client, module.params["image"], target)
            write_program(command, program)
            for path in others:
                shutil.rmtree(path)
    module.exit_json(changed=changed, library=str(target))


if __name__ == "__main__":
    main()
