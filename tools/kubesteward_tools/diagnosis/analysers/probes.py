"""Probes that are wrong or fail: path, port, command, scheme, patience."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    amount,
    at,
    command,
    every,
    kind_of,
    limits,
    listed,
    mapping,
    named,
    ports,
    regular,
    text,
    texts,
)
from kubesteward_tools.diagnosis.routing import called
from kubesteward_tools.diagnosis.scene import SERVERS, Scene, Warned
from kubesteward_tools.diagnosis.signs import listening
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key, Object

_FAILED = re.compile(r"(?P<probe>Liveness|Readiness|Startup) probe (?P<how>failed|errored)[^:]*: ?(?P<why>.*)", re.S)
_MISTAKEN = re.compile(r"HTTP [34]\d\d |wrong port|another scheme|its command fails")
"""The probe itself is wrong then, whatever its application needs."""
_TINY_CPU = 0.05


def analyse(scene: Scene) -> Iterator[Candidate]:
    found = set[Key]()
    for workload, warned in scene.warned_workloads.items():
        failures = [
            item for item in warned if item.reason in {"Unhealthy", "ProbeError"} and _FAILED.search(item.message)
        ]
        if failures and _still(scene, workload, failures):
            found.add(workload)
            yield _failing(scene, workload, failures)
    for workload in dict.fromkeys(key for key, _, _ in scene.sick_pods):
        if workload not in found:
            yield from _unnoticed(scene, workload)


def _still(scene: Scene, workload: Key, failures: list[Warned]) -> bool:
    """Pods fail a probe or two while they start; that is no fault once they are well."""
    sick = any(key == workload for key, _, _ in scene.sick_pods)
    return sick or (sum(item.count for item in failures) >= 3 and scene.now - failures[0].last < 900)


def _failing(scene: Scene, workload: Key, failures: list[Warned]) -> Candidate:
    order = {"Startup": 0, "Liveness": 1, "Readiness": 2}
    chosen = min(failures, key=lambda item: (order[_FAILED.search(item.message)["probe"]], -item.count))  # type: ignore[index]
    match = _FAILED.search(chosen.message)
    assert match is not None  # noqa: S101 - they were chosen by it
    kind, why = match["probe"].lower(), match["why"].strip()
    container, probe = _probe(scene.spec(workload), f"{kind}Probe", chosen.message)
    shown = described(probe)
    reason, fix = _explained(scene, workload, container, probe, kind=kind, why=why)
    effect = {
        "liveness": "the kubelet kills and restarts the container again and again",
        "startup": "the kubelet kills the container before it is up",
        "readiness": "the pod is not ready and gets no traffic",
    }[kind]
    sentence = (
        f"the {kind} probe of {named(workload)}, container {container.get('name')!r} ({shown}), fails: "
        f"{reason}; so {effect}."
    )
    crashed = any(
        item.workload == workload
        and at(item.status, "lastState", "terminated").get("exitCode") not in {None, 0, 137, 143}
        for item in scene.ailing
    )
    needs = () if _MISTAKEN.search(reason) else called(scene, workload)
    sure = 0.6 if crashed else 0.92
    if re.search(r"connection refused|EOF", why) and not fix and crashed:
        sure = 0.5
    return Candidate(
        "ProbeFailure",
        workload,
        sentence,
        sure,
        (chosen.message[:300],),
        fix=fix or f"Correct the {kind} probe ({shown}) or what answers it.",
        since=min(item.first for item in failures),
        suffers=(chosen.about,),
        needs=needs,
        generic=bool(needs),
        proposal=_mended(workload, container, probe, f"{kind}Probe", scene),
    )


def _probe(spec: Object, field: str, message: str) -> tuple[Object, Object]:
    """The container with such a probe, and the probe; where several have one, the one that the message fits."""
    having = [(item, mapping(item.get(field))) for item in every(spec) if item.get(field)]
    for item, probe in having:
        path, port = text(at(probe, "httpGet").get("path")), _port(probe)
        if (path and path != "/" and path in message) or (port and f":{port}" in message):
            return item, probe
    return having[0] if having else ((regular(spec) or [{}])[0], {})


def _port(probe: Object) -> Any:
    return next((at(probe, field).get("port") for field in ("httpGet", "tcpSocket", "grpc") if probe.get(field)), None)


def described(probe: Object) -> str:
    """`httpGet path /healthz port 8080`, with the numbers that matter."""
    http, tcp, grpc, run = (mapping(probe.get(field)) for field in ("httpGet", "tcpSocket", "grpc", "exec"))
    if http:
        scheme = f" scheme {http['scheme']}" if http.get("scheme") not in {None, "HTTP"} else ""
        shown = f"httpGet path {http.get('path', '/')} port {http.get('port')}{scheme}"
    elif tcp or grpc:
        shown = f"{'tcpSocket' if tcp else 'grpc'} port {(tcp or grpc).get('port')}"
    else:
        shown = f"exec command {command(texts(run.get('command')))!r}" if run else "as the event tells"
    names = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "failureThreshold")
    return shown + "".join(f", {name} {probe[name]}" for name in names if name in probe)


def _explained(
    scene: Scene, workload: Key, container: Object, probe: Object, *, kind: str, why: str
) -> tuple[str, str]:
    port, path = _port(probe), text(at(probe, "httpGet").get("path")) or "/"
    said = why[:260].rstrip(". ")
    if code := re.search(r"statuscode: (\d+)", why):
        wrong = "the path (URL) does not exist" if code[1] == "404" else f"the application answers {code[1]} there"
        fix = (
            f"Correct the path {path!r} of the {kind} probe, or serve it."
            if code[1] in {"404", "405", "301"}
            else f"Look why the application answers {code[1]} at {path}."
        )
        return f"HTTP {code[1]} for path {path} ({said}): {wrong}", fix
    if re.search(r"refused|EOF|reset|no route", why):
        return _refused(scene, workload, container, port, said=said, kind=kind)
    if re.search(r"gave HTTP response to HTTPS|malformed HTTP", why):
        return f"it speaks another scheme (HTTP against HTTPS): {said}", "Correct the probe's scheme."
    if re.search(r"deadline exceeded|timeout|timed out|Timeout", why):
        cpu = limits(container, "cpu")
        slow = f"; its CPU limit is only {cpu}" if cpu and amount(cpu) <= _TINY_CPU * 4 else ""
        return (
            f"no answer within timeoutSeconds {probe.get('timeoutSeconds', 1)} ({said}){slow}",
            f"Raise timeoutSeconds or initialDelaySeconds of the {kind} probe, or make the application faster.",
        )
    if re.search(r"not found|no such file|can't open|permission denied", why, re.I):
        return f"its command fails: {said}", f"Correct the command of the {kind} probe, or create what it looks for."
    return f"{said or 'no output'}", ""


def _refused(scene: Scene, workload: Key, container: Object, port: Any, *, said: str, kind: str) -> tuple[str, str]:
    declared = [number for _, number, _ in ports({"containers": [container]})]
    open_ports = sorted(
        {
            number
            for pod in scene.pods(workload)
            for number in listening(
                scene.log(Key("pods", workload.namespace, pod["metadata"]["name"]), text(container.get("name")))
            )
        }
    )
    other = [number for number in dict.fromkeys([*open_ports, *declared]) if number != port]
    if isinstance(port, int) and other and port not in (open_ports or declared):
        return (
            f"nothing listens on the wrong port {port} (connection refused: {said}); the container's port "
            f"is {listed(other)}",
            f"Set the port of the {kind} probe to {other[0]}.",
        )
    return f"connection refused on port {port}: nothing listens there, or not yet ({said})", ""


def _mended(workload: Key, container: Object, probe: Object, field: str, scene: Scene) -> Proposal | None:
    """The probe on the one port that the container declares, where it asks another one."""
    declared = [number for _, number, _ in ports({"containers": [container]})]
    handler = next((name for name in ("httpGet", "tcpSocket", "grpc") if probe.get(name)), "")
    port = _port(probe)
    if workload.resource not in SERVERS or len(declared) != 1 or not isinstance(port, int) or port in declared:
        return None
    item = {"name": container.get("name"), field: {handler: {"port": declared[0]}}}
    patch = {"spec": {"template": {"spec": {"containers": [item]}}}}
    return Proposal("patch", kind_of(workload.resource), workload.name, workload.namespace, {"patch": patch})


def _unnoticed(scene: Scene, workload: Key) -> Iterator[Candidate]:
    """Running pods that never get ready, without an event that says so: the probe itself is looked at."""
    pods = next((pods for key, pods, _ in scene.sick_pods if key == workload), [])
    for pod in pods:
        for status in mapping(pod.get("status")).get("containerStatuses") or ():
            container = next(
                (item for item in regular(mapping(pod.get("spec"))) if item.get("name") == status.get("name")), {}
            )
            if status.get("ready") or not at(status, "state", "running") or not container.get("readinessProbe"):
                continue
            probe = mapping(container["readinessProbe"])
            sentence = (
                f"container {container.get('name')!r} of {named(workload)} runs but is not ready: its readiness probe "
                f"({described(probe)}) does not succeed, so the pod gets no traffic."
            )
            yield Candidate(
                "ProbeFailure",
                workload,
                sentence,
                0.65,
                (f"containers with unready status: {container.get('name')}",),
                fix="Correct the readiness probe, or what answers it.",
                suffers=(Key("pods", workload.namespace, pod["metadata"]["name"]),),
                generic=True,
            )
            return
