"""PodSecurity admission: a namespace's labels say which profile a pod must meet (KEP-2579)."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin import psa
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.status import forbidden
from kubesteward_tools.world.store import Key

_LABEL = "pod-security.kubernetes.io/"
_TEMPLATES = {
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "replicationcontrollers",
}


def pod_security(attempt: Attempt) -> None:
    """Enforced for pods; for workloads' templates, and for the warn level, only a warning."""
    if attempt.resource not in _TEMPLATES and not (attempt.creates_pod or _matters(attempt)):
        return
    namespace = attempt.store.get(Key("namespaces", "", attempt.namespace)) or {"metadata": {}}
    labels = namespace["metadata"].get("labels") or {}
    pod = attempt.obj if attempt.resource == "pods" else _template(attempt.obj)
    if attempt.resource == "pods" and (text := _violation(labels, "enforce", pod)):
        raise forbidden(attempt.kind, attempt.name, f"violates PodSecurity {text}")
    levels = ("warn",) if attempt.resource == "pods" else ("warn", "enforce")
    for mode in levels:
        if text := _violation(labels, mode, pod):
            attempt.warnings.append(f"would violate PodSecurity {text}")
            return


def _matters(attempt: Attempt) -> bool:
    """An update of a pod is looked at when it brings other images or containers."""
    if attempt.resource != "pods" or attempt.old is None:
        return False
    return _images(attempt.obj) != _images(attempt.old)


def _images(pod: dict[str, Any]) -> list[tuple[Any, Any]]:
    spec = pod["spec"]
    kinds = ("containers", "initContainers", "ephemeralContainers")
    return [(item.get("name"), item.get("image")) for kind in kinds for item in spec.get(kind) or ()]


def _violation(labels: dict[str, str], mode: str, pod: dict[str, Any]) -> str:
    level = labels.get(_LABEL + mode, "privileged")
    version = labels.get(f"{_LABEL}{mode}-version", "latest")
    if level == "privileged":
        return ""
    text = psa.violation(pod, level, version)
    return f'"{level}:{version}": {text}' if text else ""


def _template(obj: dict[str, Any]) -> dict[str, Any]:
    spec = obj["spec"]
    if obj.get("kind") == "CronJob" or "jobTemplate" in spec:
        spec = spec["jobTemplate"]["spec"]
    template: dict[str, Any] = spec.get("template") or {}
    return {"metadata": {}, **template, "spec": template.get("spec") or {}}
