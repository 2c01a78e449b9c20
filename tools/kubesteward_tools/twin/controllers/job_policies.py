"""What a Job's own policies make of its failed pods and of the indexes that are done.

Sources: KEP-3329 (podFailurePolicy), KEP-3850 (backoffLimitPerIndex), KEP-3998 (successPolicy).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from kubesteward_tools.twin.controllers import job_indexes
from kubesteward_tools.world.store import Object

FAILURE_COUNT = "batch.kubernetes.io/job-index-failure-count"
IGNORED_COUNT = "batch.kubernetes.io/job-index-ignored-failure-count"


class Match(NamedTuple):
    """What becomes of one failure; `message` says by which rule the whole Job fails."""

    action: str = "Count"
    message: str = ""

    @property
    def counts(self) -> bool:
        return self.action != "Ignore"


def of_failure(job: Object, pod: Object) -> Match:
    """The first rule that fits decides; without one the failure counts against the back-off limit."""
    for number, rule in enumerate((job["spec"].get("podFailurePolicy") or {}).get("rules") or ()):
        if rule.get("onExitCodes"):
            why = _by_exit_code(rule["onExitCodes"], pod)
        else:
            why = _by_condition(rule.get("onPodConditions") or (), pod)
        if why:
            return Match(rule["action"], f"{why} matching {rule['action']} rule at index {number}")
    return Match()


def _by_exit_code(wanted: dict[str, Any], pod: Object) -> str:
    status, metadata = pod.get("status") or {}, pod["metadata"]
    for item in [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]:
        if wanted.get("containerName") not in {None, item["name"]}:
            continue
        code = ((item.get("state") or {}).get("terminated") or {}).get("exitCode", 0)
        if code and (code in wanted["values"]) == (wanted["operator"] == "In"):
            where = f"{metadata['namespace']}/{metadata['name']}"
            return f"Container {item['name']} for pod {where} failed with exit code {code}"
    return ""


def _by_condition(wanted: Collection[dict[str, Any]], pod: Object) -> str:
    found = {item["type"]: item["status"] for item in (pod.get("status") or {}).get("conditions") or ()}
    for item in wanted:
        if found.get(item["type"]) == item.get("status", "True"):
            return f"Pod {pod['metadata']['namespace']}/{pod['metadata']['name']} has condition {item['type']}"
    return ""


def succeeded(job: Object, done: set[int]) -> str:
    """The rule of the success policy that is met, in the controller's words, or ""."""
    for number, rule in enumerate((job["spec"].get("successPolicy") or {}).get("rules") or ()):
        wanted = done
        if "succeededIndexes" in rule:
            listed = job_indexes.parse(rule["succeededIndexes"], job["spec"].get("completions") or 0)
            wanted = done & listed
            if "succeededCount" not in rule and listed <= done:
                return f"Matched rules at index {number}"
        if "succeededCount" in rule and len(wanted) >= rule["succeededCount"]:
            return f"Matched rules at index {number}"
    return ""


def failures_of_index(pod: Object) -> int:
    """How often its index had failed before this pod was made."""
    return _number(pod, FAILURE_COUNT)


def ignored_of_index(pod: Object) -> int:
    return _number(pod, IGNORED_COUNT)


def index_fails(job: Object, pod: Object) -> bool:
    """Whether this failed pod is the one by which its index fails for good."""
    match = of_failure(job, pod)
    if match.action == "FailIndex":
        return True
    return bool(failures_of_index(pod) + match.counts > job["spec"]["backoffLimitPerIndex"])


def _number(pod: Object, annotation: str) -> int:
    text = (pod["metadata"].get("annotations") or {}).get(annotation, "0")
    return int(text) if text.isdigit() else 0
