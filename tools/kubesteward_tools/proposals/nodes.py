"""Changes of nodes: cordon, uncordon, drain, and the eviction of one pod."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from kubesteward_policies.change import STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import AskDifferently, InvalidArguments
from kubesteward_tools.lookup.targets import Found
from kubesteward_tools.proposals.workloads import path_of
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.store import Object

_MIRROR = "kubernetes.io/config.mirror"
_FINISHED = frozenset({"Succeeded", "Failed"})
_SHOWN = 5


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


def drain(found: Found, *, force: bool = False, delete_emptydir_data: bool = False) -> Change:
    """Cordon, then evict what `kubectl drain --ignore-daemonsets` evicts: every pod but mirror pods and those that a
    DaemonSet would start again at once. The pods' world must have been seen.

    Raises:
        AskDifferently: pods would not come back, or would lose what they have written; says which and what to say.
    """
    _check(found, "Node")
    store = found.world.store
    on_it = (pod for key in store.pods_on(found.key.name) if (pod := store.get(key)) is not None)
    pods = sorted((pod for pod in on_it if _leaves(pod)), key=lambda pod: (pod["metadata"]["namespace"], _name(pod)))
    bare = [_path(pod) for pod in pods if _runs(pod) and not _controlled(pod)]
    full = [_path(pod) for pod in pods if _runs(pod) and _has_emptydir(pod)]
    if bare and not force:
        why = f"nothing would bring back {_listed(bare)} on {found.label}: no controller owns it."
        raise AskDifferently(why, todo="Say force=true to evict all the same.")
    if full and not delete_emptydir_data:
        why = f"what {_listed(full)} keeps in emptyDir volumes on {found.label} would be lost."
        raise AskDifferently(why, todo="Say delete_emptydir_data=true to evict all the same.")
    mark = () if (found.obj.get("spec") or {}).get("unschedulable") else (_marking(found, on=True),)
    calls = (*mark, *(_eviction(found.world.cluster, pod) for pod in pods))
    if not calls:
        raise AskDifferently(f"{found.label} is drained already.", todo="Nothing is to be done.")
    plural = "" if len(pods) == 1 else "s"
    words = f"Drain {found.label}: {'cordon it and ' if mark else ''}evict {len(pods)} pod{plural}"
    words += f"; for good {_listed(bare)}" if bare else ""
    words += f"; with emptyDir data {_listed(full)}" if full else ""
    return Change("drain_node", found.ref, calls, words)


def evict(found: Found, grace_seconds: int | None = None) -> Change:
    """Raises AskDifferently for a pod that is on its way out already."""
    _check(found, "Pod")
    if "deletionTimestamp" in found.obj["metadata"]:
        raise AskDifferently(f"{found.label} is being deleted already.", todo="Wait for it to go.")
    call = _eviction(found.world.cluster, found.obj, grace_seconds)
    return Change("evict_pod", found.ref, (call,), f"Evict {found.label}")


def _leaves(pod: Object) -> bool:
    metadata = pod["metadata"]
    if _MIRROR in (metadata.get("annotations") or {}) or "deletionTimestamp" in metadata:
        return False
    return not _runs(pod) or "DaemonSet" not in (item.get("kind") for item in _controllers(pod))


def _runs(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") not in _FINISHED


def _controllers(pod: Object) -> Iterator[dict[str, Any]]:
    return (item for item in pod["metadata"].get("ownerReferences") or () if item.get("controller"))


def _controlled(pod: Object) -> bool:
    return next(_controllers(pod), None) is not None


def _has_emptydir(pod: Object) -> bool:
    return any("emptyDir" in volume for volume in pod["spec"].get("volumes") or ())


def _name(pod: Object) -> str:
    return str(pod["metadata"]["name"])


def _path(pod: Object) -> str:
    return f"{pod['metadata']['namespace']}/{_name(pod)}"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def _eviction(cluster: str, pod: Object, grace_seconds: int | None = None) -> ApiCall:
    """Of this very pod: a StatefulSet's next one has the same name."""
    namespace, name = pod["metadata"]["namespace"], _name(pod)
    kind = by_kind("", "Pod")
    assert kind is not None  # noqa: S101 - Pod is built in
    options: dict[str, Any] = {}
    if pod["metadata"].get("uid"):
        options["preconditions"] = {"uid": pod["metadata"]["uid"]}
    if grace_seconds is not None:
        options["gracePeriodSeconds"] = grace_seconds
    body: dict[str, Any] = {"apiVersion": "policy/v1", "kind": "Eviction"}
    body["metadata"] = {"name": name, "namespace": namespace}
    if options:
        body["deleteOptions"] = options
    return ApiCall("create", kind.path(namespace, name, "eviction"), Ref(cluster, "", "Pod", namespace, name), body)
