"""Services that lead nowhere or to the wrong place: selector, target port, missing, without an address."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, kind_of, listed, mapping, named, pairs, ports, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.signs import listening
from kubesteward_tools.lookup.notes import of
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key, Object

_SYSTEM = {"kubernetes"}
_MISSPELT = 0.85
_OUTSIDE = re.compile(r"external|load ?-?balancer|outside|internet|public", re.I)


def analyse(scene: Scene) -> Iterator[Candidate]:
    for key in scene.store.keys("services"):
        if key.name in _SYSTEM and key.namespace == "default":
            continue
        service = scene.get(key)
        spec = mapping(service.get("spec"))
        if spec.get("type") == "ExternalName":
            yield from _external(scene, key, text(spec.get("externalName")))
        elif routing.selector(service):
            yield from _selecting(scene, key, service)
        elif not _endpoints(scene, key):
            yield _unselecting(scene, key)
        yield from _pending(scene, key, service)
    yield from _called(scene)


def _endpoints(scene: Scene, key: Key) -> bool:
    """Whether somebody has written down by hand where a Service without a selector leads to."""
    if not scene.sees("endpointslices.discovery.k8s.io", key.namespace) or scene.exists(
        key._replace(resource="endpoints")
    ):
        return True
    made_for = {"matchLabels": {"kubernetes.io/service-name": key.name}}
    return bool(scene.selected("endpointslices.discovery.k8s.io", key.namespace, made_for))


def _unselecting(scene: Scene, key: Key) -> Candidate:
    own = next((one for one in routing.described(scene, key.namespace) if one.name == key.name), None)
    labels = pairs(scene.labels(own)) if own else ""
    sentence = f"{named(key)} has no selector and no endpoints (Endpoints or EndpointSlice), so it leads nowhere." + (
        f" {named(own)} with the labels {labels} is called like it." if own else ""
    )
    fix = f"Set spec.selector{f' to {labels}' if labels else ''}, or write its EndpointSlice."
    return Candidate("ServiceRouting", key, sentence, 0.56, (), fix=fix)


def _selecting(scene: Scene, key: Key, service: Object) -> Iterator[Candidate]:
    pods, behind = routing.backends(scene, key), routing.workloads_behind(scene, key)
    if not pods and not behind:
        yield from _nobody(scene, key, service)
    if not pods:
        return
    behind = behind or list(dict.fromkeys(map(scene.owner, pods[:5])))
    found = list(_ports(scene, key, service, pods, behind))
    yield from found
    if scene.question.complains and not any(_serves(scene, pod) for pod in pods):
        sentence = (
            f"{named(key)} has no ready endpoints: none of the {len(pods)} pods that its selector "
            f"{pairs(routing.selector(service))} matches is ready, so connections fail."
        )
        fix = f"Find out why pods of {listed(map(named, behind))} are not ready."
        needs = tuple(behind)
        yield Candidate("ServiceRouting", key, sentence, 0.5, (), fix=fix, suffers=needs, needs=needs, generic=True)
    if not found:
        yield from _strangers(scene, key, service, behind)


def _serves(scene: Scene, pod: Key) -> bool:
    found = of(scene.store, pod)
    return found is not None and found.ready is True


def _nobody(scene: Scene, key: Key, service: Object) -> Iterator[Candidate]:
    """Selectors that match no pods and no template."""
    wanted = routing.selector(service)
    best, labels = _closest(scene, key, wanted)
    shown = pairs(wanted)
    since = f"its selector {shown} matches no pods, so it has no endpoints"
    if best is None:
        sentence = f"{named(key)} leads nowhere: {since}; no workload of the namespace has such labels."
        yield Candidate(
            "ServiceRouting",
            key,
            sentence,
            0.45,
            (f"selector {wanted}",),
            fix="Correct the selector, or start the pods.",
        )
        return
    wrong = {name: value for name, value in wanted.items() if labels.get(name) != value}
    detail = "; ".join(
        f"label {name}={value} is {'not on them' if name not in labels else f'{name}={labels[name]} there'}"
        for name, value in wrong.items()
    )
    right = {name: labels[name] for name in wanted if name in labels} or labels
    sentence = (
        f"{named(key)} leads nowhere: its selector does not match the labels of the pods of {named(best)}: {since}. "
        f"Selector: {', '.join(f'{n}: {v}' for n, v in wanted.items())}; pod labels: {pairs(labels)}; {detail}."
    )
    patch = {"spec": {"selector": {**{name: None for name in wrong if name not in labels}, **right}}}
    proposal = Proposal("patch", "Service", key.name, key.namespace, {"patch": patch, "patch_type": "merge"})
    fix = f"Correct spec.selector of the Service to {pairs(right)} (or the labels of the pods)."
    yield Candidate(
        "ServiceRouting",
        key,
        sentence,
        0.9,
        (f"Service selector {shown}", f"labels of {named(best)}: {pairs(labels)}"),
        fix=fix,
        proposal=proposal,
    )


def _closest(scene: Scene, key: Key, wanted: dict[str, str]) -> tuple[Key | None, dict[str, str]]:
    """The workload that is rather meant: by shared labels, likeness of values, and the name of the Service."""
    best: tuple[float, Key | None, dict[str, str]] = (0.0, None, {})
    for workload in routing.described(scene, key.namespace):
        labels = scene.labels(workload)
        shared = sum(1.0 for name, value in wanted.items() if labels.get(name) == value)
        same_key = sum(0.25 for name in wanted if name in labels and labels[name] != wanted[name])
        alike = max(
            (
                difflib.SequenceMatcher(None, value, other).ratio()
                for value in wanted.values()
                for other in labels.values()
            ),
            default=0.0,
        )
        called = difflib.SequenceMatcher(None, key.name, workload.name).ratio()
        declared = {number for _, number, _ in ports(scene.spec(workload))}
        fits = any(routing.target(port) in declared for port in routing.service_ports(scene.get(key)))
        score = (
            shared + same_key + (0.4 * alike if alike > 0.6 else 0) + (0.6 * called if called > 0.5 else 0) + 0.1 * fits
        )
        if score > best[0] and (shared or alike > 0.6 or called > 0.5):
            best = score, workload, labels
    return best[1], best[2]


def _ports(scene: Scene, key: Key, service: Object, pods: list[Key], behind: list[Key]) -> Iterator[Candidate]:
    declared = routing.declared(scene, behind[:1])
    numbers, names = {number for _, number, _ in declared}, {name for name, _, _ in declared}
    heard: set[int] | None = None
    for port in routing.service_ports(service):
        target = routing.target(port)
        if isinstance(target, str) and not target.isdigit() and target not in names:
            yield _wrong_port(scene, key, port, behind[0], sure=0.92)
        elif isinstance(target, int | str) and str(target).isdigit() and int(target) not in numbers:
            heard = heard if heard is not None else _heard(scene, pods)
            if int(target) in heard:
                continue
            if declared or heard:
                yield _wrong_port(scene, key, port, behind[0], sure=0.8 if heard else 0.55, heard=heard)
        else:
            protocol = text(port.get("protocol")) or "TCP"
            fits = [one for one in declared if target in {one[0], one[1]}]
            if fits and all(one[2] != protocol for one in fits):
                sentence = (
                    f"{named(key)} speaks {protocol} on port {port.get('port')}, its pods' port {target} is "
                    f"{fits[0][2]} (wrong protocol)."
                )
                yield Candidate(
                    "ServiceRouting",
                    key,
                    sentence,
                    0.6,
                    (),
                    fix=f"Set the protocol of the Service's port to {fits[0][2]}.",
                )


def _heard(scene: Scene, pods: list[Key]) -> set[int]:
    """The ports that the pods' own logs say they listen on."""
    return {
        number
        for pod in pods[:3]
        for (space, name, _), log in scene.logs.items()
        if (space, name) == (pod.namespace, pod.name)
        for number in listening(log)
    }


def _wrong_port(
    scene: Scene, key: Key, port: Object, owner: Key, *, sure: float, heard: set[int] | None = None
) -> Candidate:
    target, declared = routing.target(port), routing.declared(scene, [owner])
    there = listed([f"{number} ({name})" if name else number for name, number, _ in declared] or sorted(heard or ()))
    right = declared[0][1] if len(declared) == 1 else (sorted(heard)[0] if heard and len(heard) == 1 else None)
    listens = f" and they listen on {listed(sorted(heard))}" if heard else ""
    sentence = (
        f"{named(key)} has the wrong port: targetPort {target} of its port {port.get('port')} is not one of "
        "the container "
        f"ports of {named(owner)}, whose containerPort is {there or 'none'}{listens}; connections are "
        f"refused (port mismatch, nothing listens on {target})."
    )
    proposal = None
    if right is not None:
        body = {"spec": {"ports": [{"port": port.get("port"), "targetPort": right}]}}
        proposal = Proposal("patch", kind_of(key.resource), key.name, key.namespace, {"patch": body})
    return Candidate(
        "ServiceRouting",
        key,
        sentence,
        sure,
        (f"targetPort: {target}", f"containerPort: {there}"),
        fix=f"Set targetPort of the Service to {right or there}.",
        proposal=proposal,
    )


def _strangers(scene: Scene, key: Key, service: Object, owners: list[Key]) -> Iterator[Candidate]:
    """A selector that is so wide that pods of several applications answer, or that means another application."""
    wanted = routing.selector(service)
    if (
        len(owners) > 1
        and any(owner.name == key.name for owner in owners)
        and len({pairs(_own(scene, owner)) for owner in owners}) > 1
    ):
        others = listed(owner.name for owner in owners if owner.name != key.name)
        sentence = (
            f"the selector {pairs(wanted)} of {named(key)} also matches pods of other applications: {others}; "
            "requests go to the wrong pods at random."
        )
        yield Candidate(
            "ServiceRouting", key, sentence, 0.45, (), fix="Use a selector that only this application's pods match."
        )
    if len(owners) == 1 and owners[0].name != key.name:
        right = next(
            (one for one in routing.described(scene, key.namespace) if one.name == key.name and one not in owners), None
        )
        if right is not None and not wanted.items() <= scene.labels(right).items():
            sentence = (
                f"the selector {pairs(wanted)} of {named(key)} matches pods of {named(owners[0])}, not those of "
                f"{named(right)} (labels {pairs(scene.labels(right))}): requests go to the wrong pods."
            )
            yield Candidate(
                "ServiceRouting", key, sentence, 0.5, (), fix=f"Set the selector to labels of {right.name!r}."
            )


def _own(scene: Scene, owner: Key) -> dict[str, str]:
    return {"app": scene.labels(owner).get("app", owner.name)}


def _external(scene: Scene, key: Key, name: str) -> Iterator[Candidate]:
    found = routing.meant(scene, name, key.namespace) if ".svc" in name or "." not in name else None
    if not name or (found is not None and scene.missing(found)):
        sentence = (
            f"{named(key)} is an ExternalName for {name!r}, and no such Service exists (not found): the name "
            "cannot be resolved."
        )
        yield Candidate("ServiceRouting", key, sentence, 0.8, (f"externalName: {name}",), fix="Correct externalName.")


def _pending(scene: Scene, key: Key, service: Object) -> Iterator[Candidate]:
    if at(service, "spec").get("type") != "LoadBalancer" or at(service, "status", "loadBalancer").get("ingress"):
        return
    told = scene.warned(key)
    sentence = (
        f"{named(key)} of type LoadBalancer has no external IP (pending): "
        f"{told[0].message if told else 'no load balancer is provided by this cluster'}."
    )
    yield Candidate(
        "ServiceRouting",
        key,
        sentence,
        0.7 if told else 0.45 if _OUTSIDE.search(scene.question.text) else 0.2,
        tuple(one.message for one in told[:1]),
        fix="Install a load balancer controller, or use NodePort or an Ingress.",
    )


def _called(scene: Scene) -> Iterator[Candidate]:
    """Services that templates name in variables and arguments, and that are not there or lack the port."""
    if not scene.question.complains:
        return
    for connection in scene.dangling("services", "calls"):
        source, target = connection.source, connection.target
        if scene.owner(source) != source or not scene.store.count("services", target.namespace):
            continue
        close = routing.near(scene, target)
        elsewhere = scene.store.spaces_with("services", target.name)
        there = f" It is in namespace {listed(elsewhere)}." if elsewhere else f" There is {close!r}." if close else ""
        behind = routing.workload_named(scene, target.namespace, target.name)
        likely = elsewhere or _alike(close, target.name) or connection.confidence >= 0.7
        asked = source in scene.question.named | scene.question.hinted
        sure = 0.58 if behind else 0.5 if likely else 0.35 if asked else 0.2
        there += f" {named(behind)} runs, and no Service leads to it." if behind else ""
        sentence = (
            f"{named(source)} calls the Service {target.name!r} ({connection.detail}), which does not exist "
            f"(not found, missing) in namespace {target.namespace}.{there}"
        )
        yield Candidate(
            "ServiceRouting",
            target if behind else source,
            sentence,
            sure,
            (connection.detail,),
            fix=f"Create the Service {target.name!r}, or correct the name{f' to {close!r}' if close else ''}.",
            suffers=(target, source),
            needs=() if behind else (target,),
        )


def _alike(close: str, name: str) -> bool:
    """Whether a name is another one misspelt, or with a part more or less; not merely of the same pattern."""
    parts, others = set(close.split("-")), set(name.split("-"))
    return bool(close) and (
        difflib.SequenceMatcher(None, close, name).ratio() > _MISSPELT or parts <= others or others <= parts
    )
