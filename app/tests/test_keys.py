"""The secret is found, made and guarded; the keys are HKDF's, one per purpose, and never shown."""

import hashlib
import hmac
import os
import pickle
from pathlib import Path

import pytest

from lighthouse.keys import BadSecret, KeyRing, load_secret

SECRET = b"s" * 32
VALUE, FILE = "LIGHTHOUSE_AUTH_SECRET", "LIGHTHOUSE_AUTH_SECRET_FILE"


def secret_file(folder: Path, content: bytes = SECRET + b"\n", mode: int = 0o600) -> Path:
    path = folder / "secret"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_key_is_hkdf_sha256() -> None:
    extracted = hmac.digest(b"\0" * 32, SECRET, "sha256")
    expanded = hmac.digest(extracted, b"lighthouse/events\x01", "sha256")
    assert KeyRing(SECRET).key("events") == expanded


def test_each_purpose_has_its_own_key_and_id() -> None:
    ring = KeyRing(SECRET)
    purposes = ("events", "tokens", "anchor")
    assert len({ring.key(purpose) for purpose in purposes}) == 3
    assert len({ring.key_id(purpose) for purpose in purposes}) == 3


def test_key_id_is_of_the_key() -> None:
    ring = KeyRing(SECRET)
    assert ring.key_id("events") == hmac.digest(ring.key("events"), b"key-id", hashlib.sha256).hex()[:16]
    assert ring.key_id("events") != KeyRing(b"t" * 32).key_id("events")


def test_key_ring_shows_no_secret() -> None:
    ring = KeyRing(SECRET)
    ring.key("events")
    assert SECRET.decode() not in repr(ring)
    assert ring.key("events").hex() not in repr(ring)
    with pytest.raises(TypeError):
        pickle.dumps(ring)


def test_short_secret_is_no_secret() -> None:
    with pytest.raises(BadSecret, match="31 bytes"):
        KeyRing(b"s" * 31)


def test_value_from_the_environment() -> None:
    assert load_secret({VALUE: SECRET.decode()}, create_at=None) == SECRET


def test_file_from_the_environment_without_its_line_end(tmp_path: Path) -> None:
    assert load_secret({FILE: str(secret_file(tmp_path))}, create_at=None) == SECRET


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660])
def test_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(BadSecret, match="chmod 600"):
        load_secret({FILE: str(secret_file(tmp_path, mode=mode))}, create_at=None)


def test_both_value_and_file_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="both set"):
        load_secret({VALUE: SECRET.decode(), FILE: str(secret_file(tmp_path))}, create_at=None)


@pytest.mark.parametrize("content", [b"", b"short\n", b"s" * 31 + b"\n"])
def test_short_file_is_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BadSecret, match="at least 32"):
        load_secret({FILE: str(secret_file(tmp_path, content))}, create_at=None)


def test_what_is_no_secret_file_is_refused(tmp_path: Path) -> None:
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path, reason in (
        (tmp_path / "none", "cannot read"),
        (tmp_path, "not a regular"),
        (fifo, "not a regular"),
    ):
        with pytest.raises(BadSecret, match=reason):
            load_secret({FILE: str(path)}, create_at=None)


def test_oversized_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSecret, match="larger than"):
        load_secret({FILE: str(secret_file(tmp_path, b"s" * 70_000))}, create_at=None)


def test_no_secret_is_refused() -> None:
    with pytest.raises(BadSecret, match="there is no secret"):
        load_secret({}, create_at=None)


def test_secret_is_made_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secret"
    made = load_secret({}, create_at=path)
    assert len(bytes.fromhex(made.decode())) == 32
    assert path.stat().st_mode & 0o777 == 0o600
    assert load_secret({}, create_at=path) == made
    assert [entry.name for entry in path.parent.iterdir()] == ["secret"]


def test_message_of_a_bad_secret_does_not_tell_it(tmp_path: Path) -> None:
    with pytest.raises(BadSecret) as refusal:
        load_secret({FILE: str(secret_file(tmp_path, b"hunter2"))}, create_at=None)
    assert "hunter2" not in str(refusal.value)
