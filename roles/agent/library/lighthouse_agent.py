#!/usr/bin/python3
"""Gives an agent its token and, for a project, its entry in .mcp.json; what else is in that file stays."""

import json
import os
import pwd
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = r"""
module: lighthouse_agent
short_description: An agent's token and its .mcp.json entry
description:
  - The token is made once, in ~/.config/lighthouse/AGENT.token of the user, mode 0600; no value is returned.
options:
  agent: {description: The agent's id., type: str, required: true}
  role: {description: Its role., type: str, choices: [observer, agent, expert, operator, admin], default: agent}
  user: {description: The user it runs as on this host., type: str, required: true}
  ttl: {description: How long its token is good., type: str, default: 30d}
  project: {description: A folder whose .mcp.json gets the entry; none without it., type: path}
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


def become(account):
    """Work as the user from here on: files in a home and a project are written with that user's rights only."""

    def demote():
        os.initgroups(account.pw_name, account.pw_gid)
        os.setgid(account.pw_gid)
        os.setuid(account.pw_uid)

    return demote


WRITE = """
import os, sys
path, mode = sys.argv[1], int(sys.argv[2], 8)
os.makedirs(os.path.dirname(path), exist_ok=True)
work = f"{path}.{os.getpid()}"
with open(os.open(work, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as file:
    file.write(sys.stdin.read())
os.rename(work, path)
"""


def write_as(account, path, mode, text):
    """Write through a process of the user's; the text goes by standard input, never by the command line."""
    subprocess.run(
        ["/usr/bin/python3", "-I", "-c", WRITE, str(path), mode],
        input=text,
        text=True,
        check=True,
        preexec_fn=become(account),
        capture_output=True,
    )


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
    changed = not token_file.exists()
    if changed and not module.check_mode:
        made = subprocess.run(
            [
                given["command"],
                "token",
                "create",
                "--agent",
                given["agent"],
                "--role",
                given["role"],
                "--ttl",
                given["ttl"],
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        if made.returncode != 0:
            module.fail_json(msg=f"no token: {made.stderr.strip()}")
        write_as(account, token_file, "600", made.stdout)
    if given["project"]:
        path = Path(given["project"], ".mcp.json")
        try:
            there = json.loads(path.read_text()) if path.exists() else {}
        except ValueError as error:
            module.fail_json(msg=f"{path} is not JSON ({error}): mend it first, nothing was written")
        entry = {
            "command": given["command"],
            "args": ["mcp"],
            "env": {"LIGHTHOUSE_BRIDGE_URL": given["bridge_url"], "LIGHTHOUSE_TOKEN_FILE": str(token_file)},
        }
        if there.get("mcpServers", {}).get("lighthouse") != entry:
            changed = True
            if not module.check_mode:
                there.setdefault("mcpServers", {})["lighthouse"] = entry
                write_as(account, path, "644", json.dumps(there, indent=2) + "\n")
    module.exit_json(changed=changed, token_file=str(token_file))


if __name__ == "__main__":
    main()
