"""The eviction subresource: a delete that asks the budgets first. API doc: policy/v1 Eviction."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.api import Api
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.store import Object

SUCCESS: Object = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def evict(
    api: Api, namespace: str, name: str, body: dict[str, Any], *, user: User = ADMIN, dry_run: bool = False
) -> Object:
    """A Status of success.

    Raises:
        ApiError: 404 no such pod; 409 preconditions; 429 a budget forbids it; 500 more than one budget matches.
    """
    pod = api.get("pods", namespace, name)
    options = body.get("deleteOptions") or {}
    dry_run = dry_run or options.get("dryRun") == ["All"]
    eviction = {"metadata": {}, **body}
    api.ask(api.kind("pods"), eviction, pod, user, subresource="eviction", dry_run=dry_run)
    if not _exempt(pod):
        budgets = disruption.budgets_of(api.store, pod)
        if len(budgets) > 1:
            why = "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support."
            raise ApiError(500, "", why)
        if budgets:
            _ask(api, budgets[0], pod, dry_run=dry_run)
    api.delete("pods", namespace, name, options=options, dry_run=dry_run)
    return SUCCESS


def _exempt(pod: Object) -> bool:
    """Terminal, pending and already deleted pods cost no budget."""
    phase = (pod.get("status") or {}).get("phase")
    return is_terminal(pod) or phase == "Pending" or "deletionTimestamp" in pod["metadata"]


def _ask(api: Api, budget: Object, pod: Object, *, dry_run: bool) -> None:
    """Take one disruption from the budget, or refuse. A stale status refuses too: it may promise what is gone."""
    status = budget.get("status") or {}
    name = budget["metadata"]["name"]
    if not disruption.is_ready(pod) and _lets_unhealthy_go(budget["spec"], status):
        return
    if status.get("observedGeneration", 0) < budget["metadata"].get("generation", 0):
        raise _refused(f"The disruption budget {name} is still being processed by the server.", retry_after=10)
    allowed = status.get("disruptionsAllowed", 0)
    if allowed <= 0:
        raise _refused(_why(name, status))
    if not dry_run:
        disrupted = {**(status.get("disruptedPods") or {}), pod["metadata"]["name"]: api.clock.timestamp}
        new = {**status, "disruptionsAllowed": allowed - 1, "disruptedPods": disrupted}
        api.update_status("poddisruptionbudgets.policy", budget["metadata"]["namespace"], name, new)


def _lets_unhealthy_go(spec: dict[str, Any], status: dict[str, Any]) -> bool:
    if spec.get("unhealthyPodEvictionPolicy") == "AlwaysAllow":
        return True
    desired = status.get("desiredHealthy", 0)
    return bool(status.get("currentHealthy", 0) >= desired > 0)


def _why(name: str, status: dict[str, Any]) -> str:
    if status.get("desiredHealthy", 0) and status.get("expectedPods", 0):
        needs, has = status["desiredHealthy"], status.get("currentHealthy", 0)
        return f"The disruption budget {name} needs {needs} healthy pods and has {has} currently"
    return f"The disruption budget {name} does not allow evicting pods currently"


def _refused(why: str, retry_after: int | None = None) -> ApiError:
    message = "Cannot evict pod as it would violate the pod's disruption budget."
    causes = [{"reason": "DisruptionBudget", "message": why}]
    return ApiError(429, "TooManyRequests", message, causes=causes, retry_after=retry_after)
