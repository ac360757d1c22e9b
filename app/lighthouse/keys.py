"""The one secret of an installation, and the keys derived from it: a key per purpose, so none serves two."""

import hashlib
import hmac
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from lighthouse.errors import LighthouseError

MIN_SECRET = 32
MAX_SECRET_FILE = 64 * 1024
VALUE = "LIGHTHOUSE_AUTH_SECRET"
FILE = "LIGHTHOUSE_AUTH_SECRET_FILE"


class BadSecret(LighthouseError):
    """No secret, one too short to be one, or one that others may read."""


class KeyRing:
    """Derives the keys of an installation from its secret by HKDF-SHA256; holds them, never shows them."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < MIN_SECRET:
            raise BadSecret(
                f"the secret has {len(secret)} bytes, at least {MIN_SECRET} are needed",
                "make one with: openssl rand -hex 32",
            )
        self._secret = secret
        self._keys: dict[str, bytes] = {}

    def key(self, purpose: str) -> bytes:
        """The 32-byte key for `purpose` ("events", "anchor", "tokens")."""
        if purpose not in self._keys:
            info = f"lighthouse/{purpose}".encode()
            self._keys[purpose] = HKDF(SHA256(), 32, None, info).derive(self._secret)
        return self._keys[purpose]

    def key_id(self, purpose: str) -> str:
        """16 hex digits that name the key without telling anything of it."""
        return hmac.digest(self.key(purpose), b"key-id", hashlib.sha256).hex()[:16]

    def __repr__(self) -> str:
        return "KeyRing(…)"

    def __reduce__(self) -> str:
        raise TypeError("a KeyRing is never pickled or copied: it holds the secret")


def load_secret(env: Mapping[str, str], *, create_at: Path | None) -> bytes:
    """The secret from `env` (value or file); else from the file `create_at`, made there if missing.

    Raises BadSecret: there is none, both are given, it has fewer than 32 bytes, or others may read its file.
    """
    value, file = env.get(VALUE), env.get(FILE)
    if value and file:
        raise BadSecret(f"{VALUE} and {FILE} are both set", "keep one of them")
    if value:
        secret = value.encode("utf-8", "surrogateescape")
        return _long_enough(secret, VALUE)
    if file:
        return _read(Path(file))
    if create_at is None:
        raise BadSecret("there is no secret", f"set {FILE} to a file of at least {MIN_SECRET} random bytes")
    if not create_at.exists():
        _create(create_at)
    return _read(create_at)


def _read(path: Path) -> bytes:
    try:
        # O_NONBLOCK: a FIFO in its place must not hang the start
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        try:
            _check_file(path, os.fstat(descriptor))
            secret = os.read(descriptor, MAX_SECRET_FILE + 1)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise BadSecret(f"cannot read the secret file {path}", error.strerror) from error
    if len(secret) > MAX_SECRET_FILE:
        raise BadSecret(
            f"the secret file {path} is larger than {MAX_SECRET_FILE} bytes", "is it the right file?"
        )
    return _long_enough(secret.rstrip(b"\r\n"), str(path))


def _check_file(path: Path, info: os.stat_result) -> None:
    if not stat.S_ISREG(info.st_mode):
        raise BadSecret(f"the secret file {path} is not a regular file", "put the secret in a file")
    if info.st_uid == os.geteuid() and info.st_mode & 0o077:
        raise BadSecret(f"others may read the secret file {path}", f"chmod 600 {path}")


def _long_enough(secret: bytes, source: str) -> bytes:
    if len(secret) < MIN_SECRET:
        raise BadSecret(
            f"the secret in {source} has {len(secret)} bytes, at least {MIN_SECRET} are needed",
            "make one with: openssl rand -hex 32",
        )
    return secret


def _create(path: Path) -> None:
    """Put a new secret at `path`, complete or not at all; whoever was first wins."""
    draft = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
                file.flush()
                os.fsync(descriptor)
            # link, unlike rename, never replaces a secret that another process made meanwhile
            path.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()
    except OSError as error:
        raise BadSecret(f"cannot make the secret file {path}", error.strerror) from error
