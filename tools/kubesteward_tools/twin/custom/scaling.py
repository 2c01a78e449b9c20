"""The scale subresource of custom resources: a definition says where replicas and selector stand."""

from __future__ import annotations

import copy
from typing import Any

from kubesteward_tools.twin import scale
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Object


def read(obj: Object, paths: dict[str, str]) -> Object:
    """The Scale of an object; `paths` is the definition's `subresources.scale`.

    Raises:
        ApiError: 500 where the object has no replicas.
    """
    replicas = _at(obj, paths["specReplicasPath"])
    if replicas is None:
        why = f'the spec replicas field "{paths["specReplicasPath"]}" does not exist'
        raise ApiError(500, "InternalError", f"Internal error occurred: {why}")
    status: dict[str, Any] = {"replicas": _at(obj, paths["statusReplicasPath"]) or 0}
    if (label := paths.get("labelSelectorPath")) and (selector := _at(obj, label)):
        status["selector"] = selector
    return scale.document(obj, replicas, status)


def written(obj: Object, wanted: Object, paths: dict[str, str]) -> Object:
    """The object with the replicas that a Scale asks for, and with its precondition if it has one.

    Raises:
        ApiError: 400 when the replicas are no number.
    """
    new = copy.deepcopy(obj)
    *way, last = _steps(paths["specReplicasPath"])
    place = new
    for step in way:
        place = place.setdefault(step, {})
    place[last] = scale.replicas_in(wanted)
    return scale.conditional(new, wanted)


def _steps(path: str) -> list[str]:
    return path.strip(".").split(".")


def _at(obj: Any, path: str) -> Any:
    for step in _steps(path):
        obj = obj.get(step) if isinstance(obj, dict) else None
    return obj
