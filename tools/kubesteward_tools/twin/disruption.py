"""PodDisruptionBudgets: what a budget allows right now. API doc: policy/v1; KEP-85, KEP-3017 (unhealthy pods)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from kubesteward_tools.twin.standing import Standing
from kubesteward_tools.twin.worlds import store_of, whole
from kubesteward_tools.world.store import Key, Object, Store

_BUDGETS = "poddisruptionbudgets.policy"
_NUMBERS = ("expectedPods", "desiredHealthy", "currentHealthy")
_SCALED = {
    "ReplicaSet": "replicasets.apps",
    "Deployment": "deployments.apps",
    "StatefulSet": "statefulsets.apps",
    "ReplicationController": "replicationcontrollers",
}


def is_ready(pod: Object) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(item["type"] == "Ready" and item["status"] == "True" for item in conditions)


def is_healthy(pod: Object) -> bool:
    return is_ready(pod) and "deletionTimestamp" not in pod["metadata"]


def controller_of(obj: Object) -> dict[str, Any] | None:
    owners = obj["metadata"].get("ownerReferences") or ()
    return next((owner for owner in owners if owner.get("controller")), None)


def budgets_of(store: Store, pod: Object) -> list[Object]:
    """The budgets whose selector matches the pod. In policy/v1 an empty selector matches every pod."""
    namespace, labels = pod["metadata"].get("namespace", ""), pod["metadata"].get("labels")
    found = map(store.get, store.selecting(_BUDGETS, namespace, labels))
    return [budget for budget in found if budget is not None]


def pods_of(store: Store, budget: Object) -> list[Standing]:
    """The pods that the budget's selector matches."""
    keys = store.selected("pods", budget["metadata"]["namespace"], budget["spec"].get("selector"))
    return [pod for key in keys if (pod := standing_of(store, key)) is not None]


def standing_of(store: Store, key: Key) -> Standing | None:
    facts = store.facts(key)
    return facts.standing if facts is not None else None


def status(world: Any, pdb: Object | str) -> dict[str, Any]:
    """The status that the disruption controller would write for a budget now. API doc: policy/v1 PodDisruptionBudget.

    Args:
        world: a Store, a World, or a list of Kubernetes objects: pods, and the controllers that own them (a budget with
            a percentage or maxUnavailable goes by their `spec.replicas`).
        pdb: the PodDisruptionBudget, which need not be in the world, or its "namespace/name" there.

    Returns:
        {"expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed"}, all whole numbers; without
        `disruptedPods` and conditions. Where the scale of a pod's controller cannot be read, it allows nothing and
        leaves the other numbers as they are.

    Raises:
        ValueError, TypeError: the world or the budget cannot be read. KeyError: it has no budget of that name.
    """
    store = store_of(world)
    budget = _budget(store, pdb)
    pods = pods_of(store, budget)
    expectation = _expectation(store, budget, pods)
    if expectation is None:
        old = budget.get("status") or {}
        return {**{name: old.get(name, 0) for name in _NUMBERS}, "disruptionsAllowed": 0}
    expected, desired = expectation
    healthy = sum(pod.healthy for pod in pods)
    return {
        "expectedPods": expected,
        "desiredHealthy": desired,
        "currentHealthy": healthy,
        "disruptionsAllowed": max(0, healthy - desired) if expected > 0 else 0,
    }


def _budget(store: Store, pdb: Object | str) -> Object:
    if isinstance(pdb, str):
        namespace, _, name = pdb.rpartition("/")
        found = store.get(Key(_BUDGETS, namespace or "default", name))
        if found is None:
            raise KeyError(f"there is no PodDisruptionBudget {pdb}")
        return found
    if "namespace" in pdb.get("metadata", ()) and "spec" in pdb:
        return pdb
    metadata = pdb.get("metadata") or {}
    return whole({"spec": {}, **pdb}, Key(_BUDGETS, metadata.get("namespace") or "default", metadata.get("name") or ""))


def can_be_computed(store: Store, budget: Object) -> bool:
    """Whether the controller can say how many pods the budget expects."""
    return _expectation(store, budget, pods_of(store, budget)) is not None


def _expectation(store: Store, budget: Object, pods: list[Standing]) -> tuple[int, int] | None:
    """Expected pods and the healthy ones among them that the budget wants; None where a scale cannot be found."""
    spec, namespace = budget["spec"], budget["metadata"]["namespace"]
    if (most := spec.get("maxUnavailable")) is not None:
        expected = _expected_scale(store, namespace, pods)
        return None if expected is None else (expected, max(0, expected - rounded_up(most, expected)))
    least = spec.get("minAvailable")
    if least is None:
        return 0, 0
    if isinstance(least, int):
        return len(pods), least
    expected = _expected_scale(store, namespace, pods)
    return None if expected is None else (expected, rounded_up(least, expected))


def rounded_up(value: Any, total: int) -> int:
    """An IntOrString of a total; percentages round up."""
    text = str(value)
    return -(-int(text[:-1]) * total // 100) if text.endswith("%") else int(text)


def _expected_scale(store: Store, namespace: str, pods: Iterable[Standing]) -> int | None:
    """The sum of the scales of the pods' controllers; None when one cannot be scaled. Pods without any do not count."""
    scales: dict[str, int] = {}
    for owner in {pod.controller: None for pod in pods}:
        if owner is None:
            continue
        found = _scale(store, namespace, owner.kind, owner.name)
        if found is None:
            return None
        uid, replicas = found
        scales[uid] = replicas
    return sum(scales.values())


def _scale(store: Store, namespace: str, kind: str, name: str) -> tuple[str, int] | None:
    """The topmost scalable controller and its replicas: a Deployment stands in for its ReplicaSets."""
    resource = _SCALED.get(kind)
    obj = store.get(Key(resource, namespace, name)) if resource else None
    if obj is None:
        return None
    above = controller_of(obj)
    if above is not None and (found := _scale(store, namespace, above["kind"], above["name"])):
        return found
    return obj["metadata"]["uid"], obj["spec"].get("replicas", 1)
