"""Names that do not resolve: the cluster's DNS is down or misconfigured, a pod's DNS settings or the name is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.endings import ending
from kubesteward_tools.diagnosis.reading import (
    at,
    ended,
    every,
    is_ready,
    listed,
    mapping,
    mappings,
    named,
    number,
    text,
    variables,
)
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.signs import Sign
from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact
from kubesteward_tools.world.store import Key, Object

_SERVERS = ("coredns", "kube-dns")
_SPACE = "kube-system"
_ZONE = "cluster.local"
_DNS = Key("services", _SPACE, "kube-dns")
"""What stands for the cluster's DNS among what others need."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    yield from _servers(scene)
    yield from _corefile(scene)
    yield from _settings(scene)
    told = set[tuple[Key, str]]()
    for workload, said in scene.spoken.items():
        for _, container, sign in said:
            if sign.kind == "dns" and (workload, sign.peer) not in told:
                told.add((workload, sign.peer))
                yield _unresolved(scene, workload, container, sign)


def _servers(scene: Scene) -> Iterator[Candidate]:
    for name in _SERVERS:
        key = Key("deployments.apps", _SPACE, name)
        obj = scene.get(key)
        if not obj:
            continue
        wanted, ready = at(obj, "spec").get("replicas", 1), number(mapping(obj.get("status")).get("readyReplicas"))
        if wanted == 0:
            sentence = (
                f"the cluster's DNS server {named(key)} is scaled to zero (replicas: 0), so no name resolves in "
                "the cluster (DNS resolution fails)."
            )
            yield Candidate("DNS", key, sentence, 0.93, ("spec.replicas: 0",), fix="Scale it to 2.", suffers=(_DNS,))
        elif not ready and not any(is_ready(scene.get(pod)) for pod in scene.pod_keys(key)):
            ill = next((item for item in scene.ailing if item.workload == key), None)
            found = ending(scene, ill) if ill is not None and ended(ill.status) else None
            why = f" Container {ill.name!r} keeps crashing: {found.why}." if ill is not None and found else ""
            sentence = (
                f"the cluster's DNS server {named(key)} has no ready pod ({ready}/{wanted}), so no name "
                f"resolves in the cluster (DNS resolution fails).{why}"
            )
            seen, fix = (found.evidence, found.fix) if found else ((), "Repair its pods.")
            yield Candidate("DNS", key, sentence, 0.96, seen, fix=fix, suffers=(_DNS,))
    service = _DNS
    if scene.exists(Key("deployments.apps", _SPACE, "coredns")) and scene.missing(service):
        sentence = "the Service kube-system/kube-dns does not exist (not found), so pods cannot reach the DNS server."
        yield Candidate("DNS", service, sentence, 0.75, (), fix="Create the Service kube-dns again.")
    elif scene.exists(service) and routing.selector(scene.get(service)) and not routing.backends(scene, service):
        sentence = (
            "the Service kube-system/kube-dns selects no pods (selector "
            f"{routing.selector(scene.get(service))}), so pods cannot reach the DNS server."
        )
        yield Candidate("DNS", service, sentence, 0.9, (), fix="Correct its selector to k8s-app: kube-dns.")


_HARMFUL = (
    (
        r"template\s+\S+\s+(?!AAAA)\S+[^{]*\{[^}]*rcode\s+(?:NXDOMAIN|SERVFAIL|REFUSED)",
        "a template answers with an error (NXDOMAIN) for names of its zone",
        0.85,
    ),
    (
        r"rewrite\s+(?:stop\s+)?name\s+(?:\w+\s+)?\S*(?:svc|cluster\.local)\S*\s",
        "a rewrite changes names of the cluster",
        0.55,
    ),
    (r"\bhosts\s*\{[^}]*\b(?:svc|cluster\.local)", "a hosts block overrides names of the cluster", 0.7),
)
"""What in a Corefile keeps names of the cluster from being resolved."""


_CONFIGURATION = 20_000
"""Characters of a Corefile that are looked through."""


def _corefile(scene: Scene) -> Iterator[Candidate]:
    for name in ("coredns", "coredns-custom"):
        key = Key("configmaps", _SPACE, name)
        for file, content in mapping(scene.get(key).get("data")).items():
            known = redact(clean(text(content), _CONFIGURATION))
            for pattern, why, sure in _HARMFUL:
                if match := re.search(pattern, known):
                    yield _misconfigured(key, file, why, " ".join(match[0].split())[:200], sure)
            if (name, file) == ("coredns", "Corefile"):
                yield from _zoneless(key, text(content))


def _misconfigured(key: Key, file: str, why: str, shown: str, sure: float) -> Candidate:
    sentence = (
        f"the Corefile of the cluster's DNS, {named(key)}, is misconfigured: {why} ({shown!r}), so names of "
        "Services do "
        "not resolve (NXDOMAIN)."
    )
    fix = "Remove these lines and restart CoreDNS."
    return Candidate("DNS", key, sentence, sure, (f"{file}: {shown}",), fix=fix, suffers=(_DNS,))


def _zoneless(key: Key, corefile: str) -> Iterator[Candidate]:
    """A Corefile whose kubernetes plugin is missing or, which may be meant so, serves another zone."""
    if re.search(rf"^\s*kubernetes\s+[^\n]*{re.escape(_ZONE)}", corefile, re.M):
        return
    zone = re.search(r"^\s*kubernetes\s+([^\n{]*)", corefile, re.M)
    has = f"serves {zone[1].strip()!r}" if zone else "is missing"
    sentence = (
        f"the Corefile of the cluster's DNS, {named(key)}, is misconfigured: its kubernetes plugin {has}, not {_ZONE}, "
        "so names of Services do not resolve."
    )
    fix = f"Let the kubernetes plugin serve {_ZONE} in-addr.arpa ip6.arpa."
    yield Candidate("DNS", key, sentence, 0.5 if zone else 0.7, (), fix=fix, suffers=(_DNS,))


def _settings(scene: Scene) -> Iterator[Candidate]:
    """dnsPolicy and dnsConfig that pass by the cluster's DNS."""
    servers = {text(at(scene.get(Key("services", _SPACE, "kube-dns")), "spec").get("clusterIP"))} - {"", "None"}
    for workload, _ in scene.workloads():
        spec = scene.spec(workload)
        policy, config = text(spec.get("dnsPolicy")), mapping(spec.get("dnsConfig"))
        own = [one for one in config.get("nameservers") or () if one not in servers]
        if policy not in {"None", "Default"} or (policy == "None" and not own and config.get("nameservers")):
            continue
        if policy == "Default" and workload.namespace == _SPACE:
            continue
        fails = any(sign.kind == "dns" for _, _, sign in scene.spoken.get(workload, ()))
        calls = any(True for _ in scene.graph.edges(workload, {"calls"})) or any(
            ".svc" in value for item in every(spec) for value in variables(item).values()
        )
        what = f"dnsPolicy: {policy}" + (f" with dnsConfig nameservers {listed(own)}" if own else "")
        sentence = (
            f"{named(workload)} does not use the cluster's DNS ({what}), so it cannot resolve names of Services "
            "(DNS resolution fails, misconfigured DNS)."
        )
        sure = 0.94 if fails else 0.56 if own and policy == "None" and calls else 0.5
        yield Candidate(
            "DNS",
            workload,
            sentence,
            sure,
            (what,),
            fix="Set dnsPolicy: ClusterFirst and remove the nameservers.",
            generic=False,
        )


def _unresolved(scene: Scene, workload: Key, container: str, sign: Sign) -> Candidate:
    line = f"log of {workload.name}/{container}: {sign.line}"
    if not sign.peer:
        sentence = f"{named(workload)} cannot resolve a host name (DNS resolution fails): {sign.line}."
        return Candidate(
            "DNS",
            workload,
            sentence,
            0.7,
            (line,),
            fix="Correct the host name, or look at the cluster's DNS.",
            suffers=(workload,),
            needs=(_DNS,),
            generic=True,
        )
    service = routing.meant(scene, sign.peer, workload.namespace)
    there, fix, sure = _state(scene, service, sign.peer)
    source = _written(scene, workload, sign.peer)
    sentence = (
        f"{named(workload)} cannot resolve the hostname {sign.peer!r} to an address (DNS resolution error, "
        f"name not known){source}: {there}."
    )
    needs = (_DNS, service) if service is not None else (_DNS,)
    return Candidate("DNS", workload, sentence, sure, (line,), fix=fix, suffers=(workload,), needs=needs)


def _state(scene: Scene, service: Key | None, name: str) -> tuple[str, str, float]:
    if service is None:
        return (
            "the name is none of this cluster, or the resolver has no way to it",
            "Correct the host name, or let the cluster's DNS forward it.",
            0.85,
        )
    zone = _zone(name)
    if zone not in {"", _ZONE}:
        return (
            f"{zone!r} is not the cluster's zone, which is {_ZONE!r} (wrong host name)",
            f"Use {service.name}.{service.namespace}.svc.{_ZONE}.",
            0.9,
        )
    if scene.exists(service):
        return (
            f"the Service {service.name!r} is there, so the DNS server or the way to it fails",
            "Look at CoreDNS and at egress NetworkPolicies.",
            0.72,
        )
    close, elsewhere = routing.near(scene, service), scene.store.spaces_with("services", service.name)
    if elsewhere and service.namespace not in elsewhere:
        return (
            f"no such Service is in namespace {service.namespace}; it is in namespace {listed(elsewhere)}",
            f"Use the full name {service.name}.{elsewhere[0]}.svc.cluster.local.",
            0.9,
        )
    hint = f"; there is a Service {close!r}" if close else ""
    behind = routing.workload_named(scene, service.namespace, service.name)
    hint += f"; {named(behind)} runs, but no Service leads to it" if behind else ""
    return (
        f"there is no Service {service.name!r} in namespace {service.namespace} (not found){hint}",
        f"Correct the name{f' to {close!r}' if close else ''}, or create the Service {service.name!r}.",
        0.88,
    )


def _zone(name: str) -> str:
    """What stands behind `svc` in a full name, "" in a short one."""
    return name.lower().rstrip(".").partition(".svc.")[2]


def _written(scene: Scene, workload: Key, name: str) -> str:
    """Where the name is written: a variable, or a ConfigMap that gives variables."""
    for item in every(scene.spec(workload)):
        for variable, value in variables(item).items():
            if name in value:
                return f", which env {variable} of container {item.get('name')!r} names"
        for source in mappings(item.get("envFrom")):
            config: Object = scene.get(
                Key("configmaps", workload.namespace, text(at(source, "configMapRef").get("name")))
            )
            for field, value in mapping(config.get("data")).items():
                if name in str(value):
                    return f", which {field} of ConfigMap {config['metadata']['name']!r} names"
    return ""
