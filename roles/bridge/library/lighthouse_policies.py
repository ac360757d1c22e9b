#!/usr/bin/python3
"""Puts the shipped policies, and those of the inventory, into the folder the bridge follows; what a person did there is
kept, and nothing is put in force that the bridge would not take.
"""

import hashlib
import json
import os
import pwd
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: lighthouse_policies
short_description: The folder of policies
description:
  - Files that a person put beside those installed stay as they are.
  - An installed file that a person changed stays as long as the one to install is the same. When that changes too, it
    is put in force, and the person's is kept beside it as NAME.edited-DIGEST.
  - An installed file that a person removed stays away.
  - The folder as it would be is checked first, read as the service user; when it is not good, nothing is changed.
options:
  folder: {description: The folder the bridge follows., type: path, required: true}
  shipped: {description: The folder of the shipped policies on this host., type: path, required: true}
  files:
    description: Name and text of more; one that has a shipped one's name replaces it.
    type: list
    elements: list
    default: []
  command: {description: The lighthouse command that checks them., type: path, required: true}
  user: {description: Whom the bridge runs as., type: str, required: true}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Install the policies
  lighthouse_policies:
    folder: /etc/lighthouse/policies
    shipped: /usr/local/lib/lighthouse/0f3c…/lighthouse/policy/default
    command: /usr/local/bin/lighthouse
    user: lighthouse
"""

RETURN = r"""
told: {description: What a person changed there and what became of it., type: list, elements: str, returned: always}
"""

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*\.cedar")
# What was installed, by digest: without it an edit could not be told from an older version.
RECORD = ".installed"


class Refused(Exception):
    """Why nothing was changed."""


def digest(content):
    return hashlib.sha256(content).hexdigest()


def wanted_files(shipped, files):
    """What to install: name and content."""
    wanted = {path.name: path.read_bytes() for path in sorted(Path(shipped).glob("*.cedar"))}
    if not wanted:
        raise Refused(f"{shipped} holds no policy")
    names = [name for name, _ in files]
    for name in names:
        if not NAME.fullmatch(name) or names.count(name) > 1:
            raise Refused(f"{name!r} cannot be a policy's file: name each NAME.cedar, and once")
    return wanted | {name: text.encode() for name, text in files}


def policies_in(folder):
    return {path.name: path.read_bytes() for path in folder.glob("*.cedar")} if folder.is_dir() else {}


class Plan:
    """What is to be done in the folder: `write`, `remove`, `aside` (name and new name), `record`; `told` to people."""

    def __init__(self, wanted, there, recorded):
        self.write, self.remove, self.aside, self.record, self.told = {}, [], {}, {}, []
        for name in sorted(wanted.keys() | recorded.keys()):
            new, now, last = wanted.get(name), there.get(name), recorded.get(name)
            if new is not None:
                self.record[name] = digest(new)
            if now == new:
                continue
            if now is None:
                self._absent(name, new, last)
            elif digest(now) == last:
                self._replace(name, new)
            elif new is not None and digest(new) == last:
                self.told.append(f"{name} was edited and stays so")
            else:
                self.aside[name] = f"{name}.edited-{digest(now)[:8]}"
                became = "is no longer shipped" if new is None else "comes in a new version, which is in force now"
                self.told.append(f"{name} was edited and {became}: the edited one is kept as {self.aside[name]}")
                self._replace(name, new)

    def _absent(self, name, new, last):
        if last is None:
            self.write[name] = new
        else:
            self.told.append(f"{name} was removed and stays away")

    def _replace(self, name, new):
        if new is None:
            self.remove.append(name)
        else:
            self.write[name] = new

    def untouched(self, there):
        """The names of those files of `there` that stay as they are."""
        return there.keys() - self.write.keys() - set(self.remove)


def check(plan, folder, there, command, user):
    """Hold the folder as it will be against the schema, in a copy, read with the rights that the bridge has."""
    with tempfile.TemporaryDirectory(prefix="lighthouse-policies-") as work:
        Path(work).chmod(0o755)
        for name in plan.untouched(there):
            original, copy = folder / name, Path(work, name)
            if original.resolve().parent != folder.resolve():
                raise Refused(f"{original} is a link out of the folder, where the bridge cannot go: put the file there")
            shutil.copy2(original, copy)
            owner = original.stat()
            os.chown(copy, owner.st_uid, owner.st_gid)
        for name, content in plan.write.items():
            Path(work, name).write_bytes(content)
            Path(work, name).chmod(0o644)
        done = subprocess.run(
            ["runuser", "-u", user, "--", command, "policy", "check", "--policies", work],
            capture_output=True,
            text=True,
            check=False,
            cwd="/",
        )
        if done.returncode != 0:
            found = " ".join(done.stderr.split()).replace(work, str(folder))
            raise Refused(f"the policies are not good, and those in force stay: {found}")


def put(path, content, mode=0o644):
    """Replace the file at once; a reader finds the old one or the new one."""
    descriptor, work = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(content)
    Path(work).replace(path)


def carry_out(plan, folder):
    """A person's file is kept under its new name before anything takes its place; the record comes last."""
    folder.mkdir(exist_ok=True)
    folder.chmod(0o755)
    for name, kept in plan.aside.items():
        shutil.copy2(folder / name, folder / kept)
    # The names count upwards from what permits to what forbids: this way nothing is allowed in between.
    for name in sorted(plan.write, reverse=True):
        put(folder / name, plan.write[name])
    for name in plan.remove:
        (folder / name).unlink()
    put(folder / RECORD, json.dumps(plan.record, indent=1, sort_keys=True).encode() + b"\n")


def main():
    module = AnsibleModule(
        argument_spec={
            "folder": {"type": "path", "required": True},
            "shipped": {"type": "path", "required": True},
            "files": {"type": "list", "elements": "list", "default": []},
            "command": {"type": "path", "required": True},
            "user": {"type": "str", "required": True},
        },
        supports_check_mode=True,
    )
    given = module.params
    folder = Path(given["folder"])
    if module.check_mode and not (Path(given["shipped"]).is_dir() and Path(given["command"]).exists()):
        module.exit_json(changed=True, told=[], msg="the command that holds them is not installed yet")
    try:
        pwd.getpwnam(given["user"])
        there = policies_in(folder)
        record = folder / RECORD
        recorded = json.loads(record.read_text()) if record.exists() else {}
        plan = Plan(wanted_files(given["shipped"], given["files"]), there, recorded)
        check(plan, folder, there, given["command"], given["user"])
        changed = bool(plan.write or plan.remove or plan.record != recorded)
        if changed and not module.check_mode:
            carry_out(plan, folder)
    except (Refused, OSError, ValueError, KeyError) as error:
        module.fail_json(msg=str(error))
    for line in plan.told:
        module.warn(f"{folder}: {line}")
    module.exit_json(changed=changed, told=plan.told)


if __name__ == "__main__":
    main()
