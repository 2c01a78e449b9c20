"""Two persons are two: not one behind two doors, and not the one who asked as the second."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.persons import ANONYMOUS, Person, objection, same

ALICE, BOB = Person("local:alice"), Person("token:bob")
PEOPLE = st.builds(
    Person,
    st.sampled_from(["local:alice", "token:alice", "token:Alice", "token:bob", "local:carol", "http:loopback", "dave"]),
    st.sampled_from(["", "uid:1", "uid:2"]),
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (ALICE, Person("token:Alice"), True),
        (ALICE, Person("oidc:alice@example.com"), True),
        (ALICE, Person("EXAMPLE\\alice"), True),
        (ALICE, BOB, False),
        (Person("local:alice", "uid:1"), Person("local:bob", "uid:1"), True),
        (Person("local:alice", "uid:1"), Person("local:bob", "uid:2"), False),
        (Person("local:alice", ""), Person("local:bob", ""), False),
    ],
)
def test_one_name_is_one_person_and_so_is_one_account(one: Person, other: Person, expected: bool) -> None:
    assert same(one, other) == expected


def test_of_two_the_requester_may_be_the_first_and_never_the_second() -> None:
    assert objection(2, ALICE, [], ALICE) == ""
    assert "cannot be the second" in objection(2, ALICE, [BOB], ALICE)
    assert "agreed already" in objection(2, ALICE, [BOB], BOB)
    assert objection(2, ALICE, [ALICE], BOB) == ""


def test_one_person_may_be_anybody_whom_the_channel_lets_decide() -> None:
    assert objection(1, ALICE, [], ALICE) == ""
    assert objection(1, ALICE, [], Person("http:loopback")) == ""


@given(PEOPLE, st.lists(PEOPLE, max_size=8))
def test_whoever_comes_in_whatever_order_two_that_agree_are_two(requester: Person, comers: list[Person]) -> None:
    agreed: list[Person] = []
    for comer in comers:
        if len(agreed) < 2 and not objection(2, requester, agreed, comer):
            agreed.append(comer)

    assert not ANONYMOUS.intersection(item.principal for item in agreed)
    if len(agreed) == 2:
        assert not same(*agreed)
        assert not same(agreed[1], requester)
