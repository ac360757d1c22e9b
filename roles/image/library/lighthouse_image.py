#!/usr/bin/python3
"""Has the service user's podman hold an image of a given digest, from an archive or a registry."""

import re

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.lighthouse_podman import NotThereYet, connect

DOCUMENTATION = r"""
module: lighthouse_image
short_description: An image by digest in a rootless podman
description:
  - With neither archive nor pull only tells whether the image is there.
options:
  user: {description: Whose podman., type: str, required: true}
  digest: {description: The manifest's digest the image must have; required unless a reference is pulled., type: str}
  archive: {description: An OCI archive on this host to load it from., type: path}
  reference: {description: A reference to pull it by; one with a digest is checked against it., type: str}
  pull: {description: Whether to pull the reference when the image is missing., type: bool, default: false}
  userns: {description: The user namespace of the container that will run it., type: str, default: "keep-id:uid=65532,gid=65532"}
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


def find(client, digest, reference):
    """The id of the image with this digest, or of this reference, or None."""
    for image in client.images.list():
        attributes = image.attrs
        digests = {attributes.get("Digest"), *(name.rpartition("@")[2] for name in attributes.get("RepoDigests") or [])}
        if digest and digest in digests:
            return image.id
        if reference and not digest and reference in (attributes.get("RepoTags") or []):
            return image.id
    return None


def map_owners(client, image, userns):
    """Let podman make the layer with the owners of the container's user namespace now, once for each image.

    It does so at the first container it creates; at the bridge's start that would be time without a bridge.
    """
    client.containers.create(image, userns_mode=userns).remove(force=True)


def main():
    module = AnsibleModule(
        argument_spec={
            "user": {"type": "str", "required": True},
            "digest": {"type": "str"},
            "archive": {"type": "path"},
            "reference": {"type": "str"},
            "pull": {"type": "bool", "default": False},
            "userns": {"type": "str", "default": "keep-id:uid=65532,gid=65532"},
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
    wanted = bool(archive or module.params["pull"])
    try:
        client = connect(module.params["user"])
    except NotThereYet as reason:
        if module.check_mode or not wanted:
            module.exit_json(changed=module.check_mode and wanted, present=False, reason=str(reason))
        module.fail_json(msg=str(reason))
    with client:
        found = find(client, digest, reference)
        if found or not wanted or module.check_mode:
            module.exit_json(changed=wanted and not found, present=bool(found), name=found)
        if archive:
            list(client.images.load(file_path=archive))
        else:
            client.images.pull(reference)
        found = find(client, digest, reference)
        if found:
            map_owners(client, found, module.params["userns"])
    if not found:
        module.fail_json(msg=f"{archive or reference} holds no image with digest {digest}: build or pull it again")
    module.exit_json(changed=True, present=True, name=found)


if __name__ == "__main__":
    main()
