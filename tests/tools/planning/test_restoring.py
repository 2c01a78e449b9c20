"""What an action changed is put back wherever nobody else has changed it since."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from kubesteward_policies.change import JSON_PATCH
from kubesteward_tools.proposals.restoring import restored
from kubesteward_tools.twin.patches.patched import patched

VALUES = st.integers(0, 3)
FIELDS = st.dictionaries(st.sampled_from("abcd"), VALUES, max_size=4)
ITEMS = st.dictionaries(st.sampled_from(["x", "y", "z"]), FIELDS, max_size=3)


def obj(fields: dict[str, int], items: dict[str, dict[str, int]], **labels: str) -> dict[str, Any]:
    named = [{"name": name, **values} for name, values in items.items()]
    return {
        "apiVersion": "v1",
        "kind": "Thing",
        "metadata": {"name": "t", "labels": labels},
        "spec": {"fields": fields, "items": named},
    }


def applied(live: dict[str, Any], operations: list[dict[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = patched(live, operations, JSON_PATCH) if operations else live
    return found


def comparable(found: dict[str, Any]) -> dict[str, Any]:
    """Items with names stand in any order."""
    spec = found["spec"]
    return {**found, "spec": {**spec, "items": {item["name"]: item for item in spec["items"]}}}


@given(FIELDS, FIELDS, ITEMS, ITEMS)
def test_an_object_that_nobody_else_touched_is_as_before(
    old: dict[str, int], new: dict[str, int], items: dict[str, dict[str, int]], others: dict[str, dict[str, int]]
) -> None:
    before, after = obj(old, items), obj(new, others)
    found = restored(before, after, after)

    assert found.moved == []
    assert comparable(applied(after, found.patch())) == comparable(before)


@given(FIELDS, FIELDS, FIELDS, ITEMS)
def test_what_others_set_since_is_never_touched(
    old: dict[str, int], new: dict[str, int], since: dict[str, int], items: dict[str, dict[str, int]]
) -> None:
    before, after, live = obj(old, items), obj(new, items), obj(since, items, owner="bob")
    found = applied(live, restored(before, after, live).patch())["spec"]["fields"]
    for name in "abcd":
        ours = old.get(name) != new.get(name) and since.get(name) == new.get(name)

        assert found.get(name) == (old.get(name) if ours else since.get(name))


def test_a_secret_that_went_is_told_as_lost() -> None:
    before, after = obj({}, {}), obj({}, {})
    before["spec"]["token"] = "[REDACTED]"
    found = restored(before, after, after)

    assert (found.lost, found.patch()) == (["spec.token"], [])
