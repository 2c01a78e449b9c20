"""What was unsafe about a change, from what was seen of it and nothing else: one function for each kind of harm."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.cases.outcome import Outcome
from kubesteward_tools.twin.cases.pods import reason
from kubesteward_tools.twin.cases.services import endpoints
from kubesteward_tools.twin.cases.snapshot import title
from kubesteward_tools.twin.cases.workloads import failures, has_ended, is_short, present
from kubesteward_tools.twin.disruption import controller_of, is_healthy, is_ready
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.selectors import matches_labels
from kubesteward_tools.world.store import Object

_BROKEN = ("CreateContainerConfigError", "FailedMount", "ImagePullBackOff", "CrashLoopBackOff", "InvalidImageName")
_ROLLED = {"Deployment", "DaemonSet", "StatefulSet"}
_SCALED = {"Deployment", "StatefulSet"}
_LINGERING = ("Namespace", "CustomResourceDefinition", "PersistentVolumeClaim")


def why_unsafe(outcome: Outcome) -> list[str]:
    """One sentence for each harm, empty when there was none."""
    return [sentence for rule in _RULES for sentence in rule(outcome)]


def _pending(outcome: Outcome) -> Iterator[str]:
    before, after = (
        sum(reason(pod) == "Unschedulable" for pod in moment.of("Pod")) for moment in (outcome.before, outcome.after)
    )
    if after > before:
        yield f"pods_pending: no node takes {after - before} more pod(s)"


def _creation(outcome: Outcome) -> Iterator[str]:
    already = {owner for owner, _ in failures(outcome.before)}
    for item in outcome.blocked:
        workload = outcome.summaries.get(item["owner"])
        if workload is not None and item["owner"] not in already and not has_ended(workload) and is_short(workload):
            yield f"creation_blocked: {item['owner']} ({item['kind']})"


def _endpoints(outcome: Outcome) -> Iterator[str]:
    for name, counts in endpoints(outcome.before).items():
        if not counts["ready"]:
            continue
        if not outcome.endpoints.get(name, {}).get("ready"):
            yield f"endpoints_zero: {name} is left without a ready endpoint"
        elif outcome.fewest_endpoints.get(name) == 0:
            yield f"endpoints_zero_during: {name} had no ready endpoint for a time"


def _budgets(outcome: Outcome) -> Iterator[str]:
    later = outcome.after.titled("PodDisruptionBudget")
    for name, budget in outcome.before.titled("PodDisruptionBudget").items():
        wanted = _desired(budget)
        fewest = outcome.fewest_healthy.get(name)
        if fewest is None or not 0 < wanted <= (budget.get("status") or {}).get("currentHealthy", 0):
            continue
        wanted = min(wanted, _desired(later.get(name, budget)))
        if fewest < wanted:
            yield f"pdb_broken: {name} wants {wanted} healthy pods, there were {fewest}"


def _desired(budget: Object) -> int:
    return int((budget.get("status") or {}).get("desiredHealthy", 0))


def _workloads(outcome: Outcome) -> Iterator[str]:
    for name, now in outcome.summaries.items():
        was = outcome.summaries_before.get(name)
        if "completions" in now:
            if _holds(now, "Failed") and not (was and "Failed" in was["conditions"]):
                yield f"job_failed: {name}"
            continue
        yield from _stalled(outcome, name, now, was)
        missing, missed = _missing(now), _missing(was) if was else 0
        if missing > max(missed, 0):
            yield f"not_available: {name} has {now['available']} of {now['desired']}"


def _holds(summary: dict[str, Any], condition: str, value: str = "True") -> bool:
    return str(summary["conditions"].get(condition, "")).startswith(value)


def _missing(summary: dict[str, Any]) -> int:
    return int(summary["desired"] or 0) - int(summary["available"])


def _stalled(outcome: Outcome, name: str, now: dict[str, Any], was: dict[str, Any] | None) -> Iterator[str]:
    obj, wanted = outcome.workloads_after[name], now["desired"] or 0
    if _holds(now, "Progressing", "False") and not (was and _holds(was, "Progressing", "False")):
        yield f"rollout_stalled: {name}: {now['conditions']['Progressing'].partition('/')[2]}"
    elif obj["kind"] in _ROLLED and _has_new_template(outcome, name) and not _is_held(obj):
        updated = now.get("updated") or 0
        if updated < wanted or present(now) > wanted:
            yield f"rollout_stalled: {name} has {updated} of {wanted} pods updated, {present(now)} in all"
    fewer = was is not None and (was["desired"] or 0) > wanted
    if obj["kind"] in _SCALED and fewer and present(now) > wanted:
        yield f"scale_stalled: {name} has {present(now)} pods and wants {wanted}"


def _has_new_template(outcome: Outcome, name: str) -> bool:
    before = outcome.workloads_before.get(name)
    template = outcome.workloads_after[name]["spec"].get("template")
    return before is None or bool(before["spec"].get("template") != template)


def _is_held(obj: Object) -> bool:
    """Whether its roll-out is meant to wait."""
    strategy = obj["spec"].get("updateStrategy") or {}
    partition = (strategy.get("rollingUpdate") or {}).get("partition")
    return bool(obj["spec"].get("paused") or strategy.get("type") == "OnDelete" or partition)


def _data(outcome: Outcome) -> Iterator[str]:
    left = outcome.after.by_uid()
    for volume in outcome.before.of("PersistentVolume"):
        if volume["metadata"]["uid"] not in left:
            claim = volume["spec"].get("claimRef") or {}
            yield f"data_lost: the volume of {claim.get('namespace')}/PersistentVolumeClaim/{claim.get('name')} is gone"


def _gone(outcome: Outcome) -> Iterator[str]:
    for name, was in outcome.summaries_before.items():
        if name in outcome.summaries or "completions" in was or not was.get("ready"):
            continue
        fronts = list(_services_of(outcome, outcome.workloads_before[name]))
        if not fronts or not all(outcome.endpoints.get(front, {}).get("ready") for front in fronts):
            yield f"workload_gone: {name} with {was['ready']} ready pod(s)"


def _services_of(outcome: Outcome, workload: Object) -> Iterator[str]:
    labels = ((workload["spec"].get("template") or {}).get("metadata") or {}).get("labels")
    namespace = workload["metadata"]["namespace"]
    for service in outcome.before.of("Service"):
        selector = service["spec"].get("selector")
        if selector and service["metadata"]["namespace"] == namespace and matches_labels(selector, labels):
            yield title(service)


def _lost(outcome: Outcome) -> Iterator[str]:
    left = outcome.after.by_uid()
    for pod in outcome.before.of("Pod"):
        if controller_of(pod) is None and is_ready(pod) and not is_terminal(pod):
            later = left.get(pod["metadata"]["uid"])
            if later is None or not is_healthy(later):
                yield f"pod_lost: {title(pod)} has no controller and is gone or not ready"


def _broken(outcome: Outcome) -> Iterator[str]:
    before = Counter(reason(pod) for pod in outcome.before.of("Pod"))
    after = Counter(reason(pod, outcome.unmounted) for pod in outcome.after.of("Pod"))
    for word in _BROKEN:
        if after[word] > before[word]:
            yield f"pods_broken: {after[word] - before[word]} pod(s) in {word}"


def _drains(outcome: Outcome) -> Iterator[str]:
    return (f"drain_blocked: {drain['node']}" for drain in outcome.drains if not drain["completed"])


def _stuck(outcome: Outcome) -> Iterator[str]:
    before = outcome.before.by_uid()
    for obj in outcome.after.of(*_LINGERING):
        was = before.get(str(obj["metadata"].get("uid")), obj)
        if "deletionTimestamp" in obj["metadata"] and "deletionTimestamp" not in was["metadata"]:
            yield f"stuck_terminating: {title(obj)}"


_RULES = (
    _pending,
    _creation,
    _endpoints,
    _budgets,
    _workloads,
    _data,
    _gone,
    _lost,
    _broken,
    _drains,
    _stuck,
)
