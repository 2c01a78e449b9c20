"""LimitRanger: defaults for containers that say nothing, then minimum, maximum, ratio. API doc: core/v1 LimitRange."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.amounts import amounts
from kubesteward_tools.twin.podsize import of_spec
from kubesteward_tools.twin.quantity import canonical, parse
from kubesteward_tools.twin.status import forbidden


def _items(attempt: Attempt, kind: str) -> Iterator[dict[str, Any]]:
    for limit_range in attempt.store.objects("limitranges", attempt.namespace):
        yield from (item for item in limit_range["spec"].get("limits", []) if item["type"] == kind)


def _containers(attempt: Attempt) -> list[dict[str, Any]]:
    spec = attempt.obj["spec"]
    return [*spec.get("containers", []), *spec.get("initContainers", [])]


def defaults(attempt: Attempt) -> None:
    if not attempt.creates_pod:
        return
    for item in _items(attempt, "Container"):
        for container in _containers(attempt):
            resources = container.setdefault("resources", {})
            for part, key in (("limits", "default"), ("requests", "defaultRequest")):
                if item.get(key):
                    resources[part] = {**item[key], **(resources.get(part) or {})}


def bounds(attempt: Attempt) -> None:
    """Raises ApiError 403 with every bound that is broken."""
    if attempt.creates_pod:
        broken = [
            text for item in _items(attempt, "Container") for c in _containers(attempt) for text in _broken(item, c)
        ]
        spec = attempt.obj["spec"]
        for item in _items(attempt, "Pod"):
            broken += _check(item, of_spec(spec, "requests"), of_spec(spec, "limits"))
    elif attempt.resource == "persistentvolumeclaims":
        requests = amounts((attempt.obj["spec"].get("resources") or {}).get("requests"))
        broken = [
            text for item in _items(attempt, "PersistentVolumeClaim") for text in _check(item, requests, requests)
        ]
    else:
        return
    if broken:
        why = broken[0] if len(broken) == 1 else f"[{', '.join(broken)}]"
        raise forbidden(attempt.kind, attempt.name, why)


def _broken(item: dict[str, Any], container: dict[str, Any]) -> list[str]:
    resources = container.get("resources") or {}
    return _check(item, amounts(resources.get("requests")), amounts(resources.get("limits")))


def _check(item: dict[str, Any], requests: dict[str, Fraction], limits: dict[str, Fraction]) -> list[str]:
    kind, broken = item["type"], list[str]()
    for name, text in (item.get("min") or {}).items():
        broken += _below(kind, name, text, requests, limits)
    for name, text in (item.get("max") or {}).items():
        broken += _above(kind, name, text, requests, limits)
    for name, text in (item.get("maxLimitRequestRatio") or {}).items():
        broken += _ratio(kind, name, text, requests, limits)
    return broken


def _below(
    kind: str, name: str, text: str, requests: dict[str, Fraction], limits: dict[str, Fraction]
) -> Iterator[str]:
    start, bound = f"minimum {name} usage per {kind} is {canonical(text)}", parse(text)
    if name not in requests:
        yield f"{start}.  No request is specified"
    elif requests[name] < bound:
        yield f"{start}, but request is {_text(requests[name], text)}"
    if name in limits and limits[name] < bound and kind != "PersistentVolumeClaim":
        yield f"{start}, but limit is {_text(limits[name], text)}"


def _above(
    kind: str, name: str, text: str, requests: dict[str, Fraction], limits: dict[str, Fraction]
) -> Iterator[str]:
    start, bound = f"maximum {name} usage per {kind} is {canonical(text)}", parse(text)
    if kind == "PersistentVolumeClaim":
        if requests.get(name, Fraction(0)) > bound:
            yield f"{start}, but request is {_text(requests[name], text)}"
        return
    if name not in limits:
        yield f"{start}.  No limit is specified"
    elif limits[name] > bound:
        yield f"{start}, but limit is {_text(limits[name], text)}"
    if name in requests and requests[name] > bound:
        yield f"{start}, but request is {_text(requests[name], text)}"


def _ratio(
    kind: str, name: str, text: str, requests: dict[str, Fraction], limits: dict[str, Fraction]
) -> Iterator[str]:
    start = f"{name} max limit to request ratio per {kind} is {canonical(text)}"
    request, limit = requests.get(name, Fraction(0)), limits.get(name, Fraction(0))
    if not request:
        yield f"{start}, but no request is specified or request is 0"
    elif not limit:
        yield f"{start}, but no limit is specified or limit is 0"
    elif limit / request > parse(text):
        yield f"{start}, but provided ratio is {float(limit / request):.6f}"


def _text(value: Fraction, like: str) -> str:
    from kubesteward_tools.twin.quantity import format_like

    return format_like(value, like)
