#!/usr/bin/python3
"""Keeps the bridge's secret: made once on this host, and the same in the service user's podman."""

import hashlib
import hmac
import json
import os
import secrets
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lighthouse_podman import NotThereYet, connect

DOCUMENTATION = r"""
module: lighthouse_secret
short_description: The bridge's secret, as a file of root's and a podman secret
description:
  - Makes the file (0600, root) with 64 random hexadecimal digits where there is none; an existing one is kept.
  - The podman secret carries a keyed digest as label, so that a change is seen without reading the value.
  - No value is returned or logged.
options:
  user: {description: Whose podman., type: str, required: true}
  name: {description: The podman secret's name., type: str, required: true}
  path: {description: The file that holds it., type: path, required: true}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Keep the bridge's secret
  lighthouse_secret: {user: lighthouse, name: lighthouse-auth, path: /etc/lighthouse/auth.secret}
"""

RETURN = r"""
digest: {description: The keyed digest of the secret., type: str, returned: when it exists}
"""

LABEL = "lighthouse.digest"
SHORTEST = 32


def keyed_digest(value):
    """Tells two secrets apart and nothing about either."""
    return hmac.new(value, b"lighthouse podman secret label", hashlib.sha256).hexdigest()


def make(path):
    """A new secret at `path`; an existing file is never overwritten."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(secrets.token_hex(32) + "\n")
        file.flush()
        os.fsync(descriptor)


def read(path, module):
    """The secret, if nobody else could have read it and it is long enough."""
    status = path.stat()
    if status.st_uid != 0 or status.st_mode & 0o077:
        module.fail_json(msg=f"{path} must belong to root with mode 0600: others may have read the secret")
    value = path.read_bytes().strip()
    if len(value) < SHORTEST:
        module.fail_json(
            msg=f"{path} holds {len(value)} bytes, a secret has at least {SHORTEST}: put it back or remove it"
        )
    return value


def main():
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "name": {"type": "str", "required": True},
            "path": {"type": "path", "required": True},
        },
        supports_check_mode=True,
    )
    user, name, path = module.params["user"], module.params["name"], Path(module.params["path"])
    if path.exists():
        read(path, module)  # one that is no good is told before anything else is asked for
    try:
        client = connect(user)
    except NotThereYet as reason:
        if module.check_mode:
            module.exit_json(changed=True)
        module.fail_json(msg=str(reason))
    with client:
        there = [secret for secret in client.secrets.list() if secret.attrs["Spec"]["Name"] == name]
        if not path.exists():
            if there:
                module.fail_json(
                    msg=f"{path} is gone, and podman's secret {name} is there: a new one could not open the log "
                    "signed with it. Put the file back, or remove secret and store to begin anew"
                )
            if module.check_mode:
                module.exit_json(changed=True)
            make(path)
        value = read(path, module)
        digest = keyed_digest(value)
        if any((secret.attrs["Spec"].get("Labels") or {}).get(LABEL) == digest for secret in there):
            module.exit_json(changed=False, digest=digest)
        if not module.check_mode:
            for secret in there:
                secret.remove()
            # podman-py's create() drops labels, so this is its request with them.
            labels = json.dumps({LABEL: digest})
            client.api.post("/secrets/create", params={"name": name, "labels": labels}, data=value).raise_for_status()
    module.exit_json(changed=True, digest=digest)


if __name__ == "__main__":
    main()
