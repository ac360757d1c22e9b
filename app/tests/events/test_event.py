"""Drafts: what is taken, in which form, and what is refused with the reason."""

import math
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lighthouse.events import Draft, InvalidEvent
from lighthouse.events.event import MAX_DATA, MAX_DEPTH, canonical, check_agent, check_draft

json_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text("abcä€", max_size=4), inner, max_size=4)
    ),
    max_leaves=20,
)


def nested(depth: int, innermost: object = 0) -> dict[str, Any]:
    value: dict[str, Any] = {"a": innermost}
    for _ in range(depth - 1):
        value = {"a": value}
    return value


@given(st.dictionaries(st.text("abcä€", max_size=4), json_values, max_size=5))
def test_canonical_form_is_a_fixed_point(value: dict[str, Any]) -> None:
    data = check_draft(Draft("note.added", value)).data
    assert msgspec.json.decode(data) == value
    assert canonical(msgspec.json.decode(data)) == data


def test_canonical_form_sorts_keys_and_has_no_spaces() -> None:
    assert (
        canonical({"b": [1, {"d": None, "c": "ä"}], "a": 1.5})
        == '{"a":1.5,"b":[1,{"c":"ä","d":null}]}'.encode()
    )


@pytest.mark.parametrize(
    "type", ["", "note", "Note.added", "note.", ".added", "note added", "1.a", "a." + "b" * 99]
)
def test_type_that_is_no_dotted_name(type: str) -> None:
    with pytest.raises(InvalidEvent, match="dotted"):
        check_draft(Draft(type, {}))


@pytest.mark.parametrize("name", ["", "x" * 201, "a\nb", "a\0", "\ud800", "a\u202eb"])
def test_stream_and_key_are_printable_and_bounded(name: str) -> None:
    with pytest.raises(InvalidEvent, match="stream"):
        check_draft(Draft("note.added", {}, stream=name))
    with pytest.raises(InvalidEvent, match="idempotency_key"):
        check_draft(Draft("note.added", {}, idempotency_key=name))


@pytest.mark.parametrize("data", [[], "text", None, 1])
def test_data_that_is_no_object(data: Any) -> None:
    with pytest.raises(InvalidEvent, match="not an object"):
        check_draft(Draft("note.added", data))


@pytest.mark.parametrize(
    "data",
    [
        {"a": object()},
        {"a": "\ud800"},
        {(1, 2): 3},
        {"a": math.nan},
        {"a": [[math.inf]]},
        nested(32, math.nan),
    ],
)
def test_data_that_json_cannot_hold(data: Any) -> None:
    with pytest.raises(InvalidEvent, match="data"):
        check_draft(Draft("note.added", data))


def test_depth_is_bounded() -> None:
    check_draft(Draft("note.added", nested(MAX_DEPTH)))
    check_draft(Draft("note.added", nested(MAX_DEPTH - 1, [])))
    for data in (nested(MAX_DEPTH + 1), nested(MAX_DEPTH, []), nested(100_000)):
        with pytest.raises(InvalidEvent, match="deeper than 32"):
            check_draft(Draft("note.added", data))


def test_many_brackets_side_by_side_are_not_depth() -> None:
    check_draft(Draft("note.added", {"a": [[] for _ in range(1000)], "text": "{[" * 100, "nothing": None}))


def test_size_is_bounded() -> None:
    room = MAX_DATA - len(canonical({"a": ""}))
    check_draft(Draft("note.added", {"a": "x" * room}))
    with pytest.raises(InvalidEvent, match="at most 262144"):
        check_draft(Draft("note.added", {"a": "x" * (room + 1)}))


def test_expected_seq_is_not_negative() -> None:
    with pytest.raises(InvalidEvent, match="negative"):
        check_draft(Draft("note.added", {}, expected_seq=-1))


@pytest.mark.parametrize("agent", ["", "-a", "a b", "a" * 65, "a\n"])
def test_agent_is_a_name(agent: str) -> None:
    check_agent("Ann.b_c@d-1")
    with pytest.raises(InvalidEvent, match="agent"):
        check_agent(agent)
