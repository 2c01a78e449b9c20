"""What stays on the premises: places by name and pattern, and whether a text speaks of them."""

from __future__ import annotations

import pytest

from kubesteward_policies.premises import PlacesInvalid, asked_of, mentioned, places

KNOWN = places("prod-eu; */payments; lab/dev-*")


def test_a_question_about_a_place_is_found_whatever_pattern_it_has() -> None:
    assert asked_of(KNOWN, "prod-eu", "shop") is not None
    assert asked_of(KNOWN, "stage", "payments") is not None
    assert asked_of(KNOWN, "lab", "dev-1") is not None
    assert asked_of(KNOWN, "stage", "shop") is None
    assert asked_of(KNOWN, "stage", "dev-1") is None


def test_a_question_about_a_whole_cluster_is_about_each_namespace_in_it() -> None:
    assert asked_of(KNOWN, "stage", "") is not None
    assert asked_of(places("prod/payments"), "stage", "") is None


@pytest.mark.parametrize("cluster", ["", "@all", "stage,prod"])
def test_where_it_is_not_clear_which_cluster_is_meant_it_may_be_any(cluster: str) -> None:
    assert asked_of(places("prod/payments"), cluster, "payments") is not None


@pytest.mark.parametrize(
    "text",
    [
        "namespace: payments",
        '{"log": "line\\npayments is down"}',
        "db.payments.svc.cluster.local",
        "Pod PAYMENTS/api-1",
        "prod-eu is full",
        "payments_db",
    ],
)
def test_a_name_that_is_a_word_of_its_own_speaks_of_its_place(text: str) -> None:
    assert mentioned(KNOWN, "stage", text) is not None


@pytest.mark.parametrize("text", ["payments-ui is slow", "my-payments", "dev-1 of stage", "all is well"])
def test_a_part_of_another_name_does_not(text: str) -> None:
    assert mentioned(KNOWN, "stage", text) is None


def test_another_cluster_s_namespace_is_spoken_of_by_the_names_of_both() -> None:
    assert mentioned(KNOWN, "stage", "dev-1 in lab") is not None


@pytest.mark.parametrize("text", ["prod/", "/payments", "prod/pay[m]ents", "prod/Pay ments"])
def test_what_is_no_place_is_refused_with_its_form(text: str) -> None:
    with pytest.raises(PlacesInvalid, match="write CLUSTER"):
        places(text)
