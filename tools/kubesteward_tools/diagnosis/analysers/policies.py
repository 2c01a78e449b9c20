"""NetworkPolicies that stop traffic somebody needs: to a Service, or to the cluster's DNS."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import permutations

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, listed, mapping, mappings, named, pairs, texts
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.twin.netpol.reach import Reach, explain
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object

_POLICIES = "networkpolicies.networking.k8s.io"
_PAIRS = 2000
"""Pairs that are looked at in one cluster."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    if not scene.store.count(_POLICIES):
        return
    told = set[Key]()
    for source, service, sure, evidence in _pairs(scene):
        found = _blocked(scene, source, service, sure, evidence)
        if found is not None and found.culprit not in told:
            told.add(found.culprit)
            yield found
    yield from _names(scene, told)
    for key, policy in scene.all(_POLICIES):
        if key not in told:
            yield from _closed(scene, key, policy)


def _pairs(scene: Scene) -> Iterator[tuple[Key, Key, float, str]]:
    """Who calls what, how sure it is that this is needed, and what tells so: logs, the question, the configuration."""
    for workload, said in scene.spoken.items():
        for _, container, sign in said:
            if sign.kind in {"timeout", "connection"} and sign.peer:
                service = routing.meant(scene, sign.peer, workload.namespace)
                if service is not None and scene.exists(service):
                    yield (
                        workload,
                        service,
                        0.95 if sign.kind == "timeout" else 0.9,
                        f"log of {workload.name}/{container}: {sign.line}",
                    )
    spaces = scene.store.spaces(_POLICIES)
    talk = scene.question.topics and any(scene.question.speaks_of(one) for one in ("NetworkPolicy", "ServiceRouting"))
    meant = scene.question.named | scene.question.hinted
    if talk or len(scene.question.namespaces) > 1:
        yield from _asked(scene, meant)
    seen = 0
    for space in spaces:
        for service in scene.store.keys("services", space):
            for edge in scene.graph.edges(service, {"calls"}):
                seen += 1
                if seen < _PAIRS:
                    yield scene.owner(edge.source), service, 0.58 if edge.confidence >= 0.5 else 0.5, edge.detail


def _asked(scene: Scene, meant: frozenset[Key]) -> Iterator[tuple[Key, Key, float, str]]:
    workloads = [key for key in meant if key.resource in SERVERS or key.resource == "pods"]
    services = [key for key in meant if key.resource == "services"]
    behind = [
        (service, owner)
        for space in {key.namespace for key in workloads}
        for service in scene.store.keys("services", space)
        for owner in routing.workloads_behind(scene, service)
    ]
    yield from _across(scene)
    for source in workloads:
        for service in services:
            yield source, service, 0.85, "the question names both"
        for service, owner in behind:
            if owner in workloads and owner != source:
                yield source, service, 0.85, "the question names both"


def _across(scene: Scene) -> Iterator[tuple[Key, Key, float, str]]:
    """From one namespace that the question names to the Services of another one."""
    spaces = sorted(scene.question.namespaces & set(scene.templates))
    for space, other in permutations(spaces, 2):
        for source in list(routing.described(scene, space))[:3]:
            for service in list(scene.store.keys("services", other))[:10]:
                yield source, service, 0.62, "the question names both namespaces"


def _blocked(scene: Scene, source: Key, service: Key, sure: float, evidence: str) -> Candidate | None:
    pods = routing.backends(scene, service)
    sender, receiver = _end(scene, source), scene.get(pods[0]) if pods else None
    if sender is None or receiver is None or scene.owner(pods[0]) == source:
        return None
    numbers = [routing.target(port) for port in routing.service_ports(scene.get(service))]
    try:
        reach = explain(scene.store, sender, receiver)
    except SteadyError:
        return None
    declared = routing.declared(scene, pods[:1])
    wanted = [number for target in numbers for number in _numbers(target, declared)]
    if not wanted or all(
        reach.connections.allows(number, "TCP") or reach.connections.allows(number, "UDP") for number in wanted
    ):
        return None
    culprit, direction = _culprit(scene, reach, wanted, source.namespace, service.namespace)
    if culprit is None:
        return None
    words = _admits(scene, scene.get(culprit), direction)
    labels = pairs(scene.labels(source))
    towards = "ingress to" if direction == "ingress" else "egress from"
    sentence = (
        f"the NetworkPolicy (network policy) {culprit.name!r} blocks {named(source)} (labels {labels}) on its way to "
        f"{named(service)} (port {listed(wanted)}): it selects "
        f"{pairs(at(scene.get(culprit), 'spec', 'podSelector', 'matchLabels')) or 'all pods'} "
        f"and allows {towards} these pods only {words}. So connections time out (blocked, not allowed)."
    )
    fix = (
        f"Allow pods with labels {labels} on port {listed(wanted)} in the NetworkPolicy {culprit.name!r}, or "
        "correct the labels."
    )
    return Candidate("NetworkPolicy", culprit, sentence, sure, (evidence,), fix=fix, suffers=(source, service))


def _numbers(target: int | str | None, declared: list[tuple[str, int, str]]) -> list[int]:
    if isinstance(target, int) or str(target).isdigit():
        return [int(str(target))]
    return [number for name, number, _ in declared if name == target]


def _end(scene: Scene, workload: Key) -> Object | None:
    pods = scene.pods(workload, 1)
    return pods[0] if pods else scene.get(workload) or None


def _culprit(scene: Scene, reach: Reach, wanted: list[int], source: str, destination: str) -> tuple[Key | None, str]:
    """The policy that stops it: one that lets through nothing of this, rather than one that lets some through."""
    for side, space in ((reach.ingress, destination), (reach.egress, source)):
        if any(side.connections.allows(number, "TCP") for number in wanted):
            continue
        for title in sorted(side.isolating, key=lambda one: one in side.allowing):
            key = Key(_POLICIES, space, title.rpartition("/")[2])
            if scene.exists(key):
                return key, side.direction
    return None, ""


def _admits(scene: Scene, policy: Object, direction: str) -> str:
    """Whom its rules let in or out, in words."""
    rules = mappings(at(policy, "spec").get(direction))
    if not rules:
        return "nothing at all (no rule: default deny)"
    shown = []
    for rule in rules:
        peers = mappings(rule.get("from" if direction == "ingress" else "to"))
        ports = listed(f"{one.get('protocol', 'TCP')} {one.get('port', 'any')}" for one in mappings(rule.get("ports")))
        whom = " or ".join(map(_peer, peers)) if peers else "anybody"
        shown.append(f"{'from' if direction == 'ingress' else 'to'} {whom}" + (f" on {ports}" if ports else ""))
    return "; ".join(shown)


def _peer(peer: Object) -> str:
    if block := mapping(peer.get("ipBlock")):
        return f"addresses {block.get('cidr')}"
    parts = []
    for field, word in (("podSelector", "pods"), ("namespaceSelector", "namespaces")):
        if field in peer:
            found = mapping(peer[field])
            labels = pairs(mapping(found.get("matchLabels"))) or listed(
                f"{one.get('key')} {one.get('operator')} {one.get('values', '')}"
                for one in mappings(found.get("matchExpressions"))
            )
            parts.append(f"{word} with label {labels}" if labels else f"all {word}")
    return " in ".join(parts)


def _names(scene: Scene, told: set[Key]) -> Iterator[Candidate]:
    """Policies that isolate for egress and leave no way to the DNS servers."""
    server = next((pod for _, pod in scene.all("pods", "kube-system") if _resolves(pod)), None)
    for key, policy in scene.all(_POLICIES) if server is not None else ():
        spec = mapping(policy.get("spec"))
        pods = scene.selected("pods", key.namespace, spec.get("podSelector"))
        if key in told or "Egress" not in _directions(spec) or not pods or key.namespace == "kube-system":
            continue
        try:
            reach = explain(scene.store, scene.get(pods[0]), server)
        except SteadyError:
            continue
        if not (reach.connections.allows(53, "UDP") or reach.connections.allows(53, "TCP")):
            yield _mute(scene, key, policy, scene.owner(pods[0]))


def _resolves(pod: Object) -> bool:
    return mapping(pod["metadata"].get("labels")).get("k8s-app") == "kube-dns"


def _directions(spec: Object) -> list[str]:
    """As the API server defaults them: egress only where it has rules."""
    return texts(spec.get("policyTypes")) or ["Ingress", *(["Egress"] if spec.get("egress") else [])]


def _mute(scene: Scene, key: Key, policy: Object, workload: Key) -> Candidate:
    lines = [
        sign.line
        for _, _, sign in scene.spoken.get(workload, ())
        if sign.kind in {"dns", "timeout"} and (sign.kind == "dns" or re.search(r"lookup|resolv", sign.line))
    ]
    asked = scene.question.speaks_of("DNS") or scene.question.speaks_of("NetworkPolicy")
    sentence = (
        f"the NetworkPolicy (network policy) {key.name!r} of namespace {key.namespace} restricts egress and "
        "does not allow DNS (port 53 "
        f"UDP/TCP to kube-dns in kube-system): it allows egress only {_admits(scene, policy, 'egress')}. So "
        f"pods of {named(workload)} cannot resolve names (blocked)."
    )
    return Candidate(
        "NetworkPolicy",
        key,
        sentence,
        0.95 if lines else 0.7 if asked else 0.55,
        tuple(lines[:1]),
        fix="Add an egress rule to port 53 UDP and TCP of the kube-dns pods in kube-system.",
        suffers=(workload, Key("services", "kube-system", "kube-dns")),
    )


def _closed(scene: Scene, key: Key, policy: Object) -> Iterator[Candidate]:
    """A policy that lets nobody in or out, or only peers that are not there: told when traffic is missed."""
    spec = mapping(policy.get("spec"))
    selected = scene.selected("pods", key.namespace, spec.get("podSelector"))
    shut = [one.lower() for one in _directions(spec) if selected and _shuts(scene, key, selected[0], spec, one.lower())]
    if not shut:
        return
    owners = list(dict.fromkeys(map(scene.owner, selected)))
    admits = "; ".join(f"it allows {one} only {_admits(scene, policy, one)}" for one in shut)
    sentence = (
        f"the NetworkPolicy (network policy) {key.name!r} blocks all {' and '.join(shut)} traffic of "
        f"{listed(map(named, owners), 4)} (selector {pairs(at(spec, 'podSelector', 'matchLabels')) or 'all pods'}): "
        f"{admits}, and no pod is such a peer. Connections time out."
    )
    fix = "Allow the peers that need it, by their real labels, or delete the policy."
    sure = 0.57 if len(shut) > 1 else 0.5
    yield Candidate("NetworkPolicy", key, sentence, sure, (), fix=fix, suffers=tuple(owners[:8]))


def _shuts(scene: Scene, key: Key, pod: Key, spec: Object, direction: str) -> bool:
    """Whether neither it nor another policy of the pod lets anybody through."""
    if _anybody(scene, key, spec, direction):
        return False
    labels = mapping(scene.get(pod)["metadata"].get("labels"))
    for other, policy in scene.all(_POLICIES, key.namespace):
        own = mapping(policy.get("spec"))
        about = direction.capitalize() in _directions(own) and matches(mapping(own.get("podSelector")), labels)
        if other != key and about and _anybody(scene, other, own, direction):
            return False
    return True


def _anybody(scene: Scene, key: Key, spec: Object, direction: str) -> bool:
    field = "from" if direction == "ingress" else "to"
    for rule in mappings(spec.get(direction)):
        peers = mappings(rule.get(field))
        if not peers or any("ipBlock" in peer for peer in peers):
            return True
        for peer in peers:
            spaces = _spaces(scene, key, peer)
            chosen = mapping(peer.get("podSelector")) if "podSelector" in peer else {}
            if any(scene.selected("pods", space, chosen) for space in spaces):
                return True
    return False


def _spaces(scene: Scene, key: Key, peer: Object) -> list[str]:
    if "namespaceSelector" not in peer:
        return [key.namespace]
    return [one.name for one in scene.selected("namespaces", "", peer["namespaceSelector"])]
