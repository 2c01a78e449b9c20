"""Ingresses that no controller serves, or that lead to Services, ports or Secrets that are not there."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, listed, mapping, mappings, named, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_CLASSES = "ingressclasses.networking.k8s.io"
_OLD = "kubernetes.io/ingress.class"
_DEFAULT = "ingressclass.kubernetes.io/is-default-class"


def analyse(scene: Scene) -> Iterator[Candidate]:
    for key, ingress in scene.all("ingresses.networking.k8s.io"):
        yield from _class(scene, key, ingress)
        yield from _backends(scene, key, ingress)
        yield from _tls(scene, key, ingress)
        yield from _host(scene, key, ingress)
        yield from _path(scene, key, ingress)


def _class(scene: Scene, key: Key, ingress: Object) -> Iterator[Candidate]:
    name = text(at(ingress, "spec").get("ingressClassName"))
    classes = {one.name: obj for one, obj in scene.all(_CLASSES)}
    old = text(mapping(ingress["metadata"].get("annotations")).get(_OLD))
    hosts = listed(rule.get("host") for rule in mappings(at(ingress, "spec").get("rules")) if rule.get("host"))
    if name and scene.missing(Key(_CLASSES, "", name)):
        yield _absent_class(key, name, classes, hosts)
    elif not name and old and classes and old not in classes:
        near = difflib.get_close_matches(old, classes, n=1, cutoff=0.6)
        sentence = (
            f"{named(key)} asks for the ingress class {old!r} (annotation {_OLD}), and there is no such IngressClass "
            f"(not found): there is {listed(classes)}. So no ingress controller serves {hosts or 'it'}."
        )
        fix = f"Set spec.ingressClassName to {near[0] if near else listed(classes)}."
        yield Candidate("Ingress", key, sentence, 0.85 if near else 0.6, (f"{_OLD}: {old}",), fix=fix)
    elif not name and not old and not at(ingress, "status", "loadBalancer").get("ingress"):
        default = [
            one for one, obj in classes.items() if mapping(obj["metadata"].get("annotations")).get(_DEFAULT) == "true"
        ]
        if not default:
            sentence = (
                f"{named(key)} names no ingressClassName and no IngressClass is the default, so no ingress "
                f"controller serves {hosts or 'it'} (missing ingress class)."
            )
            yield Candidate(
                "Ingress",
                key,
                sentence,
                0.6 if classes else 0.45,
                (),
                fix=f"Set spec.ingressClassName ({listed(classes) or 'of an installed controller'}).",
            )


def _absent_class(key: Key, name: str, classes: dict[str, Object], hosts: str) -> Candidate:
    sentence = (
        f"the ingress class (IngressClass) {name!r} that {named(key)} names does not exist (not found, missing); there "
        f"is {listed(classes) or 'no IngressClass at all'}. So no ingress controller serves {hosts or 'it'}."
    )
    fix = (
        "Set ingressClassName to one that exists "
        f"({listed(classes) or 'install an ingress controller'}), or create the IngressClass {name!r}."
    )
    sure = 0.93 if classes else 0.6
    return Candidate("Ingress", key, sentence, sure, (f"spec.ingressClassName: {name}",), fix=fix)


def _backends(scene: Scene, key: Key, ingress: Object) -> Iterator[Candidate]:
    for where, backend in _paths(ingress):
        service = at(backend, "service")
        name = text(service.get("name")) or text(backend.get("serviceName"))
        if not name:
            continue
        target = Key("services", key.namespace, name)
        if scene.missing(target):
            close, elsewhere = routing.near(scene, target), scene.store.spaces_with("services", name)
            there = (
                f"; it is in namespace {listed(elsewhere)}" if elsewhere else f"; there is {close!r}" if close else ""
            )
            sentence = (
                f"{named(key)} routes {where} to the Service {name!r}, which does not exist (not found, missing "
                f"backend) in namespace {key.namespace}{there}: clients get 503 or 404."
            )
            yield Candidate(
                "Ingress",
                key,
                sentence,
                0.92,
                (f"backend service: {name}",),
                fix=f"Correct the backend service name{f' to {close!r}' if close else ''}, or create it.",
                suffers=(target,),
            )
            continue
        yield from _port(
            scene, key, where, target, mapping(service.get("port")) or {"number": backend.get("servicePort")}
        )
        yield from _misled(scene, key, where, target)


def _paths(ingress: Object) -> Iterator[tuple[str, Object]]:
    spec = mapping(ingress.get("spec"))
    if spec.get("defaultBackend"):
        yield "everything else", mapping(spec["defaultBackend"])
    for rule in mappings(spec.get("rules")):
        for path in mappings(at(rule, "http").get("paths")):
            yield f"{rule.get('host', '*')}{path.get('path', '/')}", mapping(path.get("backend"))


def _port(scene: Scene, key: Key, where: str, target: Key, port: Object) -> Iterator[Candidate]:
    there = routing.service_ports(scene.get(target))
    numbers, names = [one.get("port") for one in there], [one.get("name") for one in there]
    number, name = port.get("number"), port.get("name")
    if there and ((number and number not in numbers) or (name and name not in names)):
        shown = listed(
            f"{one.get('port')}{' (' + str(one.get('name')) + ')' if one.get('name') else ''}" for one in there
        )
        sentence = (
            f"{named(key)} routes {where} to port {number or name} of {named(target)}, which has no such port "
            f"(wrong backend port): it has {shown}."
        )
        yield Candidate(
            "Ingress",
            key,
            sentence,
            0.92,
            (f"backend {target.name}:{number or name}",),
            fix=f"Set the backend's port to {shown}.",
            suffers=(target,),
        )


def _misled(scene: Scene, key: Key, where: str, target: Key) -> Iterator[Candidate]:
    """A path that is called like another Service than the one that it leads to."""
    words = [part for part in where.partition("/")[2].lower().split("/") if len(part) > 2]
    names = [one.name for one in scene.store.keys("services", key.namespace)] if words else []
    for word in words[:1]:
        right = difflib.get_close_matches(word, [name for name in names if name != target.name], n=1, cutoff=0.85)
        if right and difflib.SequenceMatcher(None, word, target.name).ratio() < 0.6 and word not in target.name:
            sentence = (
                f"{named(key)} routes the path {where} to the Service {target.name!r}, though a Service "
                f"{right[0]!r} is called like it: probably the wrong backend (misrouted)."
            )
            yield Candidate("Ingress", key, sentence, 0.5, (), fix=f"Let {where} lead to {right[0]!r}.")


def _tls(scene: Scene, key: Key, ingress: Object) -> Iterator[Candidate]:
    for item in mappings(at(ingress, "spec").get("tls")):
        secret = Key("secrets", key.namespace, text(item.get("secretName")))
        if secret.name and scene.missing(secret):
            hosts = listed(item.get("hosts") or ())
            sentence = (
                f"the TLS Secret {secret.name!r} that {named(key)} names for {hosts or 'its hosts'} does not "
                f"exist (not found, missing) in namespace {key.namespace}."
            )
            yield Candidate(
                "Ingress",
                key,
                sentence,
                0.62 if scene.store.count("secrets") else 0.5,
                (f"tls secretName: {secret.name}",),
                fix=f"Create the TLS Secret {secret.name!r} (or its Certificate).",
                suffers=(secret,),
            )


_URL = re.compile(r"https?://(?P<host>[\w.-]+)(?::\d+)?(?P<path>/[\w./-]*)")


def _path(scene: Scene, key: Key, ingress: Object) -> Iterator[Candidate]:
    """A URL that somebody asks about, for whose host there are rules, though none for its path."""
    for match in _URL.finditer(scene.question.text):
        asked, path = match["host"].rstrip("."), match["path"].rstrip(".")
        rules = [rule for rule in mappings(at(ingress, "spec").get("rules")) if rule.get("host") in {asked, None}]
        there = [text(item.get("path")) or "/" for rule in rules for item in mappings(at(rule, "http").get("paths"))]
        if at(ingress, "spec").get("defaultBackend") or not there or any(_begins(path, one) for one in there):
            continue
        sentence = (
            f"no rule of {named(key)} is for the path {path!r} of the host {asked!r}; it has only "
            f"{listed(map(repr, there))} (path mismatch), so requests get 404."
        )
        yield Candidate("Ingress", key, sentence, 0.75, (), fix=f"Add or correct a path to {path!r}.")


def _begins(path: str, prefix: str) -> bool:
    """Whether a path falls under a rule's; a pattern may match anything."""
    plain = prefix.rstrip("/")
    return path.rstrip("/") == plain or path.startswith(f"{plain}/") or any(mark in prefix for mark in "(*.?")


def _host(scene: Scene, key: Key, ingress: Object) -> Iterator[Candidate]:
    """A host that somebody asks about and that no rule has, though one is nearly called so."""
    rules = [text(rule.get("host")) for rule in mappings(at(ingress, "spec").get("rules")) if rule.get("host")]
    for asked in scene.question.hosts:
        close = difflib.get_close_matches(asked, rules, n=1, cutoff=0.75)
        if (
            close
            and asked not in rules
            and not any(rule.startswith("*.") and asked.endswith(rule[1:]) for rule in rules)
        ):
            sentence = (
                f"no rule of {named(key)} is for the host {asked!r}; it has {close[0]!r} (host mismatch), so "
                "requests get 404."
            )
            yield Candidate("Ingress", key, sentence, 0.7, (), fix=f"Correct the rule's host to {asked!r}.")
