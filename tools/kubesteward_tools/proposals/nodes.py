"""Changes of nodes: cordon, uncordon, drain, and the eviction of one pod."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_policies.change import STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskDifferently, InvalidArguments
from kubesteward_tools.lookup.targets import Found
from kubesteward_tools.proposals.workloads import path_of
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.store import Object

_MIRROR = "kubernetes.io/config.mirror"
_FINISHED = frozenset({"Succeeded", "Failed"})


def _check(found: Found, kind: str) -> None:
    if found.type.kind != kind:
        raise InvalidArguments(f"{found.label} is no {kind}.", todo=f"Name a {kind}.")


def cordon(found: Found, *, on: bool = True) -> Change:
    """Raises AskDifferently when nothing would change."""
    _check(found, "Node")
    word = "Cordon" if on else "Uncordon"
    if bool((found.obj.get("spec") or {}).get("unschedulable")) == on:
        raise AskDifferently(
            f"{found.label} is {'un' if on else ''}schedulable already.", todo="Nothing is to be done."
        )
    return Change(f"{word.lower()}_node", found.ref, (_marking(found, on=on),), f"{word} {found.label}")


def _marking(found: Found, *, on: bool) -> ApiCall:
    return ApiCall("patch", path_of(found), found.ref, {"spec": {"unschedulable": on}}, STRATEGIC_PATCH)


def drain(found: Found) -> Change:
    """Cordon, then evict every pod but those of DaemonSets, mirror pods and finished ones (as `kubectl drain`)."""
    _check(found, "Node")
    store = found.world.store
    pods = [pod for key in store.pods_on(found.key.name) if (pod := store.get(key)) is not None and _leaves(pod)]
    calls = (_marking(found, on=True), *(_eviction(found.world.cluster, pod) for pod in pods))
    return Change("drain_node", found.ref, calls, f"Drain {found.label}: cordon it and evict {len(pods)} pods")


def evict(found: Found) -> Change:
    _check(found, "Pod")
    return Change("evict_pod", found.ref, (_eviction(found.world.cluster, found.obj),), f"Evict {found.label}")


def _leaves(pod: Object) -> bool:
    metadata = pod["metadata"]
    if _MIRROR in (metadata.get("annotations") or {}) or "deletionTimestamp" in metadata:
        return False
    return (pod.get("status") or {}).get("phase") not in _FINISHED and "DaemonSet" not in _owners(pod)


def _owners(pod: Object) -> Iterator[str]:
    return (item.get("kind", "") for item in pod["metadata"].get("ownerReferences") or ())


def _eviction(cluster: str, pod: Object) -> ApiCall:
    namespace, name = pod["metadata"]["namespace"], pod["metadata"]["name"]
    kind = by_kind("", "Pod")
    assert kind is not None  # noqa: S101 - Pod is built in
    body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": name, "namespace": namespace}}
    return ApiCall("create", kind.path(namespace, name, "eviction"), Ref(cluster, "", "Pod", namespace, name), body)
