"""Services, configuration, budgets, quotas, limits, roles and namespaces."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import FieldError, invalid_value, required

_PSA = "pod-security.kubernetes.io/"
_LEVELS = ["privileged", "baseline", "restricted"]


def service(obj: dict[str, Any]) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    headless = spec.get("clusterIP") == "None"
    if not spec.get("ports") and spec.get("type") != "ExternalName" and not headless:
        yield required("spec.ports")
    several = len(spec.get("ports") or ()) > 1
    names, places = set[str](), set[tuple[Any, str]]()
    for at, port in enumerate(spec.get("ports") or ()):
        if not isinstance(port.get("port"), int) or not 0 < port["port"] < 65536:
            yield invalid_value(f"spec.ports[{at}].port", port.get("port", 0), "must be between 1 and 65535, inclusive")
        if several and not port.get("name"):
            yield required(f"spec.ports[{at}].name")
        yield from _taken(f"spec.ports[{at}]", port, names, places)


def _taken(path: str, port: dict[str, Any], names: set[str], places: set[tuple[Any, str]]) -> Iterator[FieldError]:
    """Neither a name nor a pair of port and protocol may come twice in a Service (API doc: ServicePort)."""
    name, place = port.get("name"), (port.get("port"), port.get("protocol", "TCP"))
    if name and name in names:
        yield FieldError("FieldValueDuplicate", f"{path}.name", f'Duplicate value: "{name}"')
    if place in places:
        shown = json.dumps({"protocol": place[1], "port": place[0]}, separators=(",", ":"))
        yield FieldError("FieldValueDuplicate", path, f"Duplicate value: {shown}")
    names.add(name or "")
    places.add(place)


def config_map(obj: dict[str, Any]) -> Iterator[FieldError]:
    for key, value in (obj.get("data") or {}).items():
        if not isinstance(value, str):
            yield invalid_value(f"data[{key}]", value, "must be a string")


def disruption_budget(obj: dict[str, Any]) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    if spec.get("minAvailable") is not None and spec.get("maxUnavailable") is not None:
        shown = {
            "MinAvailable": spec["minAvailable"],
            "Selector": spec.get("selector"),
            "MaxUnavailable": spec["maxUnavailable"],
            "UnhealthyPodEvictionPolicy": spec.get("unhealthyPodEvictionPolicy"),
        }
        yield invalid_value("spec", shown, "minAvailable and maxUnavailable cannot be both set")


def limit_range(obj: dict[str, Any]) -> Iterator[FieldError]:
    for at, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path = f"spec.limits[{at}]"
        for name in sorted({**(item.get("max") or {}), **(item.get("min") or {})}):
            yield from _limit_order(path, name, item)


def _limit_order(path: str, name: str, item: dict[str, Any]) -> Iterator[FieldError]:
    low, high = (item.get("min") or {}).get(name), (item.get("max") or {}).get(name)
    request, default = (item.get("defaultRequest") or {}).get(name), (item.get("default") or {}).get(name)
    if low is not None and high is not None and parse(low) > parse(high):
        yield invalid_value(f"{path}.min[{name}]", low, f"min value {low} is greater than max value {high}")
    if low is not None and request is not None and parse(low) > parse(request):
        why = f"min value {low} is greater than default request value {request}"
        yield invalid_value(f"{path}.defaultRequest[{name}]", request, why)
    if request is not None and high is not None and parse(request) > parse(high):
        why = f"default request value {request} is greater than max value {high}"
        yield invalid_value(f"{path}.defaultRequest[{name}]", request, why)
    if low is not None and default is not None and parse(low) > parse(default):
        shown = low
        yield invalid_value(
            f"{path}.default[{name}]", shown, f"min value {low} is greater than default value {default}"
        )
    if default is not None and high is not None and parse(default) > parse(high):
        why = f"default value {default} is greater than max value {high}"
        yield invalid_value(f"{path}.default[{name}]", default, why)


def resource_quota(obj: dict[str, Any]) -> Iterator[FieldError]:
    for name, value in ((obj.get("spec") or {}).get("hard") or {}).items():
        try:
            if parse(value) < 0:
                yield invalid_value(f"spec.hard[{name}]", value, "must be greater than or equal to 0")
        except ValueError as error:
            yield invalid_value(f"spec.hard[{name}]", value, str(error))


def namespace(obj: dict[str, Any]) -> Iterator[FieldError]:
    labels = obj["metadata"].get("labels") or {}
    for mode in ("enforce", "audit", "warn"):
        level = labels.get(_PSA + mode)
        if level is not None and level not in _LEVELS:
            why = "must be one of privileged, baseline, restricted"
            yield invalid_value(f"metadata.labels[{_PSA}{mode}]", level, why)


def role(obj: dict[str, Any]) -> Iterator[FieldError]:
    for at, rule in enumerate(obj.get("rules") or ()):
        if not rule.get("verbs"):
            yield required(f"rules[{at}].verbs", "verbs must contain at least one value")
        if not rule.get("nonResourceURLs") and not rule.get("resources"):
            yield required(f"rules[{at}].resources", "resource rules must supply at least one resource")
