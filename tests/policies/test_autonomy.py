"""Levels for clusters and namespaces: the most specific scope holds, and where none is the lowest does."""

from __future__ import annotations

from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.autonomy import Scope, ScopesInvalid, level, level_of, scopes
from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_policies.tiers import Autonomy

TEXT = "prod-eu=1;prod-eu/payments=2;*/dev-*=3"
NAMES = st.sampled_from(["prod-eu", "prod-us", "stage", "a/b"])
SPACES = st.sampled_from(["", "payments", "dev-a", "dev-b"])
PATTERNS = st.sampled_from(["*", "prod-*", "prod-eu", "stage", "s?age", "a/b"])
SPACE_PATTERNS = st.sampled_from(["*", "dev-*", "dev-a", "payments", "p*"])
SCOPES = st.lists(st.builds(Scope, PATTERNS, SPACE_PATTERNS, st.sampled_from(list(Autonomy))), max_size=6)


def change(*targets: Ref) -> Change:
    return Change("x", targets[0], tuple(ApiCall("patch", "/", target) for target in targets), "")


def ref(namespace: str, kind: str = "Pod", name: str = "x") -> Ref:
    return Ref("lab", "", kind, namespace, name)


@pytest.mark.parametrize(
    ("cluster", "namespace", "expected"),
    [
        ("prod-eu", "shop", 1),
        ("prod-eu", "", 1),
        ("prod-eu", "payments", 2),
        ("prod-us", "payments", 4),
        ("prod-us", "dev-a", 3),
        ("prod-eu", "dev-a", 1),  # a scope of the cluster and one of the namespace, of which neither says more
    ],
)
def test_the_most_specific_scope_holds(cluster: str, namespace: str, expected: int) -> None:
    assert level_of(cluster, namespace, Autonomy.AGENT, scopes(TEXT)) == expected


def test_a_name_says_more_than_a_pattern_and_more_letters_more_than_fewer() -> None:
    known = scopes("*=4;prod-*=3;prod-e*=2;prod-eu=1")

    assert [level_of(name, "", Autonomy.ADVISOR, known) for name in ("x", "prod-us", "prod-ex", "prod-eu")] == [
        4,
        3,
        2,
        1,
    ]


def test_a_cluster_whose_name_has_a_slash_is_written_with_its_namespaces() -> None:
    known = scopes("arn:aws:eks:eu-1:12:cluster/prod/*=1; arn:aws:eks:eu-1:12:cluster/prod/dev=3")

    assert level_of("arn:aws:eks:eu-1:12:cluster/prod", "shop", Autonomy.AGENT, known) == 1
    assert level_of("arn:aws:eks:eu-1:12:cluster/prod", "dev", Autonomy.AGENT, known) == 3


@pytest.mark.parametrize("text", ["prod", "prod=", "prod=5", "=1", "prod/=1", "/dev=1", "prod=two", "a=1;a=2", "a=1;b"])
def test_a_broken_entry_is_named(text: str) -> None:
    with pytest.raises(ScopesInvalid, match=text.rsplit(";", maxsplit=1)[-1].replace("=", "=")):
        scopes(text)


def test_a_change_takes_the_lowest_level_of_all_that_it_touches() -> None:
    known = scopes("lab=4;lab/payments=2")

    assert level(change(ref("shop")), "lab", Autonomy.ADVISOR, known) == 4
    assert level(change(ref("shop"), ref("payments")), "lab", Autonomy.ADVISOR, known) == 2
    assert level(change(ref("", "Namespace", "payments")), "lab", Autonomy.ADVISOR, known) == 2
    assert level(change(ref("", "Node")), "lab", Autonomy.ADVISOR, known) == 4


@given(NAMES, SPACES, SCOPES, st.sampled_from(list(Autonomy)))
def test_the_order_of_scopes_has_no_meaning_and_the_default_only_holds_where_no_scope_does(
    cluster: str, namespace: str, known: list[Scope], default: Autonomy
) -> None:
    found = level_of(cluster, namespace, default, known)
    fitting = [item for item in known if fnmatchcase(cluster, item.cluster) and fnmatchcase(namespace, item.namespace)]

    assert found == level_of(cluster, namespace, default, list(reversed(known)))
    assert found in {item.level for item in fitting} if fitting else found == default


@given(NAMES, SPACES, SCOPES, st.sampled_from(list(Autonomy)))
def test_a_scope_that_names_both_is_overruled_by_nothing_but_its_like(
    cluster: str, namespace: str, known: list[Scope], wanted: Autonomy
) -> None:
    if not namespace:
        return
    exact = Scope(cluster, namespace, wanted)
    others = [item for item in known if (item.cluster, item.namespace) != (cluster, namespace)]

    assert level_of(cluster, namespace, Autonomy.ADVISOR, [*others, exact]) == wanted


@given(NAMES, SPACES, SCOPES)
def test_a_scope_holds_or_yields_to_one_that_is_never_less_specific(
    cluster: str, namespace: str, known: list[Scope]
) -> None:
    fitting = [item for item in known if item.covers(cluster, namespace)]

    assert not any(one.yields_to(other) and other.yields_to(one) for one in fitting for other in fitting)
    assert not fitting or any(not any(one.yields_to(other) for other in fitting) for one in fitting)
