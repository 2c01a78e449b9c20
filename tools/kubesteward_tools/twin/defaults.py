"""What the API server fills in where a manifest is silent (k8s.io/kubernetes pkg/apis/*/v1/defaults.go).

Each function takes a copy that it may change. Applying the same manifest again must then be no change.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

from kubesteward_tools.twin import quantity, registration
from kubesteward_tools.twin.custom import checking
from kubesteward_tools.twin.custom.definitions import CRDS

Spec = dict[str, Any]

_UNLIMITED = 2**31 - 1
_SOURCES_WITH_MODE = ("configMap", "downwardAPI", "projected", "secret")


def fill(resource: str, obj: dict[str, Any]) -> None:
    """Default `obj` in place; `resource` is the store's resource string."""
    if default := _BY_RESOURCE.get(resource):
        default(obj)


def _set(target: Spec, **values: Any) -> None:
    for key, value in values.items():
        target.setdefault(key, value)


def pod_spec(spec: Spec) -> None:
    _set(
        spec,
        restartPolicy="Always",
        terminationGracePeriodSeconds=30,
        dnsPolicy="ClusterFirst",
        securityContext={},
        schedulerName="default-scheduler",
    )
    if name := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = name
    for container in [*spec.get("initContainers", []), *spec.get("containers", [])]:
        _container(container, host_network=bool(spec.get("hostNetwork")))
    for volume in spec.get("volumes", []):
        _volume(volume)


def _container(container: Spec, *, host_network: bool) -> None:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    latest = "@" not in image and tag in {"", "latest"}
    _set(
        container,
        resources={},
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        imagePullPolicy="Always" if latest else "IfNotPresent",
    )
    for port in container.get("ports", []):
        _set(port, protocol="TCP")
        if host_network:
            _set(port, hostPort=port["containerPort"])
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if probe := container.get(name):
            _probe(probe)
    for variable in container.get("env", []):
        if field := variable.get("valueFrom", {}).get("fieldRef"):
            _set(field, apiVersion="v1")
    _resources(container["resources"])


def _resources(resources: Spec) -> None:
    """Limits become requests where there are none; quantities take their canonical form."""
    limits = resources.get("limits") or {}
    if limits:
        resources["requests"] = {**limits, **(resources.get("requests") or {})}
    for part in ("limits", "requests"):
        if resources.get(part):
            resources[part] = {name: _canonical(value) for name, value in resources[part].items()}


def _canonical(value: Any) -> Any:
    try:
        return quantity.canonical(value)
    except ValueError:
        return value


def _probe(probe: Spec) -> None:
    _set(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
    if http := probe.get("httpGet"):
        _set(http, path="/", scheme="HTTP")
    if grpc := probe.get("grpc"):
        _set(grpc, service="")


def _volume(volume: Spec) -> None:
    if not set(volume) - {"name"}:
        volume["emptyDir"] = {}
    for source in _SOURCES_WITH_MODE:
        if isinstance(volume.get(source), dict):
            _set(volume[source], defaultMode=420)
    if isinstance(volume.get("hostPath"), dict):
        _set(volume["hostPath"], type="")


def _pod(obj: Spec) -> None:
    spec = obj.get("spec")
    if not isinstance(spec, dict):
        return
    pod_spec(spec)
    _set(spec, enableServiceLinks=True)


def _template(spec: Spec) -> None:
    if isinstance(template := spec.get("template"), dict):
        template.setdefault("metadata", {})
        if isinstance(template.get("spec"), dict):
            pod_spec(template["spec"])


def _selector_from_template(spec: Spec, obj: Spec) -> None:
    labels = spec.get("template", {}).get("metadata", {}).get("labels")
    if labels and not obj["metadata"].get("labels"):
        obj["metadata"]["labels"] = dict(labels)


def _deployment(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        strategy["rollingUpdate"] = strategy.get("rollingUpdate") or {}
        _set(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")


def _replica_set(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _selector_from_template(spec, obj)
    _set(spec, replicas=1)


def _stateful_set(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _set(spec, replicas=1, podManagementPolicy="OrderedReady", revisionHistoryLimit=10)
    _set(spec.setdefault("persistentVolumeClaimRetentionPolicy", {}), whenDeleted="Retain", whenScaled="Retain")
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), partition=0)
    for claim in spec.get("volumeClaimTemplates", []):
        _set(claim, apiVersion="v1", kind="PersistentVolumeClaim", status={"phase": "Pending"})
        _set(claim.setdefault("spec", {}), volumeMode="Filesystem")


def _daemon_set(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _template(spec)
    _set(spec, revisionHistoryLimit=10)
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy.setdefault("rollingUpdate", {}), maxSurge=0, maxUnavailable=1)


def _job(obj: Spec) -> None:
    job_spec(obj.setdefault("spec", {}))


def job_spec(spec: Spec) -> None:
    _template(spec)
    if "completions" not in spec and "parallelism" not in spec:
        spec["completions"] = 1
    _set(spec, parallelism=1, completionMode="NonIndexed", suspend=False, manualSelector=False)
    _set(spec, backoffLimit=_UNLIMITED if "backoffLimitPerIndex" in spec else 6)
    failures = spec.get("podFailurePolicy")
    _set(spec, podReplacementPolicy="Failed" if failures else "TerminatingOrFailed")
    for rule in (failures or {}).get("rules") or ():
        for condition in rule.get("onPodConditions") or ():
            _set(condition, status="True")


def _cron_job(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    if isinstance(template := spec.get("jobTemplate"), dict):
        _template(template.get("spec") or {})


def _service(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports", []):
        _set(port, protocol="TCP", targetPort=port.get("port"))
    if spec["type"] != "ExternalName":
        _set(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        _set(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _set(spec, allocateLoadBalancerNodePorts=True)


def _claim(obj: Spec) -> None:
    _set(obj.setdefault("spec", {}), volumeMode="Filesystem")
    _resources_of_claim(obj["spec"])


def _resources_of_claim(spec: Spec) -> None:
    requests = (spec.get("resources") or {}).get("requests")
    if requests:
        spec["resources"]["requests"] = {name: _canonical(value) for name, value in requests.items()}


def _limit_range(obj: Spec) -> None:
    """For containers max becomes default, and default, or else min, becomes defaultRequest."""
    for item in obj.get("spec", {}).get("limits", []):
        if item.get("type") != "Container":
            continue
        default = {**(item.get("max") or {}), **(item.get("default") or {})}
        request = {**(item.get("min") or {}), **default, **(item.get("defaultRequest") or {})}
        for key, values in (("default", default), ("defaultRequest", request)):
            if values:
                item[key] = values


def _binding(obj: Spec) -> None:
    _set(obj.get("roleRef") or {}, apiGroup="rbac.authorization.k8s.io")
    for subject in obj.get("subjects", []):
        group = "" if subject.get("kind") == "ServiceAccount" else "rbac.authorization.k8s.io"
        if group:
            _set(subject, apiGroup=group)


def _namespace(obj: Spec) -> None:
    obj.setdefault("spec", {})["finalizers"] = ["kubernetes"]
    labels = obj["metadata"].get("labels") or {}
    obj["metadata"]["labels"] = {**labels, "kubernetes.io/metadata.name": obj["metadata"].get("name", "")}
    obj.setdefault("status", {"phase": "Active"})


def _secret(obj: Spec) -> None:
    """`stringData` is for writing only: it becomes part of `data` (API doc: core/v1 Secret)."""
    _set(obj, type="Opaque")
    if plain := obj.pop("stringData", None):
        encoded = {key: base64.b64encode(str(value).encode()).decode() for key, value in plain.items()}
        obj["data"] = {**(obj.get("data") or {}), **encoded}


def _storage_class(obj: Spec) -> None:
    _set(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _priority_class(obj: Spec) -> None:
    _set(obj, preemptionPolicy="PreemptLowerPriority")


def _autoscaler(obj: Spec) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]


def _spec(obj: Spec) -> None:
    _set(obj, spec={})


_BY_RESOURCE: dict[str, Callable[[Spec], None]] = {
    "pods": _pod,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "services": _service,
    "persistentvolumeclaims": _claim,
    "limitranges": _limit_range,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "namespaces": _namespace,
    "secrets": _secret,
    "storageclasses.storage.k8s.io": _storage_class,
    "priorityclasses.scheduling.k8s.io": _priority_class,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "poddisruptionbudgets.policy": _spec,
    "resourcequotas": _spec,
    "validatingadmissionpolicies.admissionregistration.k8s.io": registration.policy,
    "validatingadmissionpolicybindings.admissionregistration.k8s.io": registration.binding,
    "validatingwebhookconfigurations.admissionregistration.k8s.io": registration.webhooks,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": registration.mutating_webhooks,
    CRDS: checking.fill,
}
