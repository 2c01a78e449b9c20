"""StatefulSets and DaemonSets: their templates and what governs their updates."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.shares import NOT_NEGATIVE, share
from kubesteward_tools.twin.validation.workloads import template_and_selector

Spec = dict[str, Any]

_STRATEGIES = ["RollingUpdate", "OnDelete"]
_ROLLING = "spec.updateStrategy.rollingUpdate"


def stateful_set(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    claims = {(item.get("metadata") or {}).get("name") for item in spec.get("volumeClaimTemplates") or ()}
    policy = spec.get("podManagementPolicy")
    if policy not in {"OrderedReady", "Parallel"}:
        yield invalid_value("spec.podManagementPolicy", policy, "must be 'OrderedReady' or 'Parallel'")
    yield from _stateful_strategy(spec.get("updateStrategy") or {})
    for when, value in (spec.get("persistentVolumeClaimRetentionPolicy") or {}).items():
        if value not in {"Retain", "Delete"}:
            yield not_supported(f"spec.persistentVolumeClaimRetentionPolicy.{when}", value, ["Delete", "Retain"])
    start = (spec.get("ordinals") or {}).get("start", 0)
    if start < 0:
        yield invalid_value("spec.ordinals.start", start, NOT_NEGATIVE)
    yield from _limits("StatefulSet", spec)
    yield from template_and_selector(obj, claims)


def _stateful_strategy(strategy: Spec) -> Iterator[FieldError]:
    rolling, kind = strategy.get("rollingUpdate"), strategy.get("type")
    if kind == "OnDelete" and rolling is not None:
        yield invalid_value(_ROLLING, rolling, "only allowed for updateStrategy 'RollingUpdate'")
    elif kind == "RollingUpdate" and (rolling or {}).get("partition", 0) < 0:
        yield invalid_value(f"{_ROLLING}.partition", rolling["partition"] if rolling else 0, NOT_NEGATIVE)
    elif kind not in _STRATEGIES:
        yield invalid_value("spec.updateStrategy", strategy, "must be 'RollingUpdate' or 'OnDelete'")


def daemon_set(obj: Spec) -> Iterator[FieldError]:
    spec = obj.get("spec") or {}
    strategy = spec.get("updateStrategy") or {}
    if strategy.get("type") == "RollingUpdate":
        yield from _rolling_daemons(strategy.get("rollingUpdate") or {})
    elif strategy.get("type") != "OnDelete":
        yield not_supported("spec.updateStrategy.type", strategy.get("type"), _STRATEGIES)
    yield from _limits("DaemonSet", spec)
    yield from template_and_selector(obj)


def _rolling_daemons(rolling: Spec) -> Iterator[FieldError]:
    """One of the two says how far an update may go: how many pods may be missing, or how many too many."""
    unavailable, surge = rolling.get("maxUnavailable", 0), rolling.get("maxSurge", 0)
    wrong = [
        error
        for name, value in (("maxUnavailable", unavailable), ("maxSurge", surge))
        for error in share(f"{_ROLLING}.{name}", value, at_most_all=True)
    ]
    yield from wrong
    if wrong:
        return
    if _is_zero(unavailable) and _is_zero(surge):
        yield required(f"{_ROLLING}.maxUnavailable", "cannot be 0 when maxSurge is 0")
    elif not _is_zero(unavailable) and not _is_zero(surge):
        yield invalid_value(f"{_ROLLING}.maxSurge", surge, "may not be set when maxUnavailable is non-zero")


def _is_zero(value: Any) -> bool:
    return str(value).removesuffix("%").strip("0") == ""


def _limits(kind: str, spec: Spec) -> Iterator[FieldError]:
    for name in ("minReadySeconds", "revisionHistoryLimit"):
        if (spec.get(name) or 0) < 0:
            yield invalid_value(f"spec.{name}", spec[name], NOT_NEGATIVE)
    if ((spec.get("template") or {}).get("spec") or {}).get("activeDeadlineSeconds") is not None:
        why = f"activeDeadlineSeconds in {kind} is not Supported"
        yield forbidden_field("spec.template.spec.activeDeadlineSeconds", why)
