"""Selectors in specs and in queries agree with each other and with the API."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.twin import selectors

KEYS = st.sampled_from(["app", "tier", "example.com/zone"])
VALUES = st.sampled_from(["a", "b", "c-1"])
LABELS = st.dictionaries(KEYS, VALUES)


@given(LABELS)
def test_no_selector_matches_nothing_and_an_empty_one_everything(labels: dict[str, str]) -> None:
    assert not selectors.matches(None, labels)
    assert selectors.matches({}, labels)
    assert not selectors.matches_labels({}, labels)


@given(KEYS, st.sets(VALUES, min_size=1), LABELS)
def test_in_and_not_in_are_opposites(key: str, values: set[str], labels: dict[str, str]) -> None:
    said = {
        operator: selectors.matches(
            {"matchExpressions": [{"key": key, "operator": operator, "values": sorted(values)}]}, labels
        )
        for operator in ("In", "NotIn")
    }
    assert said["In"] is not said["NotIn"]


@given(KEYS, st.sets(VALUES, min_size=1), LABELS)
def test_a_query_means_what_the_same_selector_in_a_spec_means(
    key: str, values: set[str], labels: dict[str, str]
) -> None:
    spec = {"matchExpressions": [{"key": key, "operator": "In", "values": sorted(values)}]}
    query = f"{key} in ({', '.join(sorted(values))})"
    assert selectors.parse_label_selector(query)(labels) == selectors.matches(spec, labels)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", True),
        ("app=web", True),
        ("app==web,tier!=db", True),
        ("app in (api,web),!old", True),
        ("app notin (web)", False),
        ("!app", False),
        ("app", True),
        ("size>3", True),
        ("size<3", False),
        ("missing>3", False),
    ],
)
def test_a_query_is_read_part_by_part(query: str, expected: bool) -> None:
    assert selectors.parse_label_selector(query)({"app": "web", "size": "5"}) is expected


@pytest.mark.parametrize("query", ["app in", "=web", "a b", "app in (a", "size>big"])
def test_a_query_that_cannot_be_read_is_refused(query: str) -> None:
    with pytest.raises(ValueError, match=r"unable to parse|must be an integer"):
        selectors.parse_label_selector(query)


def test_a_field_selector_walks_paths_and_reads_absence_as_empty() -> None:
    pod = {"status": {"phase": "Running"}, "spec": {"unschedulable": True}}
    assert selectors.parse_field_selector("status.phase=Running,spec.nodeName!=n1,spec.unschedulable=true")(pod)
    assert selectors.parse_field_selector("spec.nodeName=")(pod)
    assert not selectors.parse_field_selector("status.phase!=Running")(pod)


def test_a_field_selector_without_operator_is_refused() -> None:
    with pytest.raises(ValueError, match="invalid field selector"):
        selectors.parse_field_selector("status.phase")


def test_a_selector_is_described_as_kubectl_prints_it() -> None:
    items = [{"key": "tier", "operator": "In", "values": ["b", "a"]}, {"key": "old", "operator": "DoesNotExist"}]
    assert (
        selectors.describe({"matchLabels": {"app": "web"}, "matchExpressions": items}) == "app=web,tier in (a,b),!old"
    )
    assert selectors.describe(None) == "<none>"
