"""autoscaling/v1, which older clients still speak: the same HorizontalPodAutoscalers as v2, with one metric at most.

API doc: autoscaling/v1 HorizontalPodAutoscaler.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from kubesteward_tools.twin.route import Request, Response
from kubesteward_tools.world.store import Object

_OLD, _NEW = "autoscaling/v1", "autoscaling/v2"
_PLURAL = "horizontalpodautoscalers"
_METHODS = {"get": "GET", "create": "POST", "update": "PUT", "delete": "DELETE"}
_FIELD = "targetCPUUtilizationPercentage"


def served(path: str, method: str) -> str:
    """The path in the version that is served; lists and watches are not spoken in the old one, and stay unknown."""
    parts = path.strip("/").split("/")
    old = parts[:3] == ["apis", *_OLD.split("/")] and parts[3:4] == ["namespaces"] and parts[5:6] == [_PLURAL]
    return path.replace(_OLD, _NEW, 1) if old and (method == "POST" or len(parts) > 6) else path


def is_old(request: Request) -> bool:
    return request.verb in _METHODS and served(request.path, _METHODS[request.verb]) != request.path


def upgraded(request: Request) -> Request:
    """The request in the version that is served."""
    body = request.body
    if request.verb in {"create", "update"} and isinstance(body, dict) and isinstance(body.get("spec"), dict):
        spec = {name: value for name, value in body["spec"].items() if name != _FIELD}
        if (share := body["spec"].get(_FIELD)) is not None:
            spec["metrics"] = [_cpu(share)]
        body = {**body, "apiVersion": _NEW, "spec": spec}
    return replace(request, path=request.path.replace(_OLD, _NEW, 1), body=body)


def downgraded(response: Response) -> Response:
    """The response as an old client expects it; a Status is the same in all versions."""
    body = response.body
    if body.get("kind") != "HorizontalPodAutoscaler":
        return response
    return replace(response, body=_old(body))


def _old(obj: Object) -> Object:
    spec = {name: value for name, value in obj["spec"].items() if name not in {"metrics", "behavior"}}
    for metric in obj["spec"].get("metrics") or ():
        source = metric.get("resource") or {}
        if source.get("name") == "cpu" and "averageUtilization" in source["target"]:
            spec[_FIELD] = source["target"]["averageUtilization"]
    status = obj.get("status") or {}
    shown = {name: status.get(name, 0) for name in ("currentReplicas", "desiredReplicas")}
    return {**obj, "apiVersion": _OLD, "spec": spec, "status": shown}


def _cpu(share: Any) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": share}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}
