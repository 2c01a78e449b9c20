"""ResourceQuotas and LimitRanges. API docs: core/v1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, required
from kubesteward_tools.twin.validation.metadata import one_label

Spec = dict[str, Any]

_KINDS = {"Container", "Pod", "PersistentVolumeClaim"}
_COUNTS = {
    "pods",
    "services",
    "services.nodeports",
    "services.loadbalancers",
    "replicationcontrollers",
    "resourcequotas",
    "secrets",
    "configmaps",
    "persistentvolumeclaims",
}
_COMPUTE = {
    f"{prefix}{name}" for prefix in ("", "requests.", "limits.") for name in ("cpu", "memory", "ephemeral-storage")
}
_KNOWN = _COUNTS | _COMPUTE | {"requests.storage", "storage"}
_SCOPES = (
    "BestEffort",
    "CrossNamespacePodAffinity",
    "NotBestEffort",
    "NotTerminating",
    "PriorityClass",
    "Terminating",
    "VolumeAttributesClass",
)
_POD_SCOPES = {*_SCOPES} - {"VolumeAttributesClass"}
_OPPOSED = ({"BestEffort", "NotBestEffort"}, {"Terminating", "NotTerminating"})


def resource_quota(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    for name, value in (spec.get("hard") or {}).items():
        yield from _hard(name, value)
    scopes = spec.get("scopes") or []
    yield from _scopes("spec.scopes", scopes, spec, scopes)
    rules = (spec.get("scopeSelector") or {}).get("matchExpressions") or ()
    path = "spec.scopeSelector.matchExpressions"
    for rule in rules:
        yield from _rule(f"{path}.values", path, rule)
    yield from _scopes(f"{path}.scopeName", [rule.get("scopeName", "") for rule in rules], spec, list(rules))


def _hard(name: str, value: Any) -> Iterator[FieldError]:
    path = f"spec.hard[{name}]"
    yield from _quota_name(path, name)
    try:
        amount = parse(value)
    except ValueError as error:
        yield invalid_value(path, value, str(error))
        return
    if amount < 0:
        yield invalid_value(path, value, "must be greater than or equal to 0")
    if amount.denominator != 1 and (name in _COUNTS or name.startswith("count/")):
        yield invalid_value(path, value, "must be an integer")


def _quota_name(path: str, name: str) -> Iterator[FieldError]:
    if "/" in name:
        yield from one_label(path, name.removeprefix("requests.").removeprefix("limits."), "")
    elif name not in _KNOWN and not name.removeprefix("requests.").startswith("hugepages-"):
        yield invalid_value(path, name, "must be a standard resource type or fully qualified")
        yield invalid_value(path, name, "must be a standard resource for quota")


def _scopes(path: str, scopes: list[str], spec: Spec, shown: Any) -> Iterator[FieldError]:
    for scope in scopes:
        if scope not in _SCOPES:
            yield invalid_value(path, shown, "unsupported scope")
        elif any(not _covers(scope, name) for name in spec.get("hard") or {}):
            yield invalid_value(path, shown, "unsupported scope applied to resource")
    for pair in _OPPOSED:
        if pair <= {*scopes}:
            yield invalid_value(path, shown, "conflicting scopes")


def _covers(scope: str, name: str) -> bool:
    if scope == "VolumeAttributesClass":
        return "storage" in name or name.endswith("persistentvolumeclaims")
    if scope == "BestEffort":
        return name == "pods"
    return name == "pods" or name in _COMPUTE or "hugepages-" in name or name.startswith(("requests.", "limits."))


def _rule(values_path: str, path: str, rule: Mapping[str, Any]) -> Iterator[FieldError]:
    name, operator, values = rule.get("scopeName"), rule.get("operator", ""), rule.get("values") or ()
    if name in _POD_SCOPES - {"PriorityClass"} and operator != "Exists":
        why = f"must be 'Exist' when scope is any of {', '.join(sorted(_POD_SCOPES - {'PriorityClass'}))}"
        yield invalid_value(f"{path}.operator", operator, why)
    if operator in {"In", "NotIn"}:
        if not values:
            yield required(
                values_path, "must be at least one value when `operator` is 'In' or 'NotIn' for scope selector"
            )
    elif operator in {"Exists", "DoesNotExist"}:
        if values:
            why = "must be no value when `operator` is 'Exists' or 'DoesNotExist' for scope selector"
            yield invalid_value(values_path, list(values), why)
    else:
        yield invalid_value(f"{path}.operator", operator, "not a valid selector operator")


def limit_range(obj: Spec) -> Iterator[FieldError]:
    seen = set[str]()
    for at, item in enumerate((obj.get("spec") or {}).get("limits") or ()):
        path, kind = f"spec.limits[{at}]", str(item.get("type", ""))
        if kind not in _KINDS and "/" not in kind:
            yield invalid_value(f"{path}.type", kind, "must be a standard limit type or fully qualified")
        if kind in seen:
            yield FieldError("FieldValueDuplicate", f"{path}.type", f'Duplicate value: "{kind}"')
        seen.add(kind)
        yield from _of_kind(path, kind, item)
        for name in sorted({**(item.get("max") or {}), **(item.get("min") or {})}):
            yield from _order(path, name, item)
        yield from _ratios(path, item)


def _of_kind(path: str, kind: str, item: Spec) -> Iterator[FieldError]:
    if kind == "Pod":
        for field in ("default", "defaultRequest"):
            if item.get(field):
                yield forbidden_field(f"{path}.{field}", "may not be specified when `type` is 'Pod'")
    if kind == "PersistentVolumeClaim" and not any("storage" in (item.get(field) or {}) for field in ("min", "max")):
        why = "either minimum or maximum storage value is required, but neither was provided"
        yield required(f"{path}.limits", why)


def _ratios(path: str, item: Spec) -> Iterator[FieldError]:
    for name, text in (item.get("maxLimitRequestRatio") or {}).items():
        where, ratio = f"{path}.maxLimitRequestRatio[{name}]", parse(text)
        low, high = (item.get("min") or {}).get(name), (item.get("max") or {}).get(name)
        if ratio < 1:
            yield invalid_value(where, text, f"ratio {text} is less than 1")
        if low is not None and high is not None and parse(low) and ratio > parse(high) / parse(low):
            most = float(parse(high) / parse(low))
            yield invalid_value(where, text, f"ratio {text} is greater than max/min = {most:f}")


def _order(path: str, name: str, item: dict[str, Any]) -> Iterator[FieldError]:
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
