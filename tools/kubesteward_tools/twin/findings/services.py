"""Services that lose their endpoints, or go themselves."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.watcher import ready_endpoints
from kubesteward_tools.twin.webhooks import needs
from kubesteward_tools.world.store import Key


def without_endpoints(evidence: Evidence) -> Iterator[Concern]:
    for run, words in evidence.runs():
        for key, lowest in sorted(run.watcher.lowest.items()):
            before = ready_endpoints(evidence.origin, key) if key.resource == "services" else 0
            if not before or lowest or evidence.best.store.get(key) is None:
                continue
            carried = needs(evidence.origin, key)
            message = f"{name(key)} would lose all of its {before} ready endpoints{words}"
            yield Concern(
                rule=carried[0].rule if carried else "service.no_endpoints",
                severity="block",
                object=name(key),
                message="; ".join([message, *(item.text for item in carried)]),
                remedy="Keep at least one pod ready on the way (more replicas, maxUnavailable 0).",
            )


def gone(evidence: Evidence) -> Iterator[Concern]:
    for key, before, after in evidence.touched(evidence.best, "services"):
        ready = ready_endpoints(evidence.origin, key)
        if before is None or after is not None or not ready:
            continue
        routes, carried = list(_routes(evidence, key)), needs(evidence.origin, key)
        message = f"{name(key)} would be gone with {ready} ready endpoints"
        leads = [f"{', '.join(routes)} would lead nowhere"] if routes else []
        yield Concern(
            rule=carried[0].rule if carried else "service.gone",
            severity="block",
            object=name(key),
            message="; ".join([message, *leads, *(item.text for item in carried)]),
            remedy="Move those who use it to another Service first.",
        )


def _routes(evidence: Evidence, service: Key) -> Iterator[str]:
    """Ingresses that stay and send traffic to the Service."""
    for key, ingress in evidence.best.store.items("ingresses.networking.k8s.io", service.namespace):
        if service.name in ingress_backends(ingress):
            yield name(key)


def ingress_backends(ingress: dict[str, object]) -> set[str]:
    """The Services that an Ingress names."""
    found = set[str]()
    todo: list[object] = [ingress.get("spec")]
    while todo:
        part = todo.pop()
        if isinstance(part, dict):
            service = part.get("service")
            if isinstance(service, dict) and isinstance(service.get("name"), str):
                found.add(service["name"])
            todo.extend(part.values())
        elif isinstance(part, list):
            todo.extend(part)
    return found
