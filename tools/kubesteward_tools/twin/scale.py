"""The scale subresource: a small object that stands for the replicas of a big one. API doc: autoscaling/v1 Scale."""

from __future__ import annotations

import copy
from typing import Any

from kubesteward_tools.twin.selectors import describe
from kubesteward_tools.twin.status import bad_request
from kubesteward_tools.world.store import Object

_METADATA = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def read(obj: Object) -> Object:
    """The Scale of a Deployment, ReplicaSet, StatefulSet or ReplicationController."""
    status: dict[str, Any] = {"replicas": (obj.get("status") or {}).get("replicas", 0)}
    selector = describe(obj["spec"].get("selector"))
    if selector != "<none>":
        status["selector"] = selector
    return document(obj, obj["spec"].get("replicas", 0), status)


def document(obj: Object, replicas: int, status: dict[str, Any]) -> Object:
    """The Scale that stands for an object."""
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: obj["metadata"][key] for key in _METADATA if key in obj["metadata"]},
        "spec": {"replicas": replicas},
        "status": status,
    }


def written(obj: Object, scale: Object) -> Object:
    """The object with the replicas that a Scale asks for, and with its precondition if it has one.

    Raises:
        ApiError: 400 when the replicas are no number.
    """
    new = copy.deepcopy(obj)
    new["spec"]["replicas"] = replicas_in(scale)
    return conditional(new, scale)


def replicas_in(scale: Object) -> int:
    """What a Scale asks for. Raises ApiError 400 when it is no number."""
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or isinstance(replicas, bool):
        raise bad_request('Scale in version "v1" cannot be handled as a Scale: spec.replicas must be a number')
    return replicas


def conditional(new: Object, scale: Object) -> Object:
    """The new object (which is changed), to be written only over the version that the Scale was read from."""
    if version := (scale.get("metadata") or {}).get("resourceVersion"):
        new["metadata"]["resourceVersion"] = version
    return new
