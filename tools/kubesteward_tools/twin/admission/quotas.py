"""ResourceQuota admission: an object is created only if every quota that covers it has room. API doc: core/v1."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.amounts import Amounts, difference, exceeding, without_zeros
from kubesteward_tools.twin.quantity import format_like, parse
from kubesteward_tools.twin.quota import in_scope, usage
from kubesteward_tools.twin.status import forbidden
from kubesteward_tools.world.store import Object

_MUST_BE_GIVEN = ("limits.", "requests.")


def within_quota(attempt: Attempt) -> None:
    """Raises ApiError 403; on success the quotas' new usage waits in `attempt.charges`."""
    if not attempt.kind.namespaced or attempt.resource == "resourcequotas":
        return
    for quota in attempt.store.objects("resourcequotas", attempt.namespace):
        if in_scope(quota, attempt.resource, attempt.obj):
            _charge(attempt, quota)


def _delta(attempt: Attempt, hard: dict[str, Any]) -> Amounts:
    """What the write adds to each limited name; an update costs only its growth."""
    new = usage(attempt.resource, attempt.obj)
    old = usage(attempt.resource, attempt.old) if attempt.old is not None else {}
    changes = without_zeros(difference(new, old))
    return {name: value for name, value in changes.items() if name in new and name in hard}


def _charge(attempt: Attempt, quota: Object) -> None:
    name, hard = quota["metadata"]["name"], quota.get("status", {}).get("hard") or quota["spec"].get("hard") or {}
    if attempt.creates_pod:
        _must_specify(attempt, name, hard)
    delta = _delta(attempt, hard)
    if not delta:
        return
    used = quota.get("status", {}).get("used") or {}
    grown = {item: parse(used.get(item, "0")) + more for item, more in delta.items() if more > 0}
    over = exceeding(grown, {item: parse(hard[item]) for item in grown})
    if over:
        raise forbidden(attempt.kind, attempt.name, _exceeded(name, over, delta, used, hard))
    after = {item: format_like(parse(used.get(item, "0")) + more, hard[item]) for item, more in delta.items()}
    status = {**quota.get("status", {}), "hard": hard, "used": {**used, **after}}
    attempt.charges.append({**quota, "status": status})


def _exceeded(name: str, over: list[str], delta: Amounts, used: dict[str, Any], hard: dict[str, Any]) -> str:
    requested = ",".join(f"{item}={format_like(delta[item], hard[item])}" for item in over)
    has = ",".join(f"{item}={used.get(item, '0')}" for item in over)
    limited = ",".join(f"{item}={hard[item]}" for item in over)
    return f"exceeded quota: {name}, requested: {requested}, used: {has}, limited: {limited}"


def _must_specify(attempt: Attempt, quota: str, hard: dict[str, Any]) -> None:
    """A quota on requests or limits makes them compulsory, container by container."""
    missing: dict[str, list[str]] = {}
    for name in sorted(hard):
        part, _, resource = name.partition(".") if name.startswith(_MUST_BE_GIVEN) else ("requests", "", name)
        if resource not in {"cpu", "memory"}:
            continue
        for container in [*attempt.obj["spec"].get("containers", []), *attempt.obj["spec"].get("initContainers", [])]:
            if resource not in ((container.get("resources") or {}).get(part) or {}):
                missing.setdefault(container["name"], []).append(name)
    if missing:
        by_names: dict[str, list[str]] = {}
        for container_name, names in missing.items():
            by_names.setdefault(",".join(names), []).append(container_name)
        parts = "; ".join(f"{names} for: {','.join(sorted(who))}" for names, who in sorted(by_names.items()))
        raise forbidden(attempt.kind, attempt.name, f"failed quota: {quota}: must specify {parts}")
