"""Addresses in variables that cannot work: a port that the Service lacks, a variable that is set twice."""

from __future__ import annotations

import re
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import every, listed, mappings, named, text, value_of, variables
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.world.store import Key, Object

_PLACE = re.compile(r"(?:^|//|@|,|=)(?P<host>[a-zA-Z][\w.-]*):(?P<port>\d{2,5})(?=$|[/?,;])")


def analyse(scene: Scene) -> Iterator[Candidate]:
    """Only of what is complained about: a wrong address is no incident as long as nobody uses it."""
    if not scene.question.complains:
        return
    for workload, _ in scene.workloads():
        for item in every(scene.spec(workload)):
            yield from _ports(scene, workload, item)
            yield from _twice(workload, item)
    yield from _alone(scene)


def _ports(scene: Scene, workload: Key, item: Object) -> Iterator[Candidate]:
    for variable, value in variables(item).items():
        for match in _PLACE.finditer(value):
            service = routing.meant(scene, match["host"], workload.namespace)
            if service is None or not scene.exists(service):
                continue
            numbers = [port.get("port") for port in routing.service_ports(scene.get(service))]
            if numbers and int(match["port"]) not in numbers:
                sentence = (
                    f"{named(workload)} calls {match['host']}:{match['port']} (env {variable} of container "
                    f"{item.get('name')!r}), and {named(service)} has no port {match['port']} (wrong port): it serves "
                    f"port {listed(numbers)}. Connections fail."
                )
                fix = f"Correct the port in {variable} to {listed(numbers)}."
                seen = (f"{variable}={match['host']}:{match['port']}", f"{named(service)} port {listed(numbers)}")
                yield Candidate("ServiceRouting", workload, sentence, 0.7, seen, fix=fix, suffers=(service,))


def _twice(workload: Key, item: Object) -> Iterator[Candidate]:
    seen: dict[str, str] = {}
    for one in mappings(item.get("env")):
        name, value = text(one.get("name")), text(one.get("value"))
        if name in seen and seen[name] != value and "value" in one:
            shown = value_of(name, value)
            sentence = (
                f"the environment variable {name} of container {item.get('name')!r} of {named(workload)} is set twice "
                f"({value_of(name, seen[name])!r}, then {shown!r}): the last one shadows the first, so the application "
                f"uses {shown!r}."
            )
            fix = f"Keep one definition of {name}."
            yield Candidate("AppError", workload, sentence, 0.55, (f"{name}={shown}",), fix=fix, suffers=(workload,))
        seen[name] = value


def _alone(scene: Scene) -> Iterator[Candidate]:
    """A server to which no Service leads, in a namespace where each of its siblings has one of its own name."""
    for space, described in scene.templates.items():
        servers = [(key, labels) for key, labels in described if key.resource in SERVERS and labels]
        having = [key for key, _ in servers if scene.exists(Key("services", space, key.name))]
        for key, labels in servers if len(having) >= max(3, len(servers) - 2) else ():
            ports = routing.declared(scene, [key])
            if ports and key not in having and not scene.store.selecting("services", space, labels):
                service = Key("services", space, key.name)
                sentence = (
                    f"the Service {key.name!r} does not exist (missing, not found) in namespace {space}: {named(key)} "
                    f"serves port {listed(number for _, number, _ in ports)}, no Service leads to it, and each of its "
                    "siblings has a Service of its own name. Callers cannot resolve or reach it."
                )
                fix = f"Create the Service {key.name!r} with the pods' labels as selector."
                yield Candidate("ServiceRouting", service, sentence, 0.5, (), fix=fix, suffers=(key,))
