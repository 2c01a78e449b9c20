"""Small clusters of made-up objects in the words of real ones: each builder gives a workload with all of its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from kubesteward_tools.cluster.bundle import of_objects, saved_logs
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.diagnose import Verdict, diagnose

Object = dict[str, Any]
NOW = "2026-03-02T12:00:00Z"
THEN = "2026-03-02T11:20:00Z"


def made(kind: str, name: str, namespace: str = "shop", api: str = "v1", **fields: Any) -> Object:
    labels, owners, notes = (fields.pop(word, None) for word in ("labels", "owners", "annotations"))
    metadata: Object = {"name": name, "uid": f"uid-{kind}-{namespace}-{name}", "creationTimestamp": THEN}
    metadata |= {"namespace": namespace} if namespace else {}
    metadata |= {"labels": labels} if labels else {}
    metadata |= {"ownerReferences": owners} if owners else {}
    metadata |= {"annotations": notes} if notes else {}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def owner(obj: Object) -> Object:
    metadata = obj["metadata"]
    found = {"apiVersion": obj["apiVersion"], "kind": obj["kind"], "name": metadata["name"], "uid": metadata["uid"]}
    return {**found, "controller": True}


def container(name: str = "app", image: str = "registry.example.com/app:1.4", **more: Any) -> Object:
    return {"name": name, "image": image, **more}


def running(name: str = "app", *, ready: bool = True, restarts: int = 0, last: Object | None = None) -> Object:
    state = {"running": {"startedAt": THEN}}
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state, "lastState": last or {}}


def waiting(
    reason: str, message: str = "", name: str = "app", *, restarts: int = 0, last: Object | None = None
) -> Object:
    state = {"waiting": {"reason": reason, "message": message}}
    return {"name": name, "ready": False, "restartCount": restarts, "state": state, "lastState": last or {}}


def ended(code: int, reason: str = "Error", message: str = "") -> Object:
    return {
        "terminated": {"exitCode": code, "reason": reason, "message": message, "startedAt": THEN, "finishedAt": NOW}
    }


def crashing(code: int, reason: str = "Error", name: str = "app", message: str = "", restarts: int = 7) -> Object:
    told = f"back-off 5m0s restarting failed container={name}"
    return waiting("CrashLoopBackOff", told, name, restarts=restarts, last=ended(code, reason, message))


def pod(
    name: str,
    spec: Object,
    statuses: list[Object] | None = None,
    *,
    namespace: str = "shop",
    labels: Object | None = None,
    owners: list[Object] | None = None,
    phase: str = "",
    inits: list[Object] | None = None,
    unschedulable: str = "",
    node: str = "worker-1",
    **status: Any,
) -> Object:
    """Ready when all its containers are. `unschedulable` is what the scheduler says."""
    found = [running(item["name"]) for item in spec["containers"]] if statuses is None else statuses
    ready = bool(found) and all(item["ready"] for item in found) and not unschedulable
    conditions = [{"type": "Ready", "status": "True" if ready else "False"}]
    if unschedulable:
        conditions.append(
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": unschedulable}
        )
    shown: Object = {"phase": phase or ("Pending" if unschedulable else "Running"), "conditions": conditions}
    if not unschedulable:
        conditions.append({"type": "PodScheduled", "status": "True"})
        shown |= {"containerStatuses": found, "podIP": "10.1.2.3", "hostIP": "172.18.0.3", "startTime": THEN}
        spec = {"nodeName": node, **spec}
    shown |= {"initContainerStatuses": inits} if inits else {}
    return made("Pod", name, namespace, labels=labels, owners=owners, spec=spec, status={**shown, **status})


def deployment(
    name: str,
    spec: Object | None = None,
    statuses: list[Object] | None = None,
    *,
    namespace: str = "shop",
    replicas: int = 1,
    pods: int | None = None,
    labels: Object | None = None,
    kind: str = "Deployment",
    **of_pod: Any,
) -> list[Object]:
    """With its ReplicaSet and pods. `pods` is how many there are, all that are wanted by default."""
    spec = spec or {"containers": [container(ports=[{"containerPort": 8080}])]}
    labels = labels or {"app": name}
    count = replicas if pods is None else pods
    template = {"metadata": {"labels": labels}, "spec": spec}
    body = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    top = made(kind, name, namespace, "apps/v1", spec=body, labels=labels)
    parent, between = top, []
    if kind == "Deployment":
        parent = made("ReplicaSet", f"{name}-6d4f9", namespace, "apps/v1", owners=[owner(top)], spec=body)
        between = [parent]
    made_pods = [
        pod(
            f"{name}-6d4f9-{'abcdefgh'[number]}x",
            spec,
            statuses,
            namespace=namespace,
            labels=labels,
            owners=[owner(parent)],
            **of_pod,
        )
        for number in range(count)
    ]
    ready = sum(item["status"]["conditions"][0]["status"] == "True" for item in made_pods)
    status = {"replicas": count, "readyReplicas": ready, "updatedReplicas": count, "availableReplicas": ready}
    for item in (top, *between):
        item["status"] = dict(status)
    if kind == "DaemonSet":
        top["status"] = {"desiredNumberScheduled": replicas, "numberReady": ready, "currentNumberScheduled": count}
    return [top, *between, *made_pods]


def job(
    name: str,
    spec: Object,
    statuses: list[Object],
    *,
    reason: str = "BackoffLimitExceeded",
    owners: list[Object] | None = None,
) -> list[Object]:
    message = {
        "BackoffLimitExceeded": "Job has reached the specified backoff limit",
        "DeadlineExceeded": "Job was active longer than specified deadline",
    }[reason]
    failed = {"type": "Failed", "status": "True", "reason": reason, "message": message}
    body = {"backoffLimit": 2, "template": {"spec": spec}} | (
        {"activeDeadlineSeconds": 30} if reason == "DeadlineExceeded" else {}
    )
    top = made("Job", name, "shop", "batch/v1", owners=owners, spec=body, status={"failed": 3, "conditions": [failed]})
    return [top, pod(f"{name}-x1", spec, statuses, owners=[owner(top)], phase="Failed")]


def service(
    name: str,
    selector: Object | None = None,
    *,
    port: int = 80,
    target: Any = 8080,
    namespace: str = "shop",
    **spec: Any,
) -> Object:
    ports = [{"name": "http", "port": port, "targetPort": target, "protocol": "TCP"}]
    return made(
        "Service",
        name,
        namespace,
        spec={"selector": selector or {"app": name}, "ports": ports, "clusterIP": "10.96.7.7", **spec},
    )


def event(about: Object, reason: str, message: str, *, count: int = 9) -> Object:
    metadata = about["metadata"]
    space = metadata.get("namespace", "")
    involved = {
        "kind": about["kind"],
        "name": metadata["name"],
        "namespace": space,
        "apiVersion": about["apiVersion"],
        "uid": metadata["uid"],
    }
    name = f"{metadata['name']}.{abs(hash((reason, message))):x}"
    times = {"firstTimestamp": THEN, "lastTimestamp": NOW, "count": count}
    return made(
        "Event",
        name,
        space or "default",
        involvedObject=involved,
        reason=reason,
        message=message,
        type="Warning",
        **times,
    )


def node(name: str, *, ready: str = "True", cpu: str = "4", pods: str = "110", **more: Any) -> Object:
    taints, labels = more.pop("taints", []), more.pop("labels", {})
    size = {"cpu": cpu, "memory": "8Gi", "pods": pods, **more.pop("extra", {})}
    found = [
        {
            "type": "Ready",
            "status": ready,
            "reason": "KubeletReady" if ready == "True" else "NodeStatusUnknown",
            "message": "" if ready == "True" else "Kubelet stopped posting node status.",
            "lastTransitionTime": THEN,
        }
    ]
    found += [
        {"type": kind, "status": "True", "reason": f"KubeletHas{kind}", "message": f"kubelet has {kind}"}
        for kind in more.pop("pressures", ())
    ]
    return made(
        "Node",
        name,
        "",
        labels={"kubernetes.io/hostname": name, **labels},
        spec={"taints": taints, **more},
        status={"allocatable": size, "capacity": size, "conditions": found},
    )


def base(namespaces: tuple[str, ...] = ("default", "kube-system", "shop")) -> list[Object]:
    """What every cluster has: nodes, namespaces, accounts, a storage class and DNS."""
    spaces = [
        made("Namespace", name, "", labels={"kubernetes.io/metadata.name": name}, status={"phase": "Active"})
        for name in namespaces
    ]
    accounts = [made("ServiceAccount", "default", name) for name in namespaces]
    standard = made(
        "StorageClass",
        "standard",
        "",
        "storage.k8s.io/v1",
        provisioner="rancher.io/local-path",
        volumeBindingMode="WaitForFirstConsumer",
        annotations={"storageclass.kubernetes.io/is-default-class": "true"},
    )
    spec = {
        "containers": [
            container(
                "coredns",
                "registry.k8s.io/coredns/coredns:v1.12.0",
                ports=[{"containerPort": 53, "name": "dns", "protocol": "UDP"}],
            )
        ]
    }
    dns = deployment("coredns", spec, namespace="kube-system", replicas=2, labels={"k8s-app": "kube-dns"})
    server = made(
        "Service",
        "kube-dns",
        "kube-system",
        spec={
            "selector": {"k8s-app": "kube-dns"},
            "clusterIP": "10.96.0.10",
            "ports": [{"name": "dns", "port": 53, "targetPort": 53, "protocol": "UDP"}],
        },
    )
    return [*spaces, *accounts, standard, *dns, server]


NODES = [node("worker-1"), node("worker-2")]


def verdict(
    objects: list[Object], prompt: str = "", logs: dict[str, str] | None = None, nodes: list[Object] | None = None
) -> Verdict:
    """What is blamed in a cluster that has these objects besides `base`. Logs are by `pod/container[/previous]`."""
    known = [*base(), *(NODES if nodes is None else nodes), *objects]
    source = of_objects([known], saved_logs({f"shop/{name}": text for name, text in (logs or {}).items()}))
    made_verdict = diagnose(scene_of(source.world("lab"), source, prompt, 1772452800.0), "lab")
    assert made_verdict.unread == ()
    return made_verdict


def blamed(found: Verdict) -> tuple[str, str, str]:
    """Category, kind and name of the first cause."""
    best = found.best
    return (best.category, best.culprit.kind, best.culprit.name) if best.culprit else (best.category, "", "")


def written(folder: Path, objects: list[Object], prompt: str) -> Path:
    folder.mkdir(parents=True)
    (folder / "cluster.json").write_text(json.dumps([*base(), *NODES, *objects]))
    (folder / "logs.json").write_text("{}")
    (folder / "prompt.txt").write_text(prompt)
    return folder
