"""What the log keeps of a call is small enough for an event, says what was cut, and holds no token."""

from hashlib import sha256
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lighthouse.events.event import MAX_DEPTH, canonical
from lighthouse.keys import KeyRing
from lighthouse.sessions import Role, mint_agent_token
from lighthouse.validation.bounded import MAX_INPUT, bounded, clipped, fitting, without_tokens

texts = st.text() | st.integers(0, 200_000).map(lambda n: "a\n" * (n // 2)) | st.just("\x01" * 100_000)
values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.just(10**4000) | texts,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(["command", "content", "x"]) | st.text(), values, max_size=5))
def test_whatever_is_sent_fits(fields: dict[str, Any]) -> None:
    kept = bounded(fields)
    assert len(canonical(kept)) <= MAX_INPUT + 8192
    assert _depth(kept) < MAX_DEPTH - 4


@given(st.text(), st.integers(0, 100))
def test_what_fits_is_a_beginning(text: str, most: int) -> None:
    kept = fitting(text, most)
    assert text.startswith(kept)
    assert len(msgspec.json.encode(kept)) - 2 <= most
    if kept != text:
        longer = text[: len(kept) + 1]
        assert len(msgspec.json.encode(longer)) - 2 > most


def test_small_input_is_kept_as_it_is() -> None:
    fields = {"command": "ls -l", "description": "look", "timeout": 5}
    assert bounded(fields) is fields


def test_what_is_cut_says_its_length_and_digest() -> None:
    text = "y" * 70_000
    kept = bounded({"command": text, "description": text})
    digest = sha256(text.encode()).hexdigest()
    assert kept["command"] == f"{'y' * 65_536}… [cut: 70000 characters in all, sha256 {digest}]"
    assert kept["description"].startswith("y" * 16_384 + "… [cut: 70000")


def test_many_and_deep_ones_are_left_out_and_said() -> None:
    many = bounded({"edits": ["x" * 50] * 3000})["edits"]
    assert many[-1] == "[left out: 2500 more]"
    deep: Any = "end"
    for _ in range(40):
        deep = [deep]
    assert "nested too deeply" in str(bounded({"deep": deep}))


def test_tokens_are_left_out_wherever_they_stand(keyring: KeyRing) -> None:
    token = mint_agent_token(keyring, "ann", Role.OPERATOR, 60)
    data = {
        "command": f"curl -H 'Authorization: Bearer {token}'",
        token: [token, {"x": token}],
        "long": token + "z" * 100_000,
    }
    assert token.rpartition(".")[2] not in str(without_tokens(data))
    assert token.rpartition(".")[2] not in str(bounded(data))
    plain = {"command": "echo eyJ hello"}
    assert without_tokens(plain) is plain


def test_clipped_leaves_short_text_alone() -> None:
    assert clipped("grüß", 100) == "grüß"


def _depth(value: Any) -> int:
    if isinstance(value, dict):
        return 1 + max(map(_depth, value.values()), default=0)
    return 1 + max(map(_depth, value), default=0) if isinstance(value, list) else 0


@pytest.mark.parametrize("text", ["eyJ" * 300_000, "eyJ.eyJ." * 110_000, "eyJaaaaaaaa." * 75_000])
def test_what_only_begins_like_tokens_is_looked_through_at_once(text: str) -> None:
    # Looked at from each beginning anew, a word of 60 kB takes seconds, and these would take an hour.
    assert without_tokens({"command": text})["command"] == text


@pytest.mark.parametrize("before", ["", "x", "\n", "\\", '"', "eyJ", "é", "a.", "eyJaaaaaaaa "])
def test_a_token_is_found_behind_anything(keyring: KeyRing, before: str) -> None:
    token = mint_agent_token(keyring, "ann", Role.OPERATOR, 60)
    left = without_tokens({"command": f"{before}{token} end"})["command"]
    assert token.rpartition(".")[2] not in left
    assert left.endswith("[a token was left out] end")
    assert left.startswith(before.removesuffix("eyJ"))


def test_nothing_else_takes_the_room_of_what_would_run() -> None:
    padding = {f"note{number}": "x" * 16_000 for number in range(20)}
    for name in ("command", "file_path", "notebook_path", "url", "path"):
        assert bounded(padding | {name: "rm -rf src"})[name] == "rm -rf src"
