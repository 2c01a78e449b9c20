"""Traffic from outside that a change leaves without an answer."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.backends import INGRESSES, ROUTES, Leg, State, legs, ready_by_port, routes_to, state
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Key, Store

_WORDS: dict[State, str] = {
    "backend_gone": "{service}, which does not exist",
    "port_gone": "{service}, which has no port {port}",
    "no_endpoints": "{service}, which has no ready endpoint for port {port}",
}
_REMEDIES: dict[State, str] = {
    "backend_gone": "Send the route to another Service first.",
    "port_gone": "Keep the old port beside the new one until the route names the new one.",
    "no_endpoints": "Keep a pod ready that has the port which the Service wants (targetPort).",
}
MOST_INGRESSES = 5000
"""Above that many, nobody looks through them all for another one with the same host and path."""


Ways = list[tuple[Key, list[Leg], list[Leg]]]
"""Routes, with where they led and where they lead."""


def changed(evidence: Evidence) -> Iterator[Concern]:
    ways = _routes(evidence)
    for rule in (_broken, _removed, _leads_nowhere, _taken_over):
        yield from rule(evidence, ways)


def _broken(evidence: Evidence, ways: Ways) -> Iterator[Concern]:
    """Ways that worked before and do not any more."""
    for key, before, after in ways:
        for leg in before:
            if state(evidence.origin, leg) != "works":
                continue
            now = state(evidence.best.store, leg)
            if leg in after and now != "works":
                message = f"{name(key)} would send {leg.match} to {_where(leg, now)}"
                yield _concern(f"route.{now}", "block", key, message, _REMEDIES[now])


def _removed(evidence: Evidence, ways: Ways) -> Iterator[Concern]:
    for key, before, after in ways:
        kept, gone = {leg.match for leg in after}, dict[str, None]()
        for leg in before:
            if leg.match not in kept and state(evidence.origin, leg) == "works":
                gone[leg.match] = None
        for match in gone:
            others = [name(other) for other in _serving(evidence.best.store, key, match)]
            message = f"{name(key)} would not take {match} any more"
            if others:
                yield _concern("route.removed", "info", key, f"{message}; {others[0]} does", "")
            else:
                yield _concern("route.removed", "block", key, message, "See that nobody asks for it first.")


def _leads_nowhere(evidence: Evidence, ways: Ways) -> Iterator[Concern]:
    """New ways that end where nothing answers yet."""
    for key, before, after in ways:
        for leg in after:
            now = state(evidence.best.store, leg)
            if leg not in before and now != "works":
                message = f"{name(key)} sends {leg.match} to {_where(leg, now)}"
                yield _concern("route.leads_nowhere", "warn", key, message, "Make the Service first.")


def _taken_over(evidence: Evidence, ways: Ways) -> Iterator[Concern]:
    """A host and path that another Ingress has: whose turn it is, the controller decides."""
    if evidence.best.store.count(INGRESSES) > MOST_INGRESSES:
        return
    for key, before, after in ways:
        had = {leg.match for leg in before}
        for match in dict.fromkeys(leg.match for leg in after):
            others = [] if match in had or match == "*" else list(_serving(evidence.best.store, key, match, None))
            if others:
                message = f"{name(key)} takes {match}, which {name(others[0])} has already"
                yield _concern("route.taken_over", "warn", key, message, "Use another host or path.")


def _routes(evidence: Evidence) -> Ways:
    """The routes that the change could matter to: it wrote to them, or to Services that they lead to."""
    watcher, best = evidence.best.watcher, evidence.best.store
    found = {key for key in watcher.seen if key.resource in ROUTES}
    services = {key for key in watcher.seen if key.resource == "services"}
    services |= {key for key in watcher.lowest if key.resource == "services" and not _serves(best, key)}
    found.update(routes_to(evidence.origin, *services))
    return [(key, legs(key, evidence.origin.get(key) or {}), legs(key, best.get(key) or {})) for key in sorted(found)]


def _serves(store: Store, service: Key) -> bool:
    """Whether each port has a ready endpoint, so that no way to it is broken."""
    ready = ready_by_port(store, service)
    return bool(ready) and all(ready.values())


def _serving(store: Store, key: Key, match: str, namespace: str | None = "") -> Iterator[Key]:
    """Other routes of the kind, in the same namespace if no other is given (None: in any), that serve the match."""
    for other, route in store.items(key.resource, key.namespace if namespace == "" else namespace):
        if other != key and any(leg.match == match and state(store, leg) == "works" for leg in legs(other, route)):
            yield other


def _where(leg: Leg, now: State) -> str:
    return _WORDS[now].format(service=name(leg.service), port=leg.port)


def _concern(rule: str, severity: str, key: Key, message: str, remedy: str) -> Concern:
    return Concern.model_validate(
        {"rule": rule, "severity": severity, "object": name(key), "message": message, "remedy": remedy}
    )
