"""Changes by name: from what somebody wants done to the exact API calls, and not one of them made."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.targets import Found, find
from kubesteward_tools.twin.clock import timestamp

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

RESTARTED = "kubectl.kubernetes.io/restartedAt"
ROLLED = {"Deployment", "StatefulSet", "DaemonSet"}
SCALED = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController"}
PATCHES = {"json": JSON_PATCH, "merge": MERGE_PATCH, "strategic": STRATEGIC_PATCH, "apply": APPLY_PATCH}
ACTIONS = ("apply", "delete", "patch", "restart", "scale")


def restart(found: Found, now: float) -> Change:
    """As `kubectl rollout restart` does it. Raises InvalidArguments for what does not roll."""
    if found.type.kind not in ROLLED:
        kinds = ", ".join(sorted(ROLLED))
        raise InvalidArguments(f"{found.label} cannot be restarted as a roll-out.", todo=f"These can: {kinds}.")
    body = {"spec": {"template": {"metadata": {"annotations": {RESTARTED: timestamp(now)}}}}}
    call = ApiCall("patch", _path(found), found.ref, body, STRATEGIC_PATCH)
    return Change("restart_rollout", found.ref, (call,), f"Restart {found.label}")


def scale(found: Found, replicas: int) -> Change:
    """Through the scale subresource. Raises InvalidArguments for what has none."""
    if found.type.kind not in SCALED:
        kinds = ", ".join(sorted(SCALED))
        raise InvalidArguments(f"{found.label} cannot be scaled.", todo=f"These can: {kinds}.")
    body = {"spec": {"replicas": replicas}}
    call = ApiCall("patch", _path(found, "scale"), found.ref, body, MERGE_PATCH)
    before = (found.obj.get("spec") or {}).get("replicas", 1)
    return Change("scale_workload", found.ref, (call,), f"Scale {found.label} from {before} to {replicas}")


def patch(found: Found, body: Any, patch_type: str) -> Change:
    """Raises InvalidArguments when the patch has not the form that its type wants."""
    if patch_type == "json" and not isinstance(body, list):
        raise InvalidArguments("a json patch is a list of operations.", todo='Example: [{"op":"replace",...}].')
    if patch_type != "json" and not isinstance(body, dict):
        raise InvalidArguments(f"a {patch_type} patch is an object.", todo='Example: {"spec":{"replicas":3}}.')
    query = (("force", "true"),) if patch_type == "apply" else ()
    call = ApiCall("patch", _path(found), found.ref, body, PATCHES[patch_type], query)
    return Change("patch_resource", found.ref, (call,), f"Patch {found.label} ({patch_type})")


def delete(found: Found) -> Change:
    call = ApiCall("delete", _path(found), found.ref)
    return Change("delete_resource", found.ref, (call,), f"Delete {found.label}")


def apply(world: World, manifest: dict[str, Any]) -> Change:
    """A manifest as it would be applied. Raises InvalidArguments, UnknownKind."""
    metadata = manifest.get("metadata") or {}
    if not manifest.get("kind") or not metadata.get("name"):
        raise InvalidArguments("a manifest needs kind and metadata.name.", todo="Add them.")
    kind = world.kind(str(manifest["kind"]))
    namespace = metadata.get("namespace") or "default" if kind.namespaced else ""
    ref = Ref(world.cluster, kind.group, kind.kind, namespace, metadata["name"])
    query = (("fieldManager", "kubesteward"), ("force", "true"))
    body = {"apiVersion": kind.api_version, **manifest}
    call = ApiCall("patch", kind.path(namespace, metadata["name"]), ref, body, APPLY_PATCH, query)
    return Change("apply_manifest", ref, (call,), f"Apply {ref}")


async def by_name(world: World, wanted: dict[str, Any], now: float) -> Change:
    """`wanted` has action, and what it needs: kind, name, namespace, replicas, patch, patch_type, manifest.

    Raises:
        InvalidArguments: says what is missing. ObjectNotFound, UnknownKind: with near names.
    """
    action = wanted.get("action")
    if action not in ACTIONS:
        raise InvalidArguments(f"there is no action {action!r}.", todo=f"Choose one of: {', '.join(ACTIONS)}.")
    if action == "apply":
        return apply(world, wanted.get("manifest") or {})
    if not wanted.get("name"):
        raise InvalidArguments(f"{action} needs kind and name.", todo="Say which object is meant.")
    found = await find(world, wanted.get("kind") or "Deployment", wanted["name"], wanted.get("namespace") or "")
    if action == "restart":
        return restart(found, now)
    if action == "delete":
        return delete(found)
    if action == "scale":
        if not isinstance(wanted.get("replicas"), int):
            raise InvalidArguments("scale needs replicas, a whole number.", todo="Add replicas.")
        return scale(found, wanted["replicas"])
    return patch(found, wanted.get("patch"), wanted.get("patch_type") or "strategic")


def _path(found: Found, subresource: str = "") -> str:
    return found.type.path(found.key.namespace, found.key.name, subresource)
