"""What admission adds to a new pod: its ServiceAccount with a token volume, its priority, the default tolerations."""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.status import forbidden
from kubesteward_tools.world.store import Key

_TOKEN_PATH = "/var/run/secrets/kubernetes.io/serviceaccount"  # noqa: S105 - a mount path, not a secret
_UNREACHABLE_AFTER = 300


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
    classes = attempt.store.objects("priorityclasses.scheduling.k8s.io")
    name = spec.get("priorityClassName")
    found = next((c for c in classes if (c["metadata"]["name"] == name if name else c.get("globalDefault"))), None)
    if name and found is None:
        raise forbidden(attempt.kind, attempt.name, f"no PriorityClass with name {name} was found")
    if found is not None:
        spec["priorityClassName"] = found["metadata"]["name"]
    spec["priority"] = found["value"] if found else 0
    spec.setdefault("preemptionPolicy", (found or {}).get("preemptionPolicy", "PreemptLowerPriority"))


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
