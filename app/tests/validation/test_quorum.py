"""What answers decide together, held against the rule written another way."""

from hypothesis import given
from hypothesis import strategies as st

from lighthouse.validation import Answer
from lighthouse.validation.quorum import chosen, decided, needed

answers = st.lists(
    st.builds(
        Answer,
        st.text(),
        st.sampled_from(["approve", "deny"]),
        st.just("why"),
        st.sampled_from(["expert", "expert", "operator", "admin"]),
        st.just(""),
        st.sampled_from(["security", "database"]),
    ),
    max_size=4,
)


@given(answers, st.sampled_from([1, 2]))
def test_decided(given_answers: list[Answer], quorum: int) -> None:
    found = decided(given_answers, quorum)
    persons = [one for one in given_answers if one.role != "expert"]
    if persons:
        assert found == ("allow" if persons[0].verdict == "approve" else "deny", "person")
    elif any(one.verdict == "deny" for one in given_answers):
        assert found == ("deny", "expert")
    elif len({one.speciality for one in given_answers}) >= quorum:
        assert found == ("allow", "expert" if quorum == 1 else "quorum")
    else:
        assert found is None


def test_needed() -> None:
    assert [needed(tier) for tier in ("low", "medium", "high", "critical")] == [1, 1, 2, 2]


@given(
    st.dictionaries(st.text(min_size=1), st.sampled_from(["security", "database"]), max_size=6),
    st.integers(2, 4),
)
def test_chosen_are_the_best_and_of_two_specialities(fitting: dict[str, str], most: int) -> None:
    found = chosen(fitting, most)
    assert found.items() <= fitting.items()
    assert len(found) == min(most, len(fitting))
    assert list(found)[: most - 1] == list(fitting)[: most - 1]
    assert len(set(found.values())) == len(set(fitting.values()))
