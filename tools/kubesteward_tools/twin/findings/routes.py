"""Traffic from outside that a change leaves without an answer."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.backends import INGRESSES, ROUTES, Leg, State, legs, routes_to, state
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


def broken(evidence: Evidence) -> Iterator[Concern]:
    """Ways that worked before and do not any more."""
    for key, before, after in _routes(evidence):
        for leg in before:
            if state(evidence.origin, leg) != "works":
                continue
            now = state(evidence.best.store, leg)
            if leg in after and now != "works":
                message = f"{name(key)} would send {leg.match} to {_where(leg, now)}"
                yield _concern(f"route.{now}", "block", key, message, _REMEDIES[now])


def removed(evidence: Evidence) -> Iterator[Concern]:
    for key, before, after in _routes(evidence):
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


def leads_nowhere(evidence: Evidence) -> Iterator[Concern]:
    """New ways that end where nothing answers yet."""
    for key, before, after in _routes(evidence):
        for leg in after:
            now = state(evidence.best.store, leg)
            if leg not in before and now != "works":
                message = f"{name(key)} sends {leg.match} to {_where(leg, now)}"
                yield _concern("route.leads_nowhere", "warn", key, message, "Make the Service first.")


def taken_over(evidence: Evidence) -> Iterator[Concern]:
    """A host and path that another Ingress has: whose turn it is, the controller decides."""
    if evidence.best.store.count(INGRESSES) > MOST_INGRESSES:
        return
    for key, before, after in _routes(evidence):
        had = {leg.match for leg in before}
        for match in dict.fromkeys(leg.match for leg in after):
            others = [] if match in had or match == "*" else list(_serving(evidence.best.store, key, match, None))
            if others:
                message = f"{name(key)} takes {match}, which {name(others[0])} has already"
                yield _concern("route.taken_over", "warn", key, message, "Use another host or path.")


def _routes(evidence: Evidence) -> Iterator[tuple[Key, list[Leg], list[Leg]]]:
    """The routes that the change could matter to, with where they led and lead."""
    watcher, best = evidence.best.watcher, evidence.best.store
    services = {key for key in (*watcher.seen, *watcher.lowest) if key.resource == "services"}
    found = {key for key in watcher.seen if key.resource in ROUTES}
    for service in services:
        found.update(routes_to(evidence.origin, service), routes_to(best, service))
    for key in sorted(found):
        before, after = (legs(key, store.get(key) or {}) for store in (evidence.origin, best))
        yield key, before, after


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
