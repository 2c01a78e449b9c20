"""The objects of a cluster of 1,000 nodes and 30,000 pods: about 60,000, with the sizes and the variety of real ones.

Every pod has what makes real pods unlike each other: its own UIDs, times, digests, addresses, token volume, and
managedFields as controller-manager and kubelet leave them.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
_NAMESPACES = 60
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


@dataclass(frozen=True)
class App:
    """One Deployment with all that is around it."""

    number: int
    replicas: int

    @property
    def name(self) -> str:
        return f"app-{self.number:04}"

    @property
    def namespace(self) -> str:
        return f"team-{self.number % _NAMESPACES:02}"


def _digest(app: App, container: str) -> str:
    """One tag is one image in all pods."""
    return hashlib.sha256(f"{app.name}/{container}".encode()).hexdigest()


class Fleet:
    """`pods` and `nodes` are counts; there is one app for every ten pods, and two ReplicaSets for each app."""

    def __init__(self, pods: int = 30_000, nodes: int = 1000, seed: int = 1) -> None:
        self._random = random.Random(seed)
        self.nodes = nodes
        self.apps = [App(number, 10) for number in range(pods // 10)]
        self._version = 0
        self._uids: dict[tuple[str, str], str] = {}
        self._endpoints: dict[App, list[Object]] = {}

    def lists(self) -> Iterator[tuple[str, Iterator[Object]]]:
        """Path of each collection, and its objects."""
        core, apps = "/api/v1", "/apis/apps/v1"
        yield f"{core}/namespaces", (self._namespace(number) for number in range(_NAMESPACES))
        yield f"{core}/nodes", (self._node(number) for number in range(self.nodes))
        yield f"{apps}/deployments", (self._deployment(app) for app in self.apps)
        yield f"{apps}/replicasets", (self._replica_set(app, old) for app in self.apps for old in (False, True))
        yield f"{core}/pods", self._pods()
        yield f"{core}/services", (self._service(app) for app in self.apps)
        yield "/apis/discovery.k8s.io/v1/endpointslices", (self._slice(app) for app in self.apps)
        yield f"{core}/configmaps", (self._config(app) for app in self.apps)
        yield f"{core}/secrets", (self._secret(app) for app in self.apps)
        yield f"{core}/serviceaccounts", (self._account(app) for app in self.apps)
        yield "/apis/policy/v1/poddisruptionbudgets", (self._budget(app) for app in self.apps[::3])
        yield "/apis/autoscaling/v2/horizontalpodautoscalers", (self._scaler(app) for app in self.apps[::5])
        yield "/apis/networking.k8s.io/v1/ingresses", (self._ingress(app) for app in self.apps[::5])
        yield f"{core}/persistentvolumeclaims", (self._claim(app) for app in self.apps[::4])
        yield f"{core}/persistentvolumes", (self._volume(app) for app in self.apps[::4])
        yield f"{core}/events", (self._event(app) for app in self.apps[::2])

    def uid(self, kind: str, name: str) -> str:
        found = self._uids.get((kind, name))
        if found is None:
            digits = f"{self._random.getrandbits(128):032x}"
            found = "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))
            self._uids[kind, name] = found
        return found

    def _metadata(self, kind: str, name: str, namespace: str = "", **more: Any) -> Object:
        self._version += 1
        place = {"namespace": namespace} if namespace else {}
        return {
            "name": name,
            **place,
            "uid": self.uid(kind, f"{namespace}/{name}"),
            "resourceVersion": str(1_000_000 + self._version),
            "creationTimestamp": self._time(),
            **more,
        }

    def _time(self) -> str:
        draw = self._random.randrange
        return f"2026-11-{draw(1, 20):02}T{draw(24):02}:{draw(60):02}:{draw(60):02}Z"

    def _suffix(self, length: int = 5) -> str:
        return "".join(self._random.choices(_LETTERS, k=length))

    def _namespace(self, number: int) -> Object:
        labels = {"kubernetes.io/metadata.name": f"team-{number:02}"}
        return {"metadata": self._metadata("Namespace", f"team-{number:02}", labels=labels), "spec": {}, "status": {}}

    def _node(self, number: int) -> Object:
        name, time = f"node-{number:04}", self._time()
        labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"zone-{number % 3}"}
        size = {"cpu": "32", "memory": "128Gi", "pods": "110", "ephemeral-storage": "200Gi"}
        conditions = [
            {"type": kind, "status": status, "lastHeartbeatTime": time, "lastTransitionTime": time, "reason": kind}
            for kind, status in (("MemoryPressure", "False"), ("DiskPressure", "False"), ("Ready", "True"))
        ]
        images = [
            {"names": [f"registry.example.com/image-{item}@sha256:{self._hex(256)}"], "sizeBytes": 10**8}
            for item in range(30)
        ]
        return {
            "metadata": self._metadata("Node", name, labels=labels, managedFields=_node_fields(time)),
            "spec": {"podCIDR": f"10.{number // 256}.{number % 256}.0/24"},
            "status": {"capacity": size, "allocatable": size, "conditions": conditions, "images": images},
        }

    def _hex(self, bits: int) -> str:
        return f"{self._random.getrandbits(bits):0{bits // 4}x}"

    def _deployment(self, app: App) -> Object:
        labels = {"app": app.name}
        count = {"replicas": app.replicas, "readyReplicas": app.replicas, "availableReplicas": app.replicas}
        return {
            "metadata": self._metadata("Deployment", app.name, app.namespace, labels=labels, generation=2),
            "spec": {"replicas": app.replicas, "selector": {"matchLabels": labels}, "template": self._template(app)},
            "status": {**count, "updatedReplicas": app.replicas, "observedGeneration": 2},
        }

    def _template(self, app: App) -> Object:
        volumes = [{"name": "config", "configMap": {"name": f"{app.name}-config", "defaultMode": 420}}]
        spec = {"containers": [container(app, "app", "")], "volumes": volumes, "serviceAccountName": app.name}
        return {"metadata": {"labels": {"app": app.name}}, "spec": spec}

    def _replica_set(self, app: App, old: bool) -> Object:
        name = _set_name(app, old=old)
        owner = _owner("Deployment", app.name, self.uid("Deployment", f"{app.namespace}/{app.name}"))
        labels = {"app": app.name, "pod-template-hash": name.rpartition("-")[2]}
        replicas, template = 0 if old else app.replicas, self._template(app)
        template["metadata"] = {"labels": labels}
        if old:
            template["spec"]["containers"][0]["image"] += "-old"
        return {
            "metadata": self._metadata("ReplicaSet", name, app.namespace, labels=labels, ownerReferences=[owner]),
            "spec": {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template},
            "status": {"replicas": replicas, "readyReplicas": replicas, "availableReplicas": replicas},
        }

    def _pods(self) -> Iterator[Object]:
        number = 0
        for app in self.apps:
            ends = self._endpoints[app] = []
            for _ in range(app.replicas):
                pod = self.pod(app, number)
                ends.append(_endpoint(pod, number % self.nodes % 3))
                yield pod
                number += 1

    def pod(self, app: App, number: int, *, ready: bool = True) -> Object:
        above = _set_name(app, old=False)
        name, time, token = f"{above}-{self._suffix()}", self._time(), f"kube-api-access-{self._suffix()}"
        names = ["app", "proxy"] if app.number % 3 == 0 else ["app"]
        labels = {"app": app.name, "team": app.namespace, "pod-template-hash": above.rpartition("-")[2]}
        owner = _owner("ReplicaSet", above, self.uid("ReplicaSet", f"{app.namespace}/{above}"))
        more = {"generateName": f"{above}-", "labels": labels, "ownerReferences": [owner]}
        notes = {"checksum/config": self._hex(256)}
        return {
            "metadata": self._metadata(
                "Pod", name, app.namespace, **more, annotations=notes, managedFields=_pod_fields(time, owner["uid"])
            ),
            "spec": _pod_spec(app, names, token, f"node-{number % self.nodes:04}"),
            "status": self._pod_status(app, names, time, number, ready=ready),
        }

    def _pod_status(self, app: App, names: list[str], time: str, number: int, *, ready: bool) -> Object:
        address = f"10.{number // 250 % 250}.{number % 250}.9"
        conditions = [
            {
                "type": kind,
                "status": "True" if ready or kind not in {"Ready", "ContainersReady"} else "False",
                "lastProbeTime": None,
                "lastTransitionTime": time,
            }
            for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        ]
        states = [
            {
                "name": name,
                "state": {"running": {"startedAt": time}},
                "lastState": {},
                "ready": ready,
                "started": True,
                "restartCount": 0,
                "image": f"registry.example.com/{app.namespace}/{app.name}-{name}:v1",
                "imageID": f"registry.example.com/{app.namespace}/{app.name}@sha256:{_digest(app, name)}",
                "containerID": f"containerd://{self._hex(256)}",
            }
            for name in names
        ]
        return {
            "phase": "Running",
            "conditions": conditions,
            "hostIP": f"10.0.{number % 250}.7",
            "podIP": address,
            "podIPs": [{"ip": address}],
            "startTime": time,
            "containerStatuses": states,
            "qosClass": "Burstable",
        }

    def _service(self, app: App) -> Object:
        spec = {"selector": {"app": app.name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}
        return {"metadata": self._metadata("Service", app.name, app.namespace), "spec": {**spec, "type": "ClusterIP"}}

    def _slice(self, app: App) -> Object:
        labels = {"kubernetes.io/service-name": app.name}
        metadata = self._metadata("EndpointSlice", f"{app.name}-{self._suffix()}", app.namespace, labels=labels)
        ports = [{"name": "http", "port": 8080, "protocol": "TCP"}]
        return {"metadata": metadata, "addressType": "IPv4", "endpoints": self._endpoints.pop(app, []), "ports": ports}

    def _config(self, app: App) -> Object:
        data = {f"SETTING_{number}": f"value {number} of {app.name}" for number in range(20)}
        return {"metadata": self._metadata("ConfigMap", f"{app.name}-config", app.namespace), "data": data}

    def _secret(self, app: App) -> Object:
        data = {"token": "bm90IGEgc2VjcmV0", "password": "bm90IGEgc2VjcmV0IGVpdGhlcg=="}
        return {
            "metadata": self._metadata("Secret", f"{app.name}-secret", app.namespace),
            "type": "Opaque",
            "data": data,
        }

    def _account(self, app: App) -> Object:
        return {"metadata": self._metadata("ServiceAccount", app.name, app.namespace)}

    def _budget(self, app: App) -> Object:
        spec = {"minAvailable": "80%", "selector": {"matchLabels": {"app": app.name}}}
        status = {"disruptionsAllowed": 2, "currentHealthy": 10, "desiredHealthy": 8, "expectedPods": 10}
        return {
            "metadata": self._metadata("PodDisruptionBudget", app.name, app.namespace),
            "spec": spec,
            "status": status,
        }

    def _scaler(self, app: App) -> Object:
        target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": app.name}
        spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 20}
        return {"metadata": self._metadata("HorizontalPodAutoscaler", app.name, app.namespace), "spec": spec}

    def _ingress(self, app: App) -> Object:
        backend = {"service": {"name": app.name, "port": {"name": "http"}}}
        rule = {
            "host": f"{app.name}.example.com",
            "http": {"paths": [{"path": "/", "pathType": "Prefix", "backend": backend}]},
        }
        return {"metadata": self._metadata("Ingress", app.name, app.namespace), "spec": {"rules": [rule]}}

    def _claim(self, app: App) -> Object:
        spec = {"accessModes": ["ReadWriteOnce"], "volumeName": f"pv-{app.name}", "storageClassName": "fast"}
        return {
            "metadata": self._metadata("PersistentVolumeClaim", f"{app.name}-data", app.namespace),
            "spec": spec,
            "status": {"phase": "Bound"},
        }

    def _volume(self, app: App) -> Object:
        claim = {"kind": "PersistentVolumeClaim", "namespace": app.namespace, "name": f"{app.name}-data"}
        spec = {"capacity": {"storage": "10Gi"}, "claimRef": claim, "storageClassName": "fast"}
        return {
            "metadata": self._metadata("PersistentVolume", f"pv-{app.name}"),
            "spec": spec,
            "status": {"phase": "Bound"},
        }

    def _event(self, app: App) -> Object:
        name = f"{app.name}.{self._hex(64)}"
        about = {"kind": "Deployment", "namespace": app.namespace, "name": app.name, "apiVersion": "apps/v1"}
        return {
            "metadata": self._metadata("Event", name, app.namespace),
            "involvedObject": about,
            "reason": "ScalingReplicaSet",
            "message": f"Scaled up replica set {_set_name(app, old=False)} to {app.replicas}",
            "type": "Normal",
            "count": 1,
            "firstTimestamp": self._time(),
            "lastTimestamp": self._time(),
        }


def _set_name(app: App, *, old: bool) -> str:
    return f"{app.name}-{app.number * 7919 % 0xFFFFF + old:05x}"


def _endpoint(pod: Object, zone: int) -> Object:
    metadata = pod["metadata"]
    return {
        "addresses": [pod["status"]["podIP"]],
        "conditions": {"ready": True, "serving": True, "terminating": False},
        "targetRef": {"kind": "Pod", **{name: metadata[name] for name in ("namespace", "name", "uid")}},
        "nodeName": pod["spec"]["nodeName"],
        "zone": f"zone-{zone}",
    }


def _owner(kind: str, name: str, uid: str) -> Object:
    return {"apiVersion": "apps/v1", "kind": kind, "name": name, "uid": uid, "controller": True}


def container(app: App, name: str, token: str) -> Object:
    env: list[Object] = [
        {"name": "DATABASE_URL", "value": f"postgres://db.{app.namespace}.svc:5432/{app.name}"},
        {"name": "LOG_LEVEL", "value": "info"},
        {"name": "POD_IP", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "status.podIP"}}},
        {"name": "TOKEN", "valueFrom": {"secretKeyRef": {"name": f"{app.name}-secret", "key": "token"}}},
    ]
    mounts = [{"name": "config", "mountPath": "/etc/app"}]
    if token:
        mounts.append({"name": token, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"})
    probe = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
    return {
        "name": name,
        "image": f"registry.example.com/{app.namespace}/{app.name}-{name}:v1",
        "imagePullPolicy": "IfNotPresent",
        "ports": [{"name": "http", "containerPort": 8080, "protocol": "TCP"}],
        "env": env,
        "envFrom": [{"configMapRef": {"name": f"{app.name}-config"}}],
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"cpu": "500m", "memory": "512Mi"}},
        "livenessProbe": {"httpGet": {"path": "/healthz", "port": "http", "scheme": "HTTP"}, **probe},
        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http", "scheme": "HTTP"}, **probe},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "volumeMounts": mounts,
    }


def _pod_spec(app: App, names: list[str], token: str, node: str) -> Object:
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {"downwardAPI": {"items": [{"path": "namespace", "fieldRef": {"fieldPath": "metadata.namespace"}}]}},
    ]
    return {
        "volumes": [
            {"name": "config", "configMap": {"name": f"{app.name}-config", "defaultMode": 420}},
            {"name": token, "projected": {"sources": sources, "defaultMode": 420}},
        ],
        "containers": [container(app, name, token) for name in names],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": app.name,
        "serviceAccount": app.name,
        "nodeName": node,
        "securityContext": {},
        "schedulerName": "default-scheduler",
        "tolerations": [
            {
                "key": f"node.kubernetes.io/{state}",
                "operator": "Exists",
                "effect": "NoExecute",
                "tolerationSeconds": 300,
            }
            for state in ("not-ready", "unreachable")
        ],
        "priority": 0,
        "enableServiceLinks": True,
        "preemptionPolicy": "PreemptLowerPriority",
    }


def _fields(paths: str) -> Object:
    """FieldsV1 of dotted paths, a space between two."""
    root: Object = {}
    for path in paths.split():
        at = root
        for step in path.split("."):
            at = at.setdefault(f"f:{step}" if not step.startswith("k:") else step, {})
    return root


_VARIABLES = [f'env.k:{{"name":"{name}"}}' for name in ("DATABASE_URL", "LOG_LEVEL", "POD_IP", "TOKEN")]
_PROBES = [
    f"{probe}.{field}"
    for probe in ("livenessProbe", "readinessProbe")
    for field in ("failureThreshold", "httpGet.path", "httpGet.port", "httpGet.scheme", "periodSeconds")
]
_RESOURCES = [f"resources.{kind}.{name}" for kind in ("limits", "requests") for name in ("cpu", "memory")]
_CONTAINER = ["envFrom", "image", "imagePullPolicy", "name", "ports.containerPort", "ports.name", "ports.protocol"]
_CONTAINER += ["terminationMessagePath", "terminationMessagePolicy", "volumeMounts.mountPath"]
_IN_CONTAINER = [*_VARIABLES, *_PROBES, *_RESOURCES, *_CONTAINER]
_SPEC_FIELDS = _fields(
    " ".join(f'spec.containers.k:{{"name":"app"}}.{field}' for field in _IN_CONTAINER)
    + " spec.dnsPolicy spec.enableServiceLinks spec.restartPolicy spec.schedulerName spec.securityContext "
    "spec.serviceAccount spec.serviceAccountName spec.terminationGracePeriodSeconds spec.volumes.name metadata.labels "
    "metadata.annotations metadata.generateName"
)
_STATUS_FIELDS = _fields(
    " ".join(
        f'status.conditions.k:{{"type":"{kind}"}}.{field}'
        for kind in ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady")
        for field in ("lastProbeTime", "lastTransitionTime", "status", "type")
    )
    + " status.containerStatuses status.hostIP status.hostIPs status.phase status.podIP status.podIPs status.startTime"
)


def _pod_fields(time: str, owner: str) -> list[Object]:
    spec = {**_SPEC_FIELDS, "f:metadata": {**_SPEC_FIELDS["f:metadata"], f'k:{{"uid":"{owner}"}}': {}}}
    return [
        _managed("kube-controller-manager", time, spec),
        {**_managed("kubelet", time, _STATUS_FIELDS), "subresource": "status"},
    ]


def _node_fields(time: str) -> list[Object]:
    return [_managed("kubelet", time, _fields("status.allocatable status.capacity status.conditions status.images"))]


def _managed(manager: str, time: str, fields: Object) -> Object:
    head = {"manager": manager, "operation": "Update", "apiVersion": "v1", "time": time}
    return {**head, "fieldsType": "FieldsV1", "fieldsV1": fields}
