"""Patches do what their RFCs and the API's directives say, and leave the old object alone."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubesteward_tools.twin.patches import json_patch, merge_patch, strategic_patch
from kubesteward_tools.twin.status import ApiError

NAMES = st.sampled_from(["a", "b", "c"])
LEAVES = st.integers() | st.booleans() | st.text(max_size=3)
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3), max_leaves=8
)
OBJECTS = st.dictionaries(NAMES, JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_merge_patch_twice_is_a_merge_patch_once(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    once = merge_patch.apply(obj, patch)
    assert merge_patch.apply(once, patch) == once


@given(OBJECTS, OBJECTS)
def test_patching_leaves_the_old_object_alone(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    before = copy.deepcopy(obj)
    merge_patch.apply(obj, patch)
    strategic_patch.apply(obj, patch)
    json_patch.apply(obj, [{"op": "add", "path": "/a", "value": patch}])
    assert obj == before


@given(OBJECTS, OBJECTS)
def test_patching_leaves_the_patch_alone(obj: dict[str, Any], patch: dict[str, Any]) -> None:
    """Else what is judged a second time, and sent, is another change than the one that was judged first."""
    operations = [
        {"op": "add", "path": "/a", "value": [patch, patch]},
        {"op": "add", "path": "/a/0/d", "value": 1},
        {"op": "remove", "path": "/a/1"},
    ]
    before = copy.deepcopy((patch, operations))
    first = json_patch.apply(obj, operations)
    merged = merge_patch.apply(obj, patch), strategic_patch.apply(obj, patch)

    assert json_patch.apply(obj, operations) == first
    assert merged == (merge_patch.apply(obj, patch), strategic_patch.apply(obj, patch))
    assert (patch, operations) == before


def test_null_in_a_merge_patch_removes() -> None:
    assert merge_patch.apply({"a": {"b": 1, "c": 2}}, {"a": {"b": None}}) == {"a": {"c": 2}}


@given(OBJECTS, JSON)
def test_what_a_json_patch_adds_it_can_test_and_remove(obj: dict[str, Any], value: Any) -> None:
    steps = [
        {"op": "add", "path": "/x~1y", "value": value},
        {"op": "test", "path": "/x~1y", "value": value},
        {"op": "move", "from": "/x~1y", "path": "/z"},
        {"op": "remove", "path": "/z"},
    ]
    assert json_patch.apply(obj, steps) == obj


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/l/-", "value": 9}, [1, 2, 9]),
        ({"op": "add", "path": "/l/0", "value": 9}, [9, 1, 2]),
        ({"op": "replace", "path": "/l/1", "value": 9}, [1, 9]),
        ({"op": "remove", "path": "/l/0"}, [2]),
        ({"op": "copy", "from": "/l/1", "path": "/l/0"}, [2, 1, 2]),
    ],
)
def test_a_json_patch_edits_lists_by_index(operation: dict[str, Any], expected: list[int]) -> None:
    assert json_patch.apply({"l": [1, 2]}, [operation]) == {"l": expected}


@pytest.mark.parametrize(
    ("operations", "code"),
    [
        ({}, 400),
        ([{"op": "test", "path": "/a", "value": 2}], 422),
        ([{"op": "remove", "path": "/b"}], 422),
        ([{"op": "add", "path": "/l/7", "value": 1}], 422),
        ([{"op": "grow", "path": "/a"}], 422),
        ([{"op": "add", "path": "a", "value": 1}], 422),
    ],
)
def test_a_json_patch_that_cannot_be_done_is_refused(operations: Any, code: int) -> None:
    with pytest.raises(ApiError) as refused:
        json_patch.apply({"a": 1, "l": []}, operations)
    assert refused.value.code == code


def containers(*names: str) -> dict[str, Any]:
    return {"containers": [{"name": name, "image": name} for name in names]}


def test_a_strategic_patch_merges_containers_by_name() -> None:
    patched = strategic_patch.apply(containers("a", "b"), {"containers": [{"name": "b", "image": "new"}]})
    assert patched == {"containers": [{"name": "a", "image": "a"}, {"name": "b", "image": "new"}]}


def test_a_strategic_patch_deletes_and_replaces_elements_by_directive() -> None:
    doomed = {"containers": [{"name": "a", "$patch": "delete"}]}
    assert strategic_patch.apply(containers("a", "b"), doomed) == containers("b")
    replaced = {"containers": [{"$patch": "replace"}, {"name": "c", "image": "c"}]}
    assert strategic_patch.apply(containers("a", "b"), replaced) == containers("c")


def test_a_strategic_patch_orders_elements_by_directive() -> None:
    order = {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}
    assert strategic_patch.apply(containers("a", "b"), order) == containers("b", "a")


def test_a_strategic_patch_replaces_lists_without_a_merge_key() -> None:
    assert strategic_patch.apply({"args": [1, 2]}, {"args": [3]}) == {"args": [3]}


def test_a_strategic_patch_retains_only_the_keys_it_names() -> None:
    patch = {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}
    assert strategic_patch.apply({"strategy": {"type": "RollingUpdate", "rollingUpdate": {}}}, patch) == {
        "strategy": {"type": "Recreate"}
    }
