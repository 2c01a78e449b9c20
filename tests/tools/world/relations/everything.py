"""One object with every field that any relation reads, to be broken at any of its places."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.world.store import Object


def places(value: Any, above: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The path to each field and item below a JSON value."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for step, inner in items:
        yield (*above, step)
        yield from places(inner, (*above, step))


def replaced(value: Any, place: tuple[str | int, ...], new: Any) -> Any:
    """A copy of a JSON value that has something else at one place."""
    if not place:
        return new
    copy = value.copy()
    copy[place[0]] = replaced(value[place[0]], place[1:], new)
    return copy


_TERM = {
    "topologyKey": "zone",
    "namespaces": ["a"],
    "namespaceSelector": {"matchLabels": {"team": "a"}},
    "labelSelector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["web"]}]},
}
_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"
_NODES = {
    "matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}],
    "matchExpressions": [{"key": "disk", "operator": "NotIn", "values": ["hdd"]}],
}
_PROJECTED = [{"configMap": {"name": "f"}}, {"secret": {"name": "f"}}, {"clusterTrustBundle": {"name": "f"}}]
_POD: Object = {
    "nodeName": "n1",
    "serviceAccountName": "web",
    "priorityClassName": "high",
    "runtimeClassName": "gvisor",
    "nodeSelector": {"disk": "ssd"},
    "imagePullSecrets": [{"name": "registry"}],
    "affinity": {
        "nodeAffinity": {
            _REQUIRED: {"nodeSelectorTerms": [_NODES]},
            _PREFERRED: [{"weight": 1, "preference": _NODES}],
        },
        "podAffinity": {_REQUIRED: [_TERM]},
        "podAntiAffinity": {_PREFERRED: [{"weight": 1, "podAffinityTerm": _TERM}]},
    },
    "topologySpreadConstraints": [{"topologyKey": "zone", "labelSelector": {"matchLabels": {"app": "web"}}}],
    "volumes": [
        {"name": "a", "configMap": {"name": "a", "optional": True}},
        {"name": "b", "secret": {"secretName": "b"}},
        {"name": "c", "persistentVolumeClaim": {"claimName": "c"}},
        {"name": "d", "csi": {"nodePublishSecretRef": {"name": "d"}}},
        {"name": "e", "ephemeral": {"volumeClaimTemplate": {}}},
        {"name": "f", "projected": {"sources": _PROJECTED}},
    ],
    "containers": [
        {
            "name": "app",
            "command": ["run", "--to=http://a.b.svc"],
            "args": ["c:80"],
            "envFrom": [{"configMapRef": {"name": "a"}}, {"secretRef": {"name": "b"}}],
            "env": [
                {"name": "DB_HOST", "value": "db"},
                {"name": "DB_PORT", "value": "5432"},
                {"name": "KEY", "valueFrom": {"secretKeyRef": {"name": "b", "key": "k", "optional": False}}},
            ],
        }
    ],
}
_SMALL = {"serviceAccountName": "web", "volumes": _POD["volumes"]}
_SERVICE = {"namespace": "infra", "name": "hook"}
_BACKEND = {
    "service": {"name": "web", "port": {"name": "http", "number": 80}},
    "resource": {"kind": "Shelf", "name": "a"},
}
_REFERENCE = {"group": "", "kind": "Service", "namespace": "a", "name": "web", "port": 80, "sectionName": "https"}
_MIRROR = [{"requestMirror": {"backendRef": {"name": "copy"}}}]

EVERYTHING: Object = {
    "metadata": {
        "labels": {"kubernetes.io/service-name": "web"},
        "annotations": {"kubernetes.io/ingress.class": "nginx"},
        "ownerReferences": [{"apiVersion": "example.com/v1", "kind": "Shop", "name": "a", "controller": True}],
    },
    "roleRef": {"kind": "Role", "name": "reader"},
    "subjects": [{"kind": "ServiceAccount", "name": "web"}, {"kind": "User", "name": "system:serviceaccount:a:b"}],
    "webhooks": [{"name": "a", "failurePolicy": "Fail", "clientConfig": {"service": _SERVICE}}],
    "endpoints": [{"conditions": {"ready": False}, "targetRef": {"kind": "Pod", "name": "a"}}],
    "subsets": [{"addresses": [{"targetRef": {"kind": "Pod", "name": "a"}}], "notReadyAddresses": []}],
    "spec": {
        **_POD,
        "template": {"spec": _POD},
        "jobTemplate": {"spec": {"template": {"spec": _SMALL}}},
        "jobTargetRef": {"template": {"spec": _SMALL}},
        "selector": {"matchLabels": {"app": "web"}},
        "podSelector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]},
        "volumeName": "pv",
        "storageClassName": "fast",
        "dataSource": {"apiGroup": "", "kind": "PersistentVolumeClaim", "name": "old"},
        "claimRef": {"namespace": "a", "name": "b"},
        "source": {"persistentVolumeName": "pv"},
        "volumeClaimTemplates": [{"metadata": {"name": "data"}, "spec": {"storageClassName": "fast"}}],
        "defaultBackend": _BACKEND,
        "rules": [{"http": {"paths": [{"backend": _BACKEND}]}, "backendRefs": [_REFERENCE], "filters": _MIRROR}],
        "tls": [{"secretName": "tls"}],
        "parentRefs": [_REFERENCE],
        "gatewayClassName": "envoy",
        "listeners": [{"name": "https", "tls": {"certificateRefs": [_REFERENCE]}}],
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "targetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
        "minReplicas": 1,
        "triggers": [{"type": "kafka", "authenticationRef": {"kind": "TriggerAuthentication", "name": "a"}}],
        "policyName": "no-latest",
        "conversion": {"webhook": {"clientConfig": {"service": _SERVICE}}},
        "service": _SERVICE,
        "serviceName": "web",
    },
}
