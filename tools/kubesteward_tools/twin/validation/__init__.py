"""What the API server refuses as Invalid (422): one function a kind, each yielding field errors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from kubesteward_tools.twin.custom.definitions import CRDS
from kubesteward_tools.twin.status import FieldError, invalid, qualified
from kubesteward_tools.twin.validation import (
    admission,
    autoscaling,
    batch,
    immutable,
    metadata,
    policies,
    sets,
    workloads,
)
from kubesteward_tools.world.kinds import ResourceType

Rule = Callable[[dict[str, Any]], Iterator[FieldError]]
ImmutableRule = Callable[[dict[str, Any], dict[str, Any]], Iterator[FieldError]]


def _definition(obj: dict[str, Any]) -> Iterator[FieldError]:
    from kubesteward_tools.twin.custom import checking  # which reads the table of fields in this package

    return checking.check(obj)


def _definition_change(obj: dict[str, Any], old: dict[str, Any]) -> Iterator[FieldError]:
    from kubesteward_tools.twin.custom import checking

    return checking.unchanged(obj, old)


_CONTENT: dict[str, Rule] = {
    "pods": workloads.pod,
    "deployments.apps": workloads.deployment,
    "replicasets.apps": workloads.template_and_selector,
    "statefulsets.apps": sets.stateful_set,
    "daemonsets.apps": sets.daemon_set,
    "jobs.batch": batch.job,
    "cronjobs.batch": batch.cron_job,
    "horizontalpodautoscalers.autoscaling": autoscaling.autoscaler,
    "services": policies.service,
    "configmaps": policies.config_map,
    "poddisruptionbudgets.policy": policies.disruption_budget,
    "limitranges": policies.limit_range,
    "resourcequotas": policies.resource_quota,
    "namespaces": policies.namespace,
    "roles.rbac.authorization.k8s.io": policies.role,
    "clusterroles.rbac.authorization.k8s.io": policies.role,
    "validatingadmissionpolicies.admissionregistration.k8s.io": admission.policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": admission.binding,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": admission.webhooks,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": admission.webhooks,
    CRDS: _definition,
}
_CHANGES: dict[str, ImmutableRule] = {
    "deployments.apps": immutable.selector,
    "replicasets.apps": immutable.selector,
    "daemonsets.apps": immutable.selector,
    "statefulsets.apps": immutable.stateful_set,
    "jobs.batch": immutable.job,
    "pods": immutable.pod,
    "services": immutable.service,
    "configmaps": immutable.config,
    "secrets": immutable.secret,
    "controllerrevisions.apps": immutable.revision,
    "persistentvolumeclaims": immutable.claim,
    "rolebindings.rbac.authorization.k8s.io": immutable.role_ref,
    "clusterrolebindings.rbac.authorization.k8s.io": immutable.role_ref,
    "storageclasses.storage.k8s.io": immutable.storage_class,
    "priorityclasses.scheduling.k8s.io": immutable.priority_class,
    CRDS: _definition_change,
}


def check(kind: ResourceType, obj: dict[str, Any], old: dict[str, Any] | None, more: Iterable[FieldError] = ()) -> None:
    """Raises ApiError 422 with everything that is wrong with the object, or with the step from `old` to it.

    `more` is what the schema of a custom resource says.
    """
    errors = [*metadata.check(kind, obj, old), *more]
    if rule := _CONTENT.get(kind.resource):
        errors += rule(obj)
    if old is not None and (change := _CHANGES.get(kind.resource)):
        errors += change(obj, old)
    if errors:
        raise invalid(qualified(kind), obj["metadata"].get("name", ""), errors)
