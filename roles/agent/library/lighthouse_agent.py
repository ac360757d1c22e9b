#!/usr/bin/python3
"""Gives an agent its token and, for a project, the entries that its client reads; or takes them away."""

import base64
import json
import os
import pwd
import subprocess
import tempfile
import time
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: lighthouse_agent
short_description: An agent's token, and its client's entries in a project
description:
  - The token is made where there is none, less than a fifth of its life is left, or it has another role or length of
    life, in ~/.config/lighthouse/AGENT.token of the user, mode 0600; no value is returned.
  - The project's files are written by C(lighthouse agent install), and what else is in them stays.
  - What lies in the user's home and project is read and written with that user's rights only.
options:
  agent: {description: The agent's id., type: str, required: true}
  role: {description: Its role., type: str, choices: [observer, agent, expert, operator, admin], default: agent}
  user: {description: The user it runs as on this host., type: str, required: true}
  ttl: {description: How long its token is good., type: str, default: 30d}
  project: {description: A folder whose client's settings and .mcp.json get the entries; none without it., type: path}
  hook: {description: How the client asks about each call., type: str, choices: [http, command, none], default: http}
  scope: {description: Which settings file the hooks go to., type: str, choices: [project, local], default: project}
  state: {description: Whether the agent is let in., type: str, choices: [present, absent], default: present}
  command: {description: The lighthouse command., type: path, default: /usr/local/bin/lighthouse}
  bridge_url: {description: Where the bridge answers., type: str, default: "http://localhost:8765"}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Let Ann's builder in
  lighthouse_agent: {agent: builder-1, user: ann, project: /home/ann/shop}
"""

RETURN = r"""
token_file: {description: Where the token is., type: str, returned: always}
"""


UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 7 * 86400}


class Refused(Exception):
    """What could not be done, in one line."""


def as_user(account, work):
    """What `work()` returns (anything JSON can say), done in a process that has that user's rights and no others.

    A link or a pipe that somebody left in a home or a project leads nowhere then that its owner could not go. Raises
    Refused with the reason.
    """
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        answer = {"refused": "the process did not get through"}
        try:
            os.initgroups(account.pw_name, account.pw_gid)
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            os.umask(0o022)
            answer = {"done": work()}
        except Exception as error:
            answer = {"refused": f"{error} (as {account.pw_name})"}
        finally:
            os.write(writing, json.dumps(answer).encode())
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        answer = json.load(pipe)
    os.waitpid(child, 0)
    if "refused" in answer:
        raise Refused(answer["refused"])
    return answer["done"]


def read(path):
    """The text at `path`, empty where there is nothing."""
    return path.read_text() if path.exists() else ""


def fits(token, role, ttl):
    """Whether the token has this role and length of life, and a fifth of it is left; what cannot be read does not."""
    try:
        payload = token.strip().split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
        life = claims["exp"] - claims["iat"]
        # A second may pass while it is made.
        same = claims["role"] == role and abs(life - seconds(ttl)) <= 1
        return same and time.time() <= claims["exp"] - life / 5
    except (IndexError, KeyError, TypeError, ValueError):
        return False


def seconds(ttl):
    """As the lighthouse command takes it: 30d, 12h, or a number; ValueError for what it will refuse."""
    number, unit = (ttl[:-1], ttl[-1]) if ttl[-1:] in UNITS else (ttl, "s")
    return int(number) * UNITS[unit]


def write(path, mode, text):
    """Replace the file at once, making the folders above it; a reader finds the old one or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, work = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(descriptor, "w") as file:
            os.fchmod(descriptor, mode)
            file.write(text)
        Path(work).replace(path)
    except BaseException:
        Path(work).unlink()
        raise


def connected(given, token_file, check):
    """Have the project's files connect the agent's client to the bridge, or no longer; whether that changed them.

    The lighthouse command does it, as it does for a person. Foretold before that is there, whatever is wanted is new.
    """
    if check and not Path(given["command"]).exists():
        return given["state"] == "present"
    where = ["--project", given["project"], "--token-file", str(token_file), "--json"]
    if given["state"] == "absent":
        words = ["remove", *where]
    else:
        words = ["install", *where, "--url", given["bridge_url"], "--hook", given["hook"], "--scope", given["scope"]]
    done = subprocess.run(
        [given["command"], "agent", *words, *["--dry-run"] * check],
        capture_output=True,
        text=True,
        check=False,
        # Nothing of root's is told to it, and it begins where everybody may be.
        env={"PATH": os.environ["PATH"]},
        cwd="/",
    )
    if done.returncode != 0:
        raise Refused(" ".join(done.stderr.split()).removeprefix("lighthouse: "))
    return json.loads(done.stdout)["changed"]


def removed(path, check):
    """Take the file away; whether it was there."""
    if not path.exists():
        return False
    if not check:
        path.unlink()
    return True


def make_token(command, agent, role, ttl):
    """A new token, from the bridge's secret, which root may read."""
    made = subprocess.run(
        [command, "token", "create", "--agent", agent, "--role", role, "--ttl", ttl],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        raise Refused(f"no token for {agent}: {' '.join(made.stderr.split())}")
    return made.stdout


def main():
    module = AnsibleModule(
        argument_spec={
            "agent": {"type": "str", "required": True},
            "role": {
                "type": "str",
                "choices": ["observer", "agent", "expert", "operator", "admin"],
                "default": "agent",
            },
            "user": {"type": "str", "required": True},
            "ttl": {"type": "str", "default": "30d"},
            "project": {"type": "path"},
            "hook": {"type": "str", "choices": ["http", "command", "none"], "default": "http"},
            "scope": {"type": "str", "choices": ["project", "local"], "default": "project"},
            "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
            "command": {"type": "path", "default": "/usr/local/bin/lighthouse"},
            "bridge_url": {"type": "str", "default": "http://localhost:8765"},
        },
        supports_check_mode=True,
    )
    given = module.params
    try:
        account = pwd.getpwnam(given["user"])
    except KeyError:
        module.fail_json(msg=f"user {given['user']} does not exist on this host")
    token_file = Path(account.pw_dir, ".config/lighthouse", f"{given['agent']}.token")
    wanted, check = given["state"] == "present", module.check_mode
    try:
        if wanted:
            changed = not fits(as_user(account, lambda: read(token_file)), given["role"], given["ttl"])
            if changed and not check:
                token = make_token(given["command"], given["agent"], given["role"], given["ttl"])
                as_user(account, lambda: write(token_file, 0o600, token))
        else:
            changed = as_user(account, lambda: removed(token_file, check))
        if given["project"]:
            changed |= as_user(account, lambda: connected(given, token_file, check))
    except (Refused, OSError) as reason:
        module.fail_json(msg=str(reason))
    module.exit_json(changed=changed, token_file=str(token_file))


if __name__ == "__main__":
    main()
