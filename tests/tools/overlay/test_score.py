"""The score is a pure function of the signs, and explains itself."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.overlay.score import COSTS, Sign, score

signs = st.builds(
    Sign,
    st.sampled_from(sorted(COSTS)),
    st.sampled_from([f"Pod/shop/{name}" for name in "abcdefgh"]),
    st.text(max_size=5),
    st.floats(0.01, 1.0),
)


def test_nothing_wrong_is_a_hundred() -> None:
    assert score([], many=False) == (100, [])


@given(st.lists(signs, max_size=60), st.booleans())
def test_every_point_that_is_lost_stands_with_an_anomaly(found: list[Sign], many: bool) -> None:
    health, anomalies = score(found, many=many)

    assert 0 <= health <= 100
    assert 100 - health == sum(anomaly.points for anomaly in anomalies)
    counted = {sign for sign in found if COSTS[sign.code].of_many or not many}
    assert len(counted) == sum(anomaly.count for anomaly in anomalies)


@given(st.lists(signs, max_size=30), st.randoms(use_true_random=False))
def test_the_order_in_which_signs_are_found_makes_no_difference(found: list[Sign], chance: Random) -> None:
    mixed = list(found)
    chance.shuffle(mixed)

    assert score(found, many=True) == score(mixed, many=True)


@given(st.lists(signs, max_size=30), signs)
def test_one_more_sign_never_makes_a_score_better(found: list[Sign], more: Sign) -> None:
    assert score([*found, more], many=False)[0] <= score(found, many=False)[0]


def test_what_is_alike_costs_half_as_much_each_further_time() -> None:
    alike = [Sign("crashing", f"Pod/shop/{number}") for number in range(40)]

    assert [score(alike[:count], many=True)[0] for count in (1, 2, 3, 40)] == [90, 85, 83, 82]


def test_a_part_of_the_pods_costs_a_part_of_the_points() -> None:
    assert score([Sign("degraded", "Deployment/shop/web", share=1 / 3)], many=False)[0] == 90


def test_the_worst_comes_first_and_the_others_of_its_kind_are_named() -> None:
    found = [
        Sign("changed", "Deployment/shop/web"),
        Sign("crashing", "Deployment/shop/web", "exit 1"),
        Sign("crashing", "Deployment/shop/cart", "exit 2"),
    ]
    _, (first, second) = score(found, many=False)

    assert (first.code, first.object, first.also, first.count) == (
        "crashing", "Deployment/shop/cart", ("Deployment/shop/web",), 2,
    )  # fmt: skip
    assert second.data() == {
        "code": "changed", "severity": "info", "points": 3, "object": "Deployment/shop/web", "detail": "",
    }  # fmt: skip


def test_a_score_does_not_fall_below_nothing() -> None:
    health, anomalies = score([Sign(code, "Node/a") for code in COSTS], many=False)

    assert (health, sum(anomaly.points for anomaly in anomalies)) == (0, 100)
