"""Fixes that follow from a cause by themselves, where its analyser only names it: one call that can be rehearsed."""

from __future__ import annotations

import re
from collections.abc import Callable

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, kind_of, mapping, mappings, number, texts
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.diagnosis.testimony import Testimony
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.twin.quantity import format_like, parse
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object

_DNS = Key("services", "kube-system", "kube-dns")
_QUOTA = re.compile(r"exceeded quota: (?P<name>[\w.-]+), requested: (?P<asked>\S+?), used: (?P<used>\S+?), limited")
_SPACE = "kubernetes.io/metadata.name"


def testify(scene: Scene, one: Candidate) -> Testimony:
    maker = _MAKERS.get(one.category)
    if one.proposal is not None or maker is None:
        return Testimony()
    return Testimony(proposal=maker(scene, one))


def _policy(scene: Scene, one: Candidate) -> Proposal | None:
    """One more rule that lets through exactly what was blocked; the rules that are there stay."""
    spec = mapping(scene.get(one.culprit).get("spec"))
    services = [key for key in one.suffers if key.resource == "services"]
    senders = [key for key in one.suffers if key.resource in SERVERS or key.resource == "pods"]
    if one.culprit.resource != "networkpolicies.networking.k8s.io" or not services or not senders:
        return None
    sender, service = senders[0], services[0]
    if service != _DNS and _selects(spec, one.culprit, service.namespace, routing.selector(scene.get(service))):
        direction, word, peer = "ingress", "from", _peer(scene.labels(sender), sender.namespace, one.culprit)
    else:
        direction, word = "egress", "to"
        peer = _peer(routing.selector(scene.get(service)), service.namespace, one.culprit)
    rule = {word: [peer], "ports": _ports(scene, service)}
    patch = {"spec": {direction: [*mappings(spec.get(direction)), rule]}}
    given = {"patch": patch, "patch_type": "merge"}
    return Proposal("patch", "NetworkPolicy", one.culprit.name, one.culprit.namespace, given)


def _selects(spec: Object, policy: Key, namespace: str, labels: dict[str, str]) -> bool:
    """Whether the policy is about those who receive."""
    ingress = "Ingress" in (texts(spec.get("policyTypes")) or ["Ingress"])
    return ingress and namespace == policy.namespace and matches(mapping(spec.get("podSelector")), labels)


def _peer(labels: dict[str, str], namespace: str, policy: Key) -> Object:
    peer: Object = {"podSelector": {"matchLabels": dict(labels)}}
    if namespace != policy.namespace:
        peer["namespaceSelector"] = {"matchLabels": {_SPACE: namespace}}
    return peer


def _ports(scene: Scene, service: Key) -> list[Object]:
    """The pods' ports, as policies mean them; DNS speaks both protocols."""
    if service == _DNS:
        return [{"port": 53, "protocol": "UDP"}, {"port": 53, "protocol": "TCP"}]
    found = routing.service_ports(scene.get(service))
    return [{"port": routing.target(port), "protocol": port.get("protocol") or "TCP"} for port in found]


def _name_server(scene: Scene, one: Candidate) -> Proposal | None:
    spec = at(scene.get(one.culprit), "spec")
    if one.culprit.resource == "deployments.apps" and spec.get("replicas") == 0:
        return Proposal("scale", "Deployment", one.culprit.name, one.culprit.namespace, {"replicas": 2})
    return None


def _quota(scene: Scene, one: Candidate) -> Proposal | None:
    """Room for the pods that are missing; what is used counts as it is now, if that is seen."""
    match = next((found for line in one.evidence if (found := _QUOTA.search(line))), None)
    if match is None:
        return None
    asked, used = (dict(part.split("=", 1) for part in match[name].split(",")) for name in ("asked", "used"))
    status = at(scene.get(Key("resourcequotas", one.culprit.namespace, match["name"])), "status")
    used |= {name: str(value) for name, value in mapping(status.get("used")).items() if name in used}
    limits, hard, pods = mapping(status.get("hard")), {}, _lacking(scene, one.culprit)
    for name in asked.keys() & used.keys():
        try:
            wanted = parse(asked[name]) * pods + parse(used[name])
            if wanted > parse(str(limits.get(name, "0"))):
                hard[name] = format_like(wanted, used[name])
        except ValueError:
            return None
    patch = {"patch": {"spec": {"hard": dict(sorted(hard.items()))}}, "patch_type": "merge"}
    return Proposal("patch", "ResourceQuota", match["name"], one.culprit.namespace, patch) if hard else None


def _lacking(scene: Scene, workload: Key) -> int:
    """How many pods it lacks, one at the least: a roll-out may need another one than it keeps."""
    obj = scene.get(workload)
    made, wanted = mapping(obj.get("status")).get("replicas"), at(obj, "spec").get("replicas")
    return max(1, wanted - made) if type(made) is int and type(wanted) is int else 1


def _held(scene: Scene, one: Candidate) -> Proposal | None:
    """A roll-out that is on hold."""
    paused = at(scene.get(one.culprit), "spec").get("paused") is True
    key = one.culprit
    return Proposal("resume", "Deployment", key.name, key.namespace) if paused and kind_of(key.resource) else None


def _scaler(scene: Scene, one: Candidate) -> Proposal | None:
    """An autoscaler that may not scale at all."""
    spec = at(scene.get(one.culprit), "spec")
    least, most = number(spec.get("minReplicas", 1)), number(spec.get("maxReplicas"))
    if one.culprit.resource != "horizontalpodautoscalers.autoscaling" or not 0 < most <= least:
        return None
    patch = {"patch": {"spec": {"maxReplicas": 2 * least}}, "patch_type": "merge"}
    return Proposal("patch", "HorizontalPodAutoscaler", one.culprit.name, one.culprit.namespace, patch)


_MAKERS: dict[str, Callable[[Scene, Candidate], Proposal | None]] = {
    "NetworkPolicy": _policy,
    "DNS": _name_server,
    "Quota": _quota,
    "ScaledToZero": _held,
    "HPA": _scaler,
}
