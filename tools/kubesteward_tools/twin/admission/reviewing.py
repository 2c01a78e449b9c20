"""An attempt as policies and webhooks see it: an AdmissionRequest and its objects. API doc: admission.k8s.io/v1."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin import scale
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.identity import CONTROL_PLANE, User
from kubesteward_tools.world.store import Key, Object

_VIEWS = {
    "scale": ("autoscaling", "v1", "Scale"),
    "eviction": ("policy", "v1", "Eviction"),
    "binding": ("", "v1", "Binding"),
}
_SERVICE_ACCOUNT = "system:serviceaccount:"
_NAMESPACE_FIELDS = (
    "name",
    "generateName",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "labels",
    "annotations",
    "finalizers",
)


def request_of(attempt: Attempt) -> dict[str, Any]:
    """The AdmissionRequest without objects; empty optional fields are left out, as in JSON."""
    kind = attempt.kind
    group, version, name = _VIEWS.get(attempt.subresource, (kind.group, kind.version, kind.kind))
    what = {"group": group, "version": version, "kind": name}
    where = {"group": kind.group, "version": kind.version, "resource": kind.plural}
    optional = {
        "subResource": attempt.subresource,
        "requestSubResource": attempt.subresource,
        "name": attempt.name,
        "namespace": attempt.name if attempt.resource == "namespaces" else attempt.namespace,
    }
    word = attempt.operation.capitalize()
    return {
        "uid": "",
        "kind": what,
        "resource": where,
        "requestKind": dict(what),
        "requestResource": dict(where),
        "operation": attempt.operation,
        "userInfo": user_info(attempt.user),
        "dryRun": attempt.dry_run,
        "options": {"apiVersion": "meta.k8s.io/v1", "kind": f"{word}Options"},
        **{key: value for key, value in optional.items() if value},
    }


def user_info(user: User) -> dict[str, Any]:
    """Controllers of the twin pass authorization by a group that they do not really have."""
    groups = [item for item in user.groups if user != CONTROL_PLANE or item != "system:masters"]
    if user.name.startswith(_SERVICE_ACCOUNT):
        namespace = user.name.removeprefix(_SERVICE_ACCOUNT).partition(":")[0]
        own = ["system:serviceaccounts", f"system:serviceaccounts:{namespace}", "system:authenticated"]
        groups = [*own, *(item for item in groups if item not in {*own, "system:masters"})]
    found = {"username": user.name, "uid": user.uid, "groups": groups}
    return {key: value for key, value in found.items() if value}


def objects_of(attempt: Attempt) -> tuple[Object | None, Object | None]:
    """The new and the old object, None where there is none."""
    new = None if attempt.operation == "DELETE" else _seen(attempt, attempt.obj)
    old = None if attempt.operation == "CREATE" or attempt.old is None else _seen(attempt, attempt.old)
    return new, old


def _seen(attempt: Attempt, obj: Object) -> Object:
    kind = attempt.kind
    if attempt.subresource == "scale":
        return scale.read(obj)
    if attempt.subresource in _VIEWS:
        group, version, name = _VIEWS[attempt.subresource]
        return {"apiVersion": f"{group}/{version}" if group else version, "kind": name, **obj}
    metadata = {name: value for name, value in obj["metadata"].items() if value not in ({}, [])}
    whole = {"apiVersion": kind.api_version, "kind": kind.kind, **obj, "metadata": metadata}
    if "status" in kind.subresources:
        whole.setdefault("status", {})
    return whole


def namespace_of(attempt: Attempt) -> Object | None:
    """The namespace of what is written, None for what has none; a namespace is not its own."""
    if not attempt.kind.namespaced:
        return None
    found = attempt.store.get(Key("namespaces", "", attempt.namespace))
    if found is None:
        return None
    metadata = {name: found["metadata"][name] for name in _NAMESPACE_FIELDS if name in found["metadata"]}
    parts = {name: value for name, value in found.items() if name in {"spec", "status"}}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata, **parts}
