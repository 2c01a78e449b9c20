"""What is refused of HorizontalPodAutoscalers. API doc: autoscaling/v2."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, invalid_value, not_supported, required

_SOURCES = {
    "ContainerResource": "containerResource",
    "External": "external",
    "Object": "object",
    "Pods": "pods",
    "Resource": "resource",
}


def autoscaler(obj: dict[str, Any]) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    least, most = spec.get("minReplicas", 1), spec.get("maxReplicas", 0)
    if least < 1:
        yield invalid_value("spec.minReplicas", least, "must be greater than or equal to 1")
    if most < 1:
        yield invalid_value("spec.maxReplicas", most, "must be greater than 0")
    if most < least:
        yield invalid_value("spec.maxReplicas", most, "must be greater than or equal to `minReplicas`")
    reference = spec.get("scaleTargetRef") or {}
    for field in ("kind", "name"):
        if not reference.get(field):
            yield required(f"spec.scaleTargetRef.{field}")
    for number, metric in enumerate(spec.get("metrics") or ()):
        yield from _metric(f"spec.metrics[{number}]", metric)


def _metric(path: str, metric: dict[str, Any]) -> Iterator[FieldError]:
    part = _SOURCES.get(metric.get("type", ""))
    if part is None:
        yield not_supported(f"{path}.type", metric.get("type", ""), list(_SOURCES))
        return
    source = metric.get(part)
    if not source:
        yield required(f"{path}.{part}", "must populate information for the given metric source")
    elif part in {"resource", "containerResource"}:
        yield from _resource(f"{path}.{part}", source)


def _resource(path: str, source: dict[str, Any]) -> Iterator[FieldError]:
    target = source.get("target") or {}
    if not source.get("name"):
        yield required(f"{path}.name", "must specify a resource name")
    if target.get("averageUtilization") is None and target.get("averageValue") is None:
        yield required(
            f"{path}.target.averageUtilization", "must set either a target raw value or a target utilization"
        )
    elif target.get("averageUtilization") is not None and target["averageUtilization"] < 1:
        share = target["averageUtilization"]
        yield invalid_value(f"{path}.target.averageUtilization", share, "must be greater than 0")
