"""Short names of Services that a pod's own DNS settings do not complete: search domains and ndots."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import kind_of, listed, mapping, mappings, named, text, texts
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key, Object

_ZONE = "cluster.local"
_NDOTS = "5"
"""What the kubelet sets where a pod says nothing."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    for workload, said in scene.spoken.items():
        for _, container, sign in said:
            service = routing.meant(scene, sign.peer, workload.namespace) if sign.kind == "dns" and sign.peer else None
            if service is None or not scene.exists(service):
                continue
            why, sure = _why(scene.spec(workload), workload.namespace, sign.peer.rstrip("."), service)
            if why:
                line = f"log of {workload.name}/{container}: {sign.line}"
                yield _candidate(workload, sign.peer, service, why, line, sure=sure)
                break


def _why(spec: Object, namespace: str, name: str, service: Key) -> tuple[str, float]:
    config = mapping(spec.get("dnsConfig"))
    full = f"{service.name}.{service.namespace}.svc.{_ZONE}"
    if name == full:
        return "", 0.0
    searched = texts(config.get("searches"))
    if text(spec.get("dnsPolicy")) != "None":
        searched = [*searched, f"{namespace}.svc.{_ZONE}", f"svc.{_ZONE}", _ZONE]
    if not any(f"{name}.{domain.rstrip('.')}" == full for domain in searched):
        return f"dnsConfig.searches {listed(searched) or 'none'} do not complete it to {full}", 0.93
    ndots = next((text(one.get("value")) for one in mappings(config.get("options")) if one.get("name") == "ndots"), "")
    number = int(ndots) if ndots.isdigit() else int(_NDOTS)
    if name.count(".") >= number:
        return (
            f"dnsConfig has ndots:{ndots}, so a name with {name.count('.')} dots is asked for as it is (resolvers such "
            "as musl's do not try the search domains then)",
            0.85,
        )
    return "", 0.0


def _candidate(workload: Key, name: str, service: Key, why: str, line: str, *, sure: float) -> Candidate:
    sentence = (
        f"{named(workload)} cannot resolve the hostname {name!r} (DNS resolution error, misconfigured DNS): "
        f"{named(service)} is there, but {why}."
    )
    patch = {"spec": {"template": {"spec": {"dnsConfig": None, "dnsPolicy": "ClusterFirst"}}}}
    proposal = Proposal("patch", kind_of(workload.resource), workload.name, workload.namespace, {"patch": patch})
    return Candidate(
        "DNS",
        workload,
        sentence,
        sure,
        (line,),
        fix=f"Set dnsPolicy: ClusterFirst without dnsConfig, or call {service.name}.{service.namespace}.svc.{_ZONE}.",
        proposal=proposal if workload.resource in SERVERS else None,
        suffers=(workload,),
        needs=(),
    )
