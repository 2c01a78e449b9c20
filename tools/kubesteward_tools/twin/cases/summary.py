"""The compact outcome of a change, in which generated names do not matter: what two runs can be compared by."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from typing import Any

from kubesteward_tools.twin.cases.latent import latent
from kubesteward_tools.twin.cases.outcome import Outcome
from kubesteward_tools.twin.cases.pods import pods_summary
from kubesteward_tools.twin.cases.snapshot import workload_of
from kubesteward_tools.twin.cases.unsafe import why_unsafe

_DRAIN = ("node", "completed", "evicted", "refused", "left", "client_errors")
_BUDGET = ("expectedPods", "desiredHealthy", "currentHealthy", "disruptionsAllowed")


def summarise(outcome: Outcome, unknown: Collection[str] = ()) -> dict[str, Any]:
    """`unknown` says what was not simulated: then a change of which no harm was seen is not called safe."""
    why = why_unsafe(outcome)
    found = {
        "admission": [_verdict(item) for item in outcome.responses],
        "workloads": outcome.summaries,
        "pods": pods_summary(outcome.after, outcome.owners, outcome.unmounted),
        "blocked": outcome.blocked,
        "endpoints": outcome.endpoints,
        **_of_status(outcome),
        "evictions": _evictions(outcome),
        "created": _came(outcome),
        "deleted": _went(outcome),
        "latent": sorted(latent(outcome.after) - latent(outcome.before)),
        "unsafe": True if why else None if unknown else False,
        "why": why,
    }
    if access := _access(outcome.responses):
        found["access"] = access
    if outcome.drains:
        found["drains"] = [{name: drain[name] for name in _DRAIN} for drain in outcome.drains]
    if unknown:
        found["unknown"] = list(unknown)
    return found


def _verdict(response: dict[str, Any]) -> dict[str, Any]:
    allowed = 200 <= response["status"] < 300
    code, reason = response["status"], response.get("reason")
    return {"verdict": "allowed" if allowed else "rejected", "code": code, "reason": reason}


def _of_status(outcome: Outcome) -> dict[str, Any]:
    """Budgets, quotas and claims, as their controllers left them."""
    status = {
        kind: {name: obj.get("status") or {} for name, obj in outcome.after.titled(kind).items()}
        for kind in ("PodDisruptionBudget", "ResourceQuota", "PersistentVolumeClaim")
    }
    return {
        "pdbs": {
            name: {field: item.get(field, 0) for field in _BUDGET}
            for name, item in status["PodDisruptionBudget"].items()
        },
        "quotas": {
            name: {"used": item.get("used") or {}, "hard": item.get("hard") or {}}
            for name, item in status["ResourceQuota"].items()
        },
        "pvcs": {name: item.get("phase") for name, item in status["PersistentVolumeClaim"].items()},
    }


def _evictions(outcome: Outcome) -> list[dict[str, Any]]:
    pods = {(pod["metadata"]["namespace"], pod["metadata"]["name"]): pod for pod in outcome.before.of("Pod")}
    found = []
    for item in outcome.responses:
        if item.get("path", "").endswith("/eviction"):
            parts = item["path"].strip("/").split("/")
            pod = pods.get((parts[3], parts[5]))
            owner = workload_of(pod, outcome.owners) if pod else f"?/Pod/{parts[5]}"
            causes = item.get("causes") or []
            found.append({"pod": owner, "code": item["status"], "reason": item.get("reason"), "causes": causes})
    return found


def _access(responses: Iterable[dict[str, Any]]) -> list[bool]:
    """The answers of access reviews; a refused one allows nothing."""
    reviews = (item for item in responses if (item.get("path") or "").endswith("accessreviews"))
    answers = ((item.get("body_trimmed") or {}).get("status") for item in reviews)
    return [isinstance(answer, dict) and bool(answer.get("allowed")) for answer in answers]


def _came(outcome: Outcome) -> dict[str, int]:
    before, after = outcome.before.by_uid(), outcome.after.by_uid()
    return _by_kind(obj["kind"] for uid, obj in after.items() if uid not in before)


def _went(outcome: Outcome) -> dict[str, int]:
    before, after = outcome.before.by_uid(), outcome.after.by_uid()
    return _by_kind(obj["kind"] for uid, obj in before.items() if uid not in after)


def _by_kind(kinds: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(kind for kind in kinds if kind != "Event").items()))
