"""`token create`: a token alone, from the secret, without a bridge."""

import json
import time

import pytest

from lighthouse.cli.token import seconds
from lighthouse.keys import KeyRing, load_secret
from lighthouse.sessions.tokens import read

SECRET = "0123456789abcdef0123456789abcdef"


def test_from_the_environment(lighthouse) -> None:
    made = lighthouse(
        "token", "create", "--agent", "ann", "--role", "expert", env={"LIGHTHOUSE_AUTH_SECRET": SECRET}
    )
    assert (made.returncode, made.stderr) == (0, "")
    assert made.stdout.count("\n") == 1
    identity = read(KeyRing(SECRET.encode()), made.stdout.strip())
    assert (identity.agent_id, identity.role.value, identity.kind) == ("ann", "expert", "agent")
    assert abs(identity.expires_at - time.time() - 30 * 86400) < 60


def test_from_a_state_folder(lighthouse, tmp_path) -> None:
    keyring = KeyRing(load_secret({}, create_at=tmp_path / "secret"))
    made = lighthouse("token", "create", "--agent", "ann", "--ttl", "1h", "--state", str(tmp_path), "--json")
    told = json.loads(made.stdout)
    assert (told["agent_id"], told["role"], told["expires_in"]) == ("ann", "agent", 3600)
    assert read(keyring, told["token"]).agent_id == "ann"


def test_no_secret_is_made(lighthouse, tmp_path) -> None:
    assert lighthouse("token", "create", "--agent", "ann", "--state", str(tmp_path)).returncode == 1
    assert not (tmp_path / "secret").exists()


def test_the_secret_is_not_told(lighthouse) -> None:
    short = "tooshort-and-private"
    refused = lighthouse("token", "create", "--agent", "ann", env={"LIGHTHOUSE_AUTH_SECRET": short})
    assert refused.returncode == 1
    assert short not in refused.stdout + refused.stderr


@pytest.mark.parametrize("agent", ["lighthouse", "-x", "a b", "a" * 65, ""])
def test_ids_that_nobody_may_have(lighthouse, agent) -> None:
    refused = lighthouse("token", "create", f"--agent={agent}", env={"LIGHTHOUSE_AUTH_SECRET": SECRET})
    assert (refused.returncode, refused.stdout) == (1, "")


@pytest.mark.parametrize(
    ("text", "value"),
    [("30d", 2592000), ("12h", 43200), ("90m", 5400), ("45s", 45), ("45", 45), ("2w", 1209600)],
)
def test_times(text, value) -> None:
    assert seconds(text) == value
