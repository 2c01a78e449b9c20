"""Changes of workloads: restart, scale, new image. What kubectl would send, and why it would refuse."""

from __future__ import annotations

from typing import Any

from kubesteward_policies.change import JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall, Change
from kubesteward_tools.errors import AskDifferently, InvalidArguments
from kubesteward_tools.lookup.targets import Found
from kubesteward_tools.twin.clock import timestamp

RESTARTED = "kubectl.kubernetes.io/restartedAt"
RESTARTABLE = ("Deployment", "StatefulSet", "DaemonSet")
MOST_REPLICAS = 10_000


def path_of(found: Found, subresource: str = "") -> str:
    return found.type.path(found.key.namespace, found.key.name, subresource)


def restart(found: Found, now: float) -> Change:
    """A new annotation in the pod template, which rolls every pod (as `kubectl rollout restart`).

    Raises:
        InvalidArguments: the kind has no roll-out. AskDifferently: the roll-out is paused.
    """
    _check_restartable(found)
    template = {"metadata": {"annotations": {RESTARTED: timestamp(now)}}}
    body = {"spec": {"template": template}}
    call = ApiCall("patch", path_of(found), found.ref, body, STRATEGIC_PATCH)
    return Change("restart_rollout", found.ref, (call,), f"Restart {found.label}")


def _check_restartable(found: Found) -> None:
    kind, spec = found.type.kind, found.obj.get("spec") or {}
    if kind not in RESTARTABLE:
        todo = f"It works for {', '.join(RESTARTABLE)}; a Pod is restarted by deleting it."
        raise InvalidArguments(f"{found.label} has no roll-out to restart.", todo=todo)
    if spec.get("paused"):
        raise AskDifferently(f"{found.label} is paused, so a restart would do nothing.", todo="Resume it first.")
    strategy = (spec.get("updateStrategy") or {}).get("type")
    if strategy == "OnDelete":
        todo = "Delete its pods one by one instead."
        raise AskDifferently(f"{found.label} updates its pods only when they are deleted (OnDelete).", todo=todo)


def scale(found: Found, replicas: int, expected: int | None = None) -> Change:
    """The scale subresource set to `replicas`; with `expected`, only while it still stands at that.

    Raises:
        InvalidArguments: the kind cannot be scaled. AskDifferently: it is not at `expected`, or already there.
    """
    if "scale" not in found.type.subresources and "replicas" not in (found.obj.get("spec") or {}):
        todo = "Scale the Deployment, StatefulSet or ReplicaSet that owns the pods."
        raise InvalidArguments(f"{found.label} cannot be scaled.", todo=todo)
    current = (found.obj.get("spec") or {}).get("replicas", 1)
    if expected is not None and expected != current:
        raise AskDifferently(f"{found.label} has {current} replicas, not {expected}.", todo="Look again, then decide.")
    if current == replicas:
        raise AskDifferently(f"{found.label} has {replicas} replicas already.", todo="Nothing is to be done.")
    patch, content = _scaling(replicas, expected)
    call = ApiCall("patch", path_of(found, "scale"), found.ref, patch, content)
    return Change("scale_workload", found.ref, (call,), f"Scale {found.label} from {current} to {replicas} replicas")


def _scaling(replicas: int, expected: int | None) -> tuple[Any, str]:
    if expected is None:
        return {"spec": {"replicas": replicas}}, MERGE_PATCH
    field = "/spec/replicas"
    test = {"op": "test", "path": field, "value": expected}
    return [test, {"op": "replace", "path": field, "value": replicas}], JSON_PATCH


def set_image(found: Found, image: str, container: str = "") -> Change:
    """A new image for one container of the pod template.

    Raises:
        InvalidArguments: there is no template, or it is not clear which container is meant.
    """
    spec = ((found.obj.get("spec") or {}).get("template") or {}).get("spec") or {}
    names = [item["name"] for item in spec.get("containers") or ()]
    if not names:
        raise InvalidArguments(f"{found.label} has no pod template.", todo="Name its workload.")
    chosen = container or (names[0] if len(names) == 1 else "")
    if chosen not in names:
        raise InvalidArguments(
            f"{found.label} has no container {container!r}." if container else f"{found.label} has several containers.",
            todo=f"Name one of: {', '.join(names)}.",
        )
    body = {"spec": {"template": {"spec": {"containers": [{"name": chosen, "image": image}]}}}}
    call = ApiCall("patch", path_of(found), found.ref, body, STRATEGIC_PATCH)
    return Change("set_image", found.ref, (call,), f"Set the image of {found.label} {chosen} to {image}")
