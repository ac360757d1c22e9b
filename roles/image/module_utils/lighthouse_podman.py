"""Podman of the service user, spoken to over its own socket: what the image and secret modules share."""

import contextlib
import json
import pwd
import subprocess

try:
    from podman import PodmanClient
    from podman.errors import APIError
except ImportError:
    PodmanClient, APIError = None, Exception

# The bridge's container runs in this user namespace (quadlets/lighthouse.container.j2).
USERNS = {"nsmode": "keep-id", "value": "uid=65532,gid=65532"}


class NotThereYet(Exception):
    """The user, its manager or podman does not exist: so it is on a virgin host in check mode."""


def connect(user, timeout=600):
    """A client of `user`'s podman; the socket unit is started where it is not listening. `timeout` in seconds.

    Raises NotThereYet.
    """
    if PodmanClient is None:
        raise NotThereYet("python3-podman is not installed")
    try:
        uid = pwd.getpwnam(user).pw_uid
    except KeyError:
        raise NotThereYet(f"user {user} does not exist") from None
    done = subprocess.run(
        ["systemctl", "--user", f"--machine={user}@.host", "start", "podman.socket"],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise NotThereYet(f"podman.socket of {user} does not start: {' '.join(done.stderr.split())}")
    return PodmanClient(base_url=f"unix:///run/user/{uid}/podman/podman.sock", timeout=timeout)


@contextlib.contextmanager
def container(client, image):
    """A container of `image` that never runs, in the bridge's user namespace; removed afterwards.

    The first one of an image makes podman copy it with that namespace's owners, which takes a while and is kept.
    """
    # podman-py's create() has no form for a mode with a value that all its versions send alike.
    answer = client.api.post("/containers/create", data=json.dumps({"image": image, "userns": USERNS}))
    answer.raise_for_status()
    made = client.containers.get(answer.json()["Id"])
    try:
        yield made
    finally:
        made.remove(force=True)
