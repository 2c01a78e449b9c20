"""The window of history: what was, what changed, who did it, and what people call it."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.tools.world.objects import obj, owned

from kubesteward_tools.world.changes import told
from kubesteward_tools.world.diff import differences
from kubesteward_tools.world.history import Change, History, Limits
from kubesteward_tools.world.packing import Packing
from kubesteward_tools.world.store import Key, Object, Store

WEB = Key("deployments.apps", "shop", "web")


class Clocked:
    """A packed store with a history whose clock the test moves."""

    def __init__(self, **limits: Any) -> None:
        self.now = 1000.0
        self.store = Store(Packing())
        self.history = History(self.store, lambda: self.now, lambda resource, namespace: True, Limits(**limits))

    def put(self, key: Key, item: Object, at: float) -> None:
        self.now = at
        self.store.put(key, item, json.dumps(item).encode())

    def told(self, since: float = 0, until: float = 1e12) -> list[str]:
        return [told(change).text for change in self.history.changes(since, until, lambda key: True)]


def deployment(image: str = "web:1", replicas: int = 3, **more: Any) -> Object:
    template = {"metadata": {}, "spec": {"containers": [{"name": "app", "image": image, **more}]}}
    return obj("Deployment", "web", "apps/v1", spec={"replicas": replicas, "template": template})


def test_a_new_image_is_a_rollout_and_says_from_what_to_what() -> None:
    lab = Clocked()
    lab.put(WEB, deployment(), 1000)
    lab.put(WEB, deployment("web:2"), 1010)

    assert lab.told() == ["containers[app].image web:1 -> web:2", "created"]


@pytest.mark.parametrize(
    ("before", "after", "kind", "text"),
    [
        (deployment(), deployment(replicas=5), "scale", "replicas 3 -> 5"),
        (
            deployment(),
            {**deployment(), "spec": {**deployment()["spec"], "paused": True}},
            "change",
            "spec.paused = true",
        ),
        (
            obj("ConfigMap", "c", data={"a": "1"}),
            obj("ConfigMap", "c", data={"a": "2", "b": "x"}),
            "config",
            "new content: a, b",
        ),
        (obj("Node", "n", spec={}), obj("Node", "n", spec={"unschedulable": True}), "node", "cordoned"),
        (obj("Node", "n", spec={"unschedulable": True}), obj("Node", "n", spec={}), "node", "uncordoned"),
    ],
)
def test_changes_are_called_what_people_call_them(before: Object, after: Object, kind: str, text: str) -> None:
    lab = Clocked()
    key = Key({"ConfigMap": "configmaps", "Node": "nodes"}.get(before["kind"], "deployments.apps"), "shop", "x")
    lab.put(key, before, 1000)
    lab.put(key, after, 1010)
    (change,) = lab.history.changes(1005, 1e12, lambda key: True)

    assert (told(change).kind, told(change).text, told(change).grave) == (kind, text, True)


def test_a_node_that_stops_answering_is_told_by_its_condition() -> None:
    def node(ready: str, beat: str) -> Object:
        condition = {"type": "Ready", "status": ready, "lastHeartbeatTime": beat, "reason": f"R{ready}"}
        return obj("Node", "n1", status={"conditions": [condition]})

    lab = Clocked()
    key = Key("nodes", "", "n1")
    lab.put(key, node("True", "1"), 1000)
    lab.put(key, node("True", "2"), 1010)
    lab.put(key, node("Unknown", "3"), 1020)

    assert lab.told() == ["Ready True -> Unknown", "created"]


def test_a_container_that_ended_says_why() -> None:
    def pod(restarts: int, **last: Any) -> Object:
        status = {"name": "app", "restartCount": restarts, "lastState": {"terminated": last} if last else {}}
        return obj("Pod", "p", status={"containerStatuses": [status]})

    lab = Clocked()
    key = Key("pods", "shop", "p")
    lab.put(key, pod(0), 1000)
    lab.put(key, pod(1, reason="OOMKilled", exitCode=137), 1010)

    assert lab.told()[0] == "app restarted (1 times): OOMKilled, exit code 137"


def test_what_a_controller_makes_and_takes_is_routine() -> None:
    lab = Clocked()
    key = Key("pods", "shop", "p")
    lab.put(key, owned(obj("Pod", "p"), obj("ReplicaSet", "r", "apps/v1")), 1000)
    lab.store.delete(key)
    lab.put(key, obj("Pod", "p"), 1010)

    assert [told(change).grave for change in lab.history.changes(0, 1e12, lambda key: True)] == [True, False, False]


def test_the_value_of_a_variable_with_a_telling_name_is_never_told() -> None:
    lab = Clocked()
    lab.put(WEB, deployment(env=[{"name": "DB_PASSWORD", "value": "hunter2"}]), 1000)
    lab.put(WEB, deployment(env=[{"name": "DB_PASSWORD", "value": "hunter3"}]), 1010)

    assert lab.told()[0] == "containers[app].env[DB_PASSWORD].value changed"


def test_who_wrote_is_read_from_managed_fields() -> None:
    def written(*managers: tuple[str, str], replicas: int) -> Object:
        fields = [{"manager": name, "time": time, "operation": "Update"} for name, time in managers]
        made = deployment(replicas=replicas)
        return {**made, "metadata": {**made["metadata"], "managedFields": fields}}

    lab = Clocked()
    lab.put(WEB, written(("kubectl", "2026-01-01T00:00:00Z"), replicas=1), 1000)
    lab.put(WEB, written(("kubectl", "2026-01-01T00:00:00Z"), ("argocd", "2026-01-02T00:00:00Z"), replicas=2), 1010)

    assert [change.author for change in lab.history.changes(0, 1e12, lambda key: True)] == ["argocd", "kubectl"]


def test_the_state_at_a_time_is_what_was_there_then() -> None:
    lab = Clocked()
    lab.put(WEB, deployment(replicas=1), 1000)
    lab.put(WEB, deployment(replicas=2), 1010)
    lab.now = 1020
    lab.store.delete(WEB)

    def replicas(at: float) -> int | None:
        found = lab.history.state_at(WEB, at)
        return None if found is None else int(found["spec"]["replicas"])

    assert [replicas(at) for at in (1000, 1009, 1010, 1019, 1020)] == [1, 1, 2, 2, None]


def test_nothing_is_said_of_the_time_before_the_window() -> None:
    lab = Clocked(window=60.0)
    lab.put(WEB, deployment(), 1000)
    lab.put(WEB, deployment(replicas=4), 1100)

    assert lab.told() == ["replicas 3 -> 4"]
    with pytest.raises(ValueError, match="begins later"):
        lab.history.state_at(WEB, 1001)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 5000), min_size=1, max_size=60))
def test_the_window_never_grows_past_its_bytes(sizes: list[int]) -> None:
    lab = Clocked(most_bytes=10_000)
    for number, size in enumerate(sizes):
        lab.put(WEB, deployment(f"{number}{'x' * size}"), 1000.0 + number)
        versions, cost = lab.history.size()
        assert cost <= 10_000
        assert versions <= number + 1


def test_what_the_first_list_brings_is_no_change() -> None:
    store = Store(Packing())
    listed = set[str]()
    history = History(store, lambda: 1.0, lambda resource, namespace: resource in listed)
    store.put(WEB, deployment())
    listed.add("deployments.apps")
    store.put(WEB, deployment(replicas=9))

    assert history.size()[0] == 1


def test_things_with_names_are_compared_by_name_and_not_by_place() -> None:
    first, second = {"name": "a", "image": "a:1"}, {"name": "b", "image": "b:1"}
    found = differences(
        {"spec": {"containers": [first, second]}}, {"spec": {"containers": [second, {**first, "image": "a:2"}]}}
    )

    assert [tuple(item) for item in found] == [("spec.containers[a].image", "a:1", "a:2")]


def test_what_ticks_is_no_difference() -> None:
    before = obj("Deployment", "web", "apps/v1", status={"observedGeneration": 1})
    after = copy.deepcopy(before)
    after["metadata"] |= {"resourceVersion": "9", "generation": 2, "managedFields": []}
    after["status"]["observedGeneration"] = 2

    assert differences(before, after) == []


plain = st.recursive(
    st.none() | st.booleans() | st.integers(0, 3) | st.sampled_from(["", "a"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "a", "b"]), inner, max_size=3),
    max_leaves=8,
)
bodies = st.fixed_dictionaries({"spec": plain, "status": plain, "metadata": st.fixed_dictionaries({"labels": plain})})


@settings(max_examples=150, deadline=None)
@given(bodies, bodies)
def test_two_objects_differ_when_they_are_different_and_any_difference_can_be_told(
    before: Object, after: Object
) -> None:
    found = differences(before, after)

    assert (found == []) == (_ordered(before) == _ordered(after))
    assert told(Change(0, WEB, before, after, tuple(found), "")).text is not None
    assert differences(before, copy.deepcopy(before)) == []


def _ordered(value: Any) -> Any:
    """Lists of things with different names have no order; nothing and null are the same."""
    if isinstance(value, dict):
        return {key: item for key, entry in value.items() if (item := _ordered(entry)) is not None}
    if isinstance(value, list):
        items = [_ordered(item) for item in value]
        return (
            sorted(items, key=repr)
            if value and all(isinstance(x, dict) and isinstance(x.get("name"), str | int) for x in value)
            else items
        )
    return value
