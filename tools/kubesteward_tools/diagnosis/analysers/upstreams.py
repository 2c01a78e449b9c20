"""Applications that cannot reach what they need, as their logs say: the peer is looked up, and what is wrong there."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, listed, named
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.signs import Sign
from kubesteward_tools.world.store import Key

_SPEAKS = {"connection", "timeout", "http"}


def analyse(scene: Scene) -> Iterator[Candidate]:
    for workload, said in scene.spoken.items():
        for _, container, sign in said:
            if sign.kind in _SPEAKS and sign.peer:
                yield from _peer(scene, workload, container, sign)


def _peer(scene: Scene, workload: Key, container: str, sign: Sign) -> Iterator[Candidate]:
    service = routing.meant(scene, sign.peer, workload.namespace)
    if service is None:
        return
    line = f"log of {workload.name}/{container}: {sign.line}"
    if scene.missing(service):
        yield _absent(scene, workload, service, sign, line)
        return
    if not scene.exists(service):
        return
    yield from _port(scene, workload, service, sign, line)
    yield from _nobody(scene, workload, service, sign, line)


def _absent(scene: Scene, workload: Key, service: Key, sign: Sign, line: str) -> Candidate:
    behind = routing.workload_named(scene, service.namespace, service.name)
    close = routing.near(scene, service)
    there = (
        f"; pods of {named(behind)} run but no Service leads to them"
        if behind
        else f"; there is {close!r}"
        if close
        else ""
    )
    sentence = (
        f"{named(workload)} cannot reach {sign.peer!r}: the Service {service.name!r} does not exist (not "
        f"found, missing) in namespace {service.namespace}{there}."
    )
    fix = (
        f"Create the Service {service.name!r}, or correct the name that the application "
        f"uses{f' to {close!r}' if close else ''}."
    )
    return Candidate(
        "ServiceRouting", service if behind else workload, sentence, 0.85, (line,), fix=fix, suffers=(workload, service)
    )


def _port(scene: Scene, workload: Key, service: Key, sign: Sign, line: str) -> Iterator[Candidate]:
    """A port that is called and that the Service does not have."""
    numbers = [port.get("port") for port in routing.service_ports(scene.get(service))]
    headless = at(scene.get(service), "spec").get("clusterIP") == "None"
    direct = headless or sign.peer in scene.addresses
    if not sign.port or int(sign.port) in numbers or direct or not numbers:
        return
    sentence = (
        f"{named(workload)} calls {sign.peer}:{sign.port}, and {named(service)} has no port {sign.port} "
        f"(wrong port): it serves port {listed(numbers)}."
    )
    yield Candidate(
        "ServiceRouting",
        service,
        sentence,
        0.88,
        (line,),
        fix=f"Call port {listed(numbers)}, or add port {sign.port} to the Service.",
        suffers=(workload,),
    )


def _nobody(scene: Scene, workload: Key, service: Key, sign: Sign, line: str) -> Iterator[Candidate]:
    """A Service whose pods are not ready or not there; those have a cause of their own, which is then the root."""
    pods = routing.backends(scene, service)
    well = routing.ready(scene, pods)
    if well or not routing.selector(scene.get(service)):
        return
    behind = routing.workloads_behind(scene, service) or list(dict.fromkeys(map(scene.owner, pods)))
    state = f"none of its {len(pods)} pods is ready" if pods else "it has no pods, so no endpoints"
    sentence = f"{named(workload)} cannot reach {named(service)}: {state}" + (
        f" ({listed(named(one) for one in behind)})." if behind else "."
    )
    yield Candidate(
        "ServiceRouting",
        service,
        sentence,
        0.62,
        (line,),
        fix="Repair the pods behind the Service.",
        suffers=(workload,),
        needs=tuple(behind),
        generic=True,
    )
