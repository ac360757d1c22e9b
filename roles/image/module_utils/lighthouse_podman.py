"""Podman of the service user, spoken to over its own socket: what the image and secret modules share."""

import pwd
import subprocess

try:
    from podman import PodmanClient
except ImportError:
    PodmanClient = None


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
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        raise NotThereYet(f"podman.socket of {user} does not start: {' '.join(done.stderr.split())}")
    return PodmanClient(base_url=f"unix:///run/user/{uid}/podman/podman.sock", timeout=timeout)
