"""Objects with a secret in every place that may hold one. `plant(where, shape)` gives the secret for a place."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from typing import Any

from tests.e2e.canaries import SHAPES, TELLING, Shape
from tests.e2e.planted_texts import NAMES, Plant, b64, docker, files, log, named, telling, told
from tests.tools.world.objects import Object, obj, owned

APPLIED = "kubectl.kubernetes.io/last-applied-configuration"

_NOW = "2026-11-21T08:00:00Z"


def objects(plant: Plant) -> list[Object]:
    """What both the embedded cluster and a bundle hold."""
    makers = (secrets, configmaps, workloads, settings, alone, happenings)
    return [item for maker in makers for item in maker(plant)]


def _applied(item: Object) -> Object:
    """With the copy that `kubectl apply` leaves in it."""
    notes = {**(item["metadata"].get("annotations") or {}), APPLIED: json.dumps(item)}
    return {**item, "metadata": {**item["metadata"], "annotations": notes}}


def secrets(plant: Plant) -> Iterator[Object]:
    def secret(name: str, kind: str, namespace: str = "shop", **fields: Any) -> Object:
        return _applied(obj("Secret", name, namespace=namespace, type=kind, **fields))

    def data(name: str, kind: str, shapes: dict[str, Shape], namespace: str = "shop") -> Object:
        values = {key: b64(plant(f"Secret({kind}) data.{key}", shape)) for key, shape in shapes.items()}
        return secret(name, kind, namespace, data=values)

    yield data("opaque", "Opaque", {f"k{n}": shape for n, shape in enumerate(SHAPES)})
    yield secret(
        "written", "Opaque", stringData={f"k{n}": plant("Secret stringData", shape) for n, shape in enumerate(SHAPES)}
    )
    yield data("tls", "kubernetes.io/tls", {"tls.crt": "base64", "tls.key": "pem"})
    yield data("basic", "kubernetes.io/basic-auth", {"username": "token", "password": "password"})
    yield data("ssh", "kubernetes.io/ssh-auth", {"ssh-privatekey": "pem"})
    yield data("web-token-x7k2p", "kubernetes.io/service-account-token", {"token": "jwt"})
    bootstrap: dict[str, Shape] = {"token-id": "token", "token-secret": "token"}
    yield data("bootstrap-token-abcdef", "bootstrap.kubernetes.io/token", bootstrap, "kube-system")
    login = docker(plant, "Secret dockerconfigjson")
    yield secret("pull", "kubernetes.io/dockerconfigjson", data={".dockerconfigjson": b64(login)})
    release = {
        "name": "web",
        "config": named(plant, "Helm release config"),
        "manifest": f"password: {plant('Helm release manifest', 'token')}",
    }
    helm = obj(
        "Secret", "sh.helm.release.v1.web.v1", type="helm.sh/release.v1", data={"release": b64(packed_up(release))}
    )
    yield {**helm, "metadata": {**helm["metadata"], "labels": {"owner": "helm", "status": "deployed"}}}
    noted = obj("Secret", "noted", type="Opaque", data={"a": b64(plant("Secret with notes", "token"))})
    notes = telling(plant, "Secret annotations") | {
        "example.com/copy": json.dumps({"data": {"a": b64(plant("Secret annotation of another applier", "token"))}})
    }
    yield {**noted, "metadata": {**noted["metadata"], "annotations": notes}}


def packed_up(value: Any) -> str:
    """As Helm and appliers keep what they applied."""
    return base64.b64encode(gzip.compress(json.dumps(value).encode(), mtime=0)).decode()


def configmaps(plant: Plant) -> Iterator[Object]:
    yield _applied(obj("ConfigMap", "keys", data=named(plant, "ConfigMap key")))
    yield _applied(obj("ConfigMap", "files", data=files(plant, "ConfigMap file")))
    packed = {
        "db.password": b64(plant("ConfigMap binaryData", "token")),
        "blob": plant("ConfigMap binaryData blob", "base64 pem"),
    }
    yield obj("ConfigMap", "binary", binaryData=packed)
    release = {"manifest": f"password: {plant('ConfigMap Helm release', 'token')}"}
    yield obj("ConfigMap", "web.v1", data={"release": packed_up(release)})
    applied = {"objectset.rio.cattle.io/applied": packed_up({"env": plant("ConfigMap applied annotation", "token")})}
    yield obj("ConfigMap", "applied", metadata={"annotations": applied}, data={})
    loose = {f"part{n}": plant("ConfigMap part", shape) for n, shape in enumerate(TELLING)}
    yield obj("ConfigMap", "loose", data=loose)


def pod_spec(plant: Plant, where: str, **more: Any) -> Object:
    """A pod's spec with secrets in all its corners."""
    env = [{"name": name, "value": value} for name, value in named(plant, f"{where} env").items()]
    env += [{"name": f"SETTING_{n}", "value": plant(f"{where} env value", shape)} for n, shape in enumerate(TELLING)]
    word = plant(f"{where} args flag", "token")
    args = [f"--db-password={plant(f'{where} args --db-password=', 'password')}", "--api-token", word]
    args += [f"--dsn={plant(f'{where} args --dsn', 'url')}", plant(f"{where} args jwt", "jwt"), "--port=80"]
    script = f"PGPASSWORD={plant(f'{where} command PGPASSWORD', 'token')} psql -h db"
    script += f" && curl -u app:{plant(f'{where} command curl -u', 'token')} http://db"
    script += f' && curl -H "{plant(f"{where} command header", "bearer")}" http://db'
    header = [{"name": "Authorization", "value": f"Bearer {plant(f'{where} probe header', 'token')}"}]
    header += [{"name": "X-Api-Key", "value": plant(f"{where} probe X-Api-Key", "token")}]
    probe = {
        "httpGet": {
            "path": f"/health?token={plant(f'{where} probe query', 'token')}",
            "port": 80,
            "httpHeaders": header,
        }
    }
    hook = {"preStop": {"exec": {"command": ["sh", "-c", f"notify --password={plant(f'{where} lifecycle', 'token')}"]}}}
    volumes = [
        {
            "name": "csi",
            "csi": {"driver": "x", "volumeAttributes": {"password": plant(f"{where} csi attribute", "token")}},
        },
        {
            "name": "flex",
            "flexVolume": {"driver": "x/y", "options": {"password": plant(f"{where} flex option", "token")}},
        },
        {"name": "sa", "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}]}},
    ]
    main = {"name": "app", "image": "app:1", "env": env, "args": args, "livenessProbe": probe, "lifecycle": hook}
    first = {"name": "init", "image": "init:1", "command": ["sh", "-c", script]}
    return {"initContainers": [first], "containers": [main], "volumes": volumes, **more}


def workloads(plant: Plant) -> Iterator[Object]:
    def template(kind: str) -> Object:
        notes = named(plant, f"{kind} template annotation", tuple(f"example.com/{name}" for name in NAMES))
        metadata = {
            "labels": {"app": kind.lower()},
            "annotations": notes | telling(plant, f"{kind} template annotation"),
        }
        return {
            "metadata": metadata,
            "spec": pod_spec(plant, f"{kind} template", nodeSelector={"nowhere": "to-be-found"}),
        }

    selector = {"matchLabels": {"app": "x"}}
    for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet"):
        spec = {"replicas": 0, "selector": selector, "serviceName": "x", "template": template(kind)}
        trouble = [{"type": "Available", "status": "False", "message": f"{kind}: {plant(f'{kind} condition', 'url')}"}]
        yield _applied(obj(kind, f"{kind.lower()}-x", "apps/v1", spec=spec, status={"conditions": trouble}))
    controller = {"replicas": 0, "selector": {"app": "x"}, "template": template("ReplicationController")}
    yield obj("ReplicationController", "rc-x", spec=controller)
    yield obj(
        "Job", "job-x", "batch/v1", spec={"suspend": True, "template": template("Job")}, status=_troubled(plant, "Job")
    )
    job = {"spec": {"template": template("CronJob")}}
    yield _applied(
        obj("CronJob", "cron-x", "batch/v1", spec={"schedule": "0 0 1 1 *", "suspend": True, "jobTemplate": job})
    )
    revision = {"spec": {"template": template("ControllerRevision")}}
    yield obj("ControllerRevision", "sts-1", "apps/v1", data=revision, revision=1)
    yield pod(plant)


def pod(plant: Plant) -> Object:
    notes = named(plant, "Pod annotation", tuple(f"example.com/{name}" for name in NAMES)) | telling(
        plant, "Pod annotation"
    )
    running = log(plant, "Pod log").replace("\r", "")
    notes |= {"sim.kubesteward.dev/log.app": running}
    ended = {"exitCode": 1, "reason": "Error", "startedAt": _NOW, "finishedAt": _NOW}
    waits = {
        "reason": "CrashLoopBackOff",
        "message": f"back-off: login with {plant('Pod waiting.message', 'url')} failed",
    }
    state = {
        "name": "app",
        "restartCount": 2,
        "ready": False,
        "state": {"waiting": waits},
        "lastState": {"terminated": {**ended, "message": told(plant, "Pod terminated.message")}},
    }
    first = {"name": "init", "restartCount": 0, "ready": False}
    first["state"] = {"terminated": {**ended, "message": told(plant, "Pod init terminated.message")}}
    unready = {"type": "Ready", "status": "False", "message": told(plant, "Pod condition message")}
    status = {
        "phase": "Running",
        "conditions": [unready],
        "containerStatuses": [state],
        "initContainerStatuses": [first],
    }
    status["message"] = told(plant, "Pod status.message")
    labels = {"app": "pod", "api-token": plant("Pod label", "token")}
    made = obj(
        "Pod",
        "pod-x",
        metadata={"annotations": notes, "labels": labels},
        spec=pod_spec(plant, "Pod", nodeName="node-9"),
    )
    return _applied({**made, "status": status})


def _troubled(plant: Plant, where: str) -> Object:
    return {"conditions": [{"type": "Failed", "status": "True", "message": told(plant, f"{where} condition message")}]}


def settings(plant: Plant) -> Iterator[Object]:
    """Kinds that hold secrets by the way."""
    notes = named(plant, "Ingress annotation", tuple(f"nginx.ingress.kubernetes.io/{name}" for name in NAMES))
    notes["nginx.ingress.kubernetes.io/configuration-snippet"] = (
        f'proxy_set_header Authorization "Basic {plant("Ingress snippet", "base64")}";'
    )
    rule = {"host": "x.example", "http": {"paths": []}}
    yield _applied(
        obj("Ingress", "web", "networking.k8s.io/v1", metadata={"annotations": notes}, spec={"rules": [rule]})
    )
    hook = {
        "name": "a.example.com",
        "clientConfig": {"url": f"https://u:{plant('Webhook url', 'token')}@hook.example/x"},
    }
    for kind in ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration"):
        yield obj(kind, "hooks", "admissionregistration.k8s.io/v1", "", webhooks=[hook])
    parameters = named(plant, "StorageClass parameter") | {"restuserkey": plant("StorageClass restuserkey", "token")}
    yield obj("StorageClass", "odd", "storage.k8s.io/v1", "", provisioner="x", parameters=parameters)
    volume = {
        "csi": {"driver": "x", "volumeHandle": "h", "volumeAttributes": named(plant, "PersistentVolume attribute")}
    }
    yield obj(
        "PersistentVolume",
        "pv-x",
        namespace="",
        spec=volume,
        status={"phase": "Failed", "message": told(plant, "PersistentVolume message")},
    )
    for kind in ("ServiceAccount", "Service", "PersistentVolumeClaim"):
        noted = {"annotations": named(plant, f"{kind} annotation") | telling(plant, f"{kind} annotation")}
        yield obj(kind, f"{kind.lower()}-x", metadata=noted, **({"spec": {}} if kind != "ServiceAccount" else {}))
    for kind, status in (("Node", _unready(plant)), ("Namespace", {"phase": "Active"})):
        noted = {"annotations": named(plant, f"{kind} annotation") | telling(plant, f"{kind} annotation")}
        yield obj(kind, f"{kind.lower()}-x", namespace="", metadata=noted, spec={}, status=status)


def _unready(plant: Plant) -> Object:
    bad = {
        "type": "Ready",
        "status": "False",
        "reason": "KubeletNotReady",
        "message": told(plant, "Node condition message"),
    }
    pressed = {"type": "DiskPressure", "status": "True", "message": told(plant, "Node pressure message")}
    return {"conditions": [bad, pressed]}


def alone(plant: Plant) -> Iterator[Object]:
    """Objects with one secret each: what changed is told of few fields at a time."""
    for number, shape in enumerate(TELLING):
        notes = {"annotations": {"example.com/note": f"look at this rather long line: {plant('Service alone', shape)}"}}
        yield obj("Service", f"alone-{number}", metadata=notes, spec={})
        env = [{"name": "SETTING", "value": plant("StatefulSet alone", shape)}]
        template = {"spec": {"containers": [{"name": "app", "env": env}], "nodeSelector": {"nowhere": "to-be-found"}}}
        spec = {"replicas": 0, "selector": {"matchLabels": {"app": "x"}}, "template": template}
        yield obj("StatefulSet", f"alone-{number}", "apps/v1", spec=spec)
    for number, where in enumerate(("", "x" * 20, "y" * 40)):
        notes = {
            "annotations": {
                "example.com/note": f"{where}postgres://a-very-long-name-of-a-user:{plant('Service cut', 'token')}@db/x"
            }
        }
        yield obj("Service", f"cut-{number}", metadata=notes, spec={})


def happenings(plant: Plant) -> Iterator[Object]:
    """Events: everybody may write them, and everybody's errors are in them."""
    about = {"apiVersion": "v1", "kind": "Pod", "namespace": "shop", "name": "pod-x"}
    for number, line in enumerate(told(plant, "Event message").split("\n")):
        times = {"lastTimestamp": "", "firstTimestamp": "", "count": 1}
        yield obj("Event", f"e{number}", type="Warning", reason="Failed", message=line, involvedObject=about, **times)
    for number, start in enumerate((180, 200, 215, 225)):
        where = f"Event message cut at {start}"
        text = f"{'y' * start} {plant(where, 'url')} {plant(where, 'jwt')}"
        yield obj(
            "Event",
            f"c{number}",
            type="Warning",
            reason=f"Cut{number}",
            message=text,
            involvedObject=about,
            lastTimestamp="",
        )


def customs(plant: Plant) -> Iterator[Object]:
    """Custom resources: nobody knows their fields, only the names of them."""
    values = named(plant, "CustomResource spec")
    spec = {"auth": values, "users": [{"name": "a", "password": plant("CustomResource list", "password")}]}
    spec["clientSecret"] = plant("CustomResource clientSecret", "token")
    spec["passwords"] = [plant("CustomResource passwords", "token")]
    spec["tokens"] = {"a": plant("CustomResource tokens", "token")}
    spec["password"] = {"value": plant("CustomResource password.value", "token")}
    spec["config"] = files(plant, "CustomResource config")
    spec["values"] = f"db:\n  password: {plant('CustomResource values text', 'token')}\n"
    failed = {"type": "Ready", "status": "False", "reason": "Failed", "message": told(plant, "CustomResource message")}
    made = obj("Database", "db", "example.com/v1", spec=spec, status={"conditions": [failed], "phase": "Failed"})
    yield _applied(made)
    chart = {"values": {"db": named(plant, "HelmRelease values")}}
    yield _applied(obj("HelmRelease", "web", "helm.toolkit.fluxcd.io/v2", spec=chart))


def rollout(before: Plant, after: Plant) -> list[Object]:
    """A Deployment whose ReplicaSets differ in what their secrets are."""
    labels = {"app": "rolled"}
    above = obj(
        "Deployment",
        "rolled",
        "apps/v1",
        spec={"replicas": 0, "selector": {"matchLabels": labels}, "template": {"spec": pod_spec(after, "rollout")}},
    )
    sets = []
    for number, plant in enumerate((before, after), 1):
        notes = {"annotations": {"deployment.kubernetes.io/revision": str(number)}, "creationTimestamp": ""}
        spec = {"replicas": 0, "selector": {"matchLabels": labels}, "template": {"spec": pod_spec(plant, "rollout")}}
        sets.append(owned(obj("ReplicaSet", f"rolled-{number}", "apps/v1", metadata=notes, spec=spec), above))
    return [above, *sets]


def crossed(plant: Plant) -> Iterator[Object]:
    """Every telling name with every shape in every format: thousands of places."""
    import yaml

    for shape in SHAPES:
        for name in NAMES:
            values = {where: plant(f"crossed {where} {name}", shape) for where in (*_STRUCTURED, *_FORMATS)}
            key = f"{SHAPES.index(shape)}-{NAMES.index(name)}"
            data = {
                "key": yaml.safe_dump({"a": {name: values["yaml"]}, "b": [1]}),
                "json": json.dumps({"a": {name: values["json"]}}),
            }
            data["log"] = json.dumps({"msg": json.dumps({"level": 1, name: values["log"], "z": 2})})
            data["toml"] = f"a = 1\n{name} = {json.dumps(values['toml'])}\nb = 2\n"
            if shape not in {"pem", "aws", "quoted", "bearer", "url"}:
                data["env"] = f"A=1\n{name}={values['env']}\nB=2\n"
                data["ini"] = f"[a]\n{name} = {values['ini']}\nb = 2\n"
                data["prose"] = f"start with {name}={values['prose']} and go"
                data["flag"] = f"app --mode fast --{name}={values['flag']} --port 80"
            notes = {f"example.com/{name}": values["annotation"]}
            yield obj(
                "ConfigMap", f"crossed-{key}", data={**data, name: values["data"]}, metadata={"annotations": notes}
            )
            env = [{"name": name, "value": values["variable"]}]
            args = [f"--{name}", values["item"], f"--{name}={values['joined']}"]
            yield obj("Pod", f"crossed-{key}", spec={"containers": [{"name": "app", "env": env, "args": args}]})
            spec = {"a": {name: values["field"]}, "b": [{name: {"value": values["inner"]}}]}
            yield obj("Database", f"crossed-{key}", "example.com/v1", spec=spec)


_STRUCTURED = ("annotation", "data", "variable", "item", "joined", "field", "inner")
_FORMATS = ("yaml", "json", "log", "toml", "env", "ini", "prose", "flag")
