#!/usr/bin/python3
"""Has the service user's podman hold an image of a given digest, from an archive or a registry."""

import contextlib
import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lighthouse_podman import APIError, NotThereYet, connect, container

DOCUMENTATION = r"""
module: lighthouse_image
short_description: An image by digest in a rootless podman
description:
  - With neither archive nor pull only tells whether the image is there.
  - Of those that came before, the newest is kept, and what a container uses.
options:
  user: {description: Whose podman., type: str, required: true}
  digest: {description: The manifest's digest the image must have; with a reference, its own., type: str}
  archive: {description: An OCI archive on this host to load it from., type: path}
  reference: {description: A reference with that digest to pull it by., type: str}
  pull: {description: Whether to pull the reference when the image is missing., type: bool, default: false}
author: [Lighthouse maintainers]
"""

EXAMPLES = r"""
- name: Load the image
  lighthouse_image:
    user: lighthouse
    digest: sha256:0f3c…
    archive: /var/tmp/lighthouse.oci.tar
"""

RETURN = r"""
present: {description: Whether podman holds the image now., type: bool, returned: always}
name: {description: What to write behind Image= in a quadlet., type: str, returned: when present}
"""


# As roles/image/files/build-image labels it.
LABEL = "org.opencontainers.image.title=lighthouse"


def find(client, digest):
    """The id of the image with this digest, or None."""
    for image in client.images.list():
        attributes = image.attrs
        digests = {attributes.get("Digest"), *(name.rpartition("@")[2] for name in attributes.get("RepoDigests") or [])}
        if digest and digest in digests:
            return image.id
    return None


def prune(client, current):
    """Remove what is older than the image before this one."""
    others = [image for image in client.images.list(filters={"label": LABEL}) if image.id != current]
    for image in sorted(others, key=lambda image: image.attrs["Created"])[:-1]:
        # A container uses it: podman refuses, and the next image that comes finds it again.
        with contextlib.suppress(APIError):
            client.images.remove(image)


def main():
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "digest": {"type": "str"},
            "archive": {"type": "path"},
            "reference": {"type": "str"},
            "pull": {"type": "bool", "default": False},
        },
        required_one_of=[("digest", "reference")],
        mutually_exclusive=[("archive", "reference")],
        supports_check_mode=True,
    )
    digest, archive, reference = (module.params[name] for name in ("digest", "archive", "reference"))
    if reference and "@" in reference:
        digest = reference.rpartition("@")[2]
    if digest and not re.fullmatch(r"sha256:[0-9a-f]{64}", digest):
        module.fail_json(msg=f"{digest} is no digest: write sha256: and 64 hexadecimal digits")
    if not digest:
        module.fail_json(msg=f"{reference} names no digest: write NAME@sha256:…, so that what runs is what was meant")
    wanted = bool(archive or module.params["pull"])
    try:
        client = connect(module.params["user"])
    except NotThereYet as reason:
        if module.check_mode or not wanted:
            module.exit_json(changed=module.check_mode and wanted, present=False, reason=str(reason))
        module.fail_json(msg=str(reason))
    with client:
        found = find(client, digest)
        if found or not wanted or module.check_mode:
            module.exit_json(changed=wanted and not found, present=bool(found), name=found)
        if archive:
            list(client.images.load(file_path=archive))
        else:
            client.images.pull(reference)
        found = find(client, digest)
        if found:
            # The copy with the owners of the bridge's user namespace is made now: at its start it would be time
            # without a bridge.
            with container(client, found):
                pass
            prune(client, found)
    if not found:
        module.fail_json(msg=f"{archive or reference} holds no image with digest {digest}: build or pull it again")
    module.exit_json(changed=True, present=True, name=found)


if __name__ == "__main__":
    main()
