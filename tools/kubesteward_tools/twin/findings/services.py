"""Services that lose their endpoints, or go themselves."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.backends import ready_by_port, routes_to
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
        routes, carried = [name(item) for item in routes_to(evidence.best.store, key)], needs(evidence.origin, key)
        message = f"{name(key)} would be gone with {ready} ready endpoints"
        leads = [f"{', '.join(routes)} would lead nowhere"] if routes else []
        yield Concern(
            rule=carried[0].rule if carried else "service.gone",
            severity="block",
            object=name(key),
            message="; ".join([message, *leads, *(item.text for item in carried)]),
            remedy="Move those who use it to another Service first.",
        )


def port_unserved(evidence: Evidence) -> Iterator[Concern]:
    """One port of a Service is left without endpoints while others keep theirs: no container has its target port."""
    for key in sorted({*evidence.best.watcher.lowest, *evidence.best.watcher.seen}):
        if key.resource != "services" or evidence.best.store.get(key) is None:
            continue
        before, after = ready_by_port(evidence.origin, key), ready_by_port(evidence.best.store, key)
        for port in sorted(item for item, ready in before.items() if ready and not after.get(item)):
            if any(after.values()) and _has_port(evidence, key, port):
                yield Concern(
                    rule="service.port_unserved",
                    severity="block",
                    object=name(key),
                    message=f"{name(key)} would have no ready endpoint for its port {port!r}, which had {before[port]}",
                    remedy="Let targetPort name a port that the containers have.",
                )


def _has_port(evidence: Evidence, key: Key, port: str) -> bool:
    """A port that the Service gives up itself is missed by those who use it, not unserved."""
    spec = (evidence.best.store.get(key) or {}).get("spec") or {}
    return any((item.get("name") or "") == port for item in spec.get("ports") or ())
