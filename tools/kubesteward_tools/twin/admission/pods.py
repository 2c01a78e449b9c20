"""What admission adds to a new pod: its ServiceAccount with a token volume, its priority, the default tolerations."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.status import forbidden
from kubesteward_tools.world.store import Key

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a mount path, not a secret
_UNREACHABLE_AFTER = 300
CLASSES = "priorityclasses.scheduling.k8s.io"


def service_account(attempt: Attempt) -> None:
    """The pod runs as somebody who exists; mirror pods are left alone."""
    if not attempt.creates_pod or "kubernetes.io/config.mirror" in attempt.obj["metadata"].get("annotations", {}):
        return
    spec = attempt.obj["spec"]
    name = spec.get("serviceAccountName") or "default"
    account = attempt.store.get(Key("serviceaccounts", attempt.namespace, name))
    if account is None:
        why = f'error looking up service account {attempt.namespace}/{name}: serviceaccount "{name}" not found'
        raise forbidden(attempt.kind, attempt.name, why)
    spec["serviceAccountName"] = spec["serviceAccount"] = name
    if spec.get("automountServiceAccountToken", account.get("automountServiceAccountToken", True)):
        _mount_token(spec, f"kube-api-access-{attempt.names.suffix()}")
    if account.get("imagePullSecrets") and not spec.get("imagePullSecrets"):
        spec["imagePullSecrets"] = account["imagePullSecrets"]


def _mount_token(spec: dict[str, Any], name: str) -> None:
    containers = [*spec.get("initContainers", []), *spec.get("containers", [])]
    lacking = [c for c in containers if all(m.get("mountPath") != _TOKEN_PATH for m in c.get("volumeMounts", []))]
    if not lacking:
        return
    for container in lacking:
        container.setdefault("volumeMounts", []).append({"name": name, "readOnly": True, "mountPath": _TOKEN_PATH})
    spec.setdefault("volumes", []).append({"name": name, "projected": {"sources": _sources(), "defaultMode": 420}})


def _sources() -> list[dict[str, Any]]:
    namespace = {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}
    return [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [namespace]}},
    ]


def priority(attempt: Attempt) -> None:
    if not attempt.creates_pod:
        return
    spec = attempt.obj["spec"]
    classes = attempt.store.objects(CLASSES)
    name = spec.get("priorityClassName")
    found = next((c for c in classes if (c["metadata"]["name"] == name if name else c.get("globalDefault"))), None)
    if name and found is None:
        raise forbidden(attempt.kind, attempt.name, f"no PriorityClass with name {name} was found")
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    value = found["value"] if found else 0
    policy = (found or {}).get("preemptionPolicy", "PreemptLowerPriority")
    _must_agree(attempt, "priority", "the integer value of priority", value)
    _must_agree(attempt, "preemptionPolicy", "the string value of PreemptionPolicy", policy)
    spec.update(priority=value, preemptionPolicy=policy)


def _must_agree(attempt: Attempt, field: str, words: str, computed: Any) -> None:
    """A pod may repeat what its class says, and nothing else."""
    given = attempt.obj["spec"].get(field)
    if given is not None and given != computed:
        why = f"{words} ({given}) must not be provided in pod spec; priority admission controller computed {computed}"
        raise forbidden(attempt.kind, attempt.name, f"{why} from the given PriorityClass name")


def one_default_priority(attempt: Attempt) -> None:
    """Raises ApiError 403 when a second PriorityClass is to be the default."""
    if attempt.resource != CLASSES or not attempt.obj.get("globalDefault"):
        return
    for other in attempt.store.objects(CLASSES):
        name = other["metadata"]["name"]
        if other.get("globalDefault") and name != attempt.name:
            why = f"PriorityClass {name} is already marked as default. Only one default can exist"
            raise forbidden(attempt.kind, attempt.name, why)


def runtime_class(attempt: Attempt) -> None:
    """What a RuntimeClass costs and where it runs (KEP-688); one that pods run with already is there, seen or not."""
    spec = attempt.obj["spec"] if attempt.creates_pod else {}
    name = spec.get("runtimeClassName")
    found = attempt.store.get(Key("runtimeclasses.node.k8s.io", "", name)) if name else None
    if name and found is None and not any(_runs_with(pod, name) for pod in attempt.store.objects("pods")):
        raise forbidden(attempt.kind, attempt.name, f'pod rejected: RuntimeClass "{name}" not found')
    overhead = ((found or {}).get("overhead") or {}).get("podFixed")
    if spec.get("overhead") and found is not None and spec["overhead"] != overhead:
        raise forbidden(
            attempt.kind, attempt.name, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead"
        )
    if spec.get("overhead") and not name:
        why = "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead"
        raise forbidden(attempt.kind, attempt.name, why)
    if overhead:
        spec["overhead"] = overhead
    scheduling = (found or {}).get("scheduling") or {}
    if scheduling.get("nodeSelector"):
        spec["nodeSelector"] = {**(spec.get("nodeSelector") or {}), **scheduling["nodeSelector"]}
    for item in scheduling.get("tolerations") or ():
        if item not in spec.setdefault("tolerations", []):
            spec["tolerations"].append(item)


def _runs_with(pod: dict[str, Any], name: str) -> bool:
    return bool((pod.get("spec") or {}).get("runtimeClassName") == name)


def default_tolerations(attempt: Attempt) -> None:
    """DefaultTolerationSeconds: a pod outlives a lost node by five minutes, unless it says otherwise itself."""
    if attempt.resource != "pods":
        return
    tolerations = attempt.obj["spec"].setdefault("tolerations", [])
    for condition in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{condition}"
        if not any(_tolerates(item, key) for item in tolerations):
            tolerations.append(
                {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _UNREACHABLE_AFTER}
            )


def _tolerates(item: dict[str, Any], key: str) -> bool:
    return item.get("key", "") in {"", key} and item.get("effect", "") in {"", "NoExecute"}
