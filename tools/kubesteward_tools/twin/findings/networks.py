"""What NetworkPolicies, or labels that they select by, would cut off or open."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.netpol.census import Census
from kubesteward_tools.twin.netpol.changes import STRANGER, Shift
from kubesteward_tools.twin.netpol.ends import Pod
from kubesteward_tools.twin.netpol.gateways import carriers, resolvers, routed
from kubesteward_tools.twin.netpol.policies import POLICIES
from kubesteward_tools.twin.netpol.ports import Connections
from kubesteward_tools.twin.netpol.reach import connections
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.selectors import matches_labels
from kubesteward_tools.world.relations.reading import at
from kubesteward_tools.world.store import Key, Object, Store

_NAMED = 4
"""As many peers are named in one sentence."""

_DNS = Connections.of("UDP", 53, 53) | Connections.of("TCP", 53, 53)


def ingress_cut(evidence: Evidence) -> Iterator[Concern]:
    """Traffic from outside that reaches pods through a route, and would not any more."""
    for shift in evidence.network.shifts:
        if shift.direction != "ingress" or not shift.lost:
            continue
        for route, ports in routed(evidence.origin, _pods(evidence, shift.subject)).items():
            known = carriers(evidence.origin, route)
            cut, who = shift.lost & ports, _who(shift.peer)
            if cut and (shift.peer in known or (not known and shift.peer == STRANGER)):
                sure = shift.peer in known
                yield Concern(
                    rule="network.ingress_cut",
                    severity="block" if sure else "warn",
                    object=name(route),
                    message=f"{name(route)} would not reach {name(shift.subject)} on {cut} any more: "
                    + (f"{who} may not" if sure else "its controller may not, unless it is in the same namespace"),
                    remedy="Allow ingress from the controller's namespace to these ports.",
                )


def ingress_misled(evidence: Evidence) -> Iterator[Concern]:
    """A Service that turns to other pods, whose policies do not let in what comes through its routes."""
    if not evidence.best.store.count(POLICIES):
        return
    for key, before, after in evidence.touched(evidence.best, "services"):
        if before is None or after is None or _selector(before) == _selector(after):
            continue
        turned = _unreached(evidence.best.store, key, _selector(after))
        had = _unreached(evidence.origin, key, _selector(before))
        for route, (group, carrier) in turned.items():
            if route not in had:
                yield Concern(
                    rule="network.ingress_cut",
                    severity="block",
                    object=name(route),
                    message=f"{name(route)} would lead to {name(group)}, which {name(carrier)} may not reach",
                    remedy="Allow ingress from the controller's namespace to these pods first.",
                )


def _selector(service: Object) -> dict[str, str]:
    return dict(at(service, "spec").get("selector") or {})


def _unreached(store: Store, service: Key, selector: dict[str, str]) -> dict[Key, tuple[Key, Key]]:
    """By route, a workload behind the Service and a carrier of the route's traffic that may not reach it at all."""
    census, found = Census(store), dict[Key, tuple[Key, Key]]()
    for group, pods in census.groups(service.namespace).items():
        chosen = [pod for pod in pods if matches_labels(selector, pod.labels)]
        for route, ports in routed(store, chosen).items():
            for carrier in carriers(store, route):
                pairs = ((one, pod) for one in census.pods(carrier) for pod in chosen)
                if any(not connections(store, one, pod) & ports for one, pod in pairs):
                    found.setdefault(route, (group, carrier))
    return found


def dns_cut(evidence: Evidence) -> Iterator[Concern]:
    """Pods that may not ask for names reach next to nothing by name."""
    for shift in evidence.network.shifts:
        if shift.direction == "egress" and shift.lost & _DNS and shift.peer in resolvers(evidence.origin):
            yield Concern(
                rule="network.dns_cut",
                severity="block",
                object=name(shift.subject),
                message=f"{name(shift.subject)} could not ask {_who(shift.peer)} for names any more",
                remedy="Allow egress to kube-dns on UDP and TCP 53.",
            )


def route_lost(evidence: Evidence) -> Iterator[Concern]:
    for subject, direction, shifts in _by_subject(evidence):
        lost = [shift for shift in shifts if shift.lost]
        if lost:
            words = _words([(shift, shift.lost) for shift in lost])
            how = f"not be reached any more by {words}" if direction == "ingress" else f"not reach {words} any more"
            yield Concern(
                rule="network.route_lost",
                severity="warn",
                object=name(subject),
                message=f"{name(subject)} would {how}",
                remedy="See that none of them needs it, or allow it in a policy first.",
            )


def opened(evidence: Evidence) -> Iterator[Concern]:
    for subject, direction, shifts in _by_subject(evidence):
        open_now = [shift for shift in shifts if shift.opened]
        if open_now:
            wide = any(isinstance(shift.peer, str) for shift in open_now)
            words = _words([(shift, shift.opened) for shift in open_now])
            how = f"be open to {words}, which it was not" if direction == "ingress" else f"reach {words} from then on"
            yield Concern(
                rule="network.opened",
                severity="warn" if wide else "info",
                object=name(subject),
                message=f"{name(subject)} would {how}",
                remedy="Allow no more than what is needed." if wide else "",
            )


def _by_subject(evidence: Evidence) -> Iterator[tuple[Key, str, list[Shift]]]:
    found: dict[tuple[Key, str], list[Shift]] = {}
    for shift in evidence.network.shifts:
        found.setdefault((shift.subject, shift.direction), []).append(shift)
    for (subject, direction), shifts in found.items():
        yield subject, direction, sorted(shifts, key=_breadth)


def _breadth(shift: Shift) -> tuple[bool, bool, str]:
    """The whole world first, then other namespaces, then what has a name."""
    return shift.peer != STRANGER, not isinstance(shift.peer, str), str(shift.peer)


def _words(found: list[tuple[Shift, Connections]]) -> str:
    said = [f"{_who(shift.peer)} ({ports})" for shift, ports in found[:_NAMED]]
    more = len(found) - len(said)
    return ", ".join(said) + (f" and {more} more" if more else "")


def _who(peer: Key | str) -> str:
    return peer if isinstance(peer, str) else name(peer)


def _pods(evidence: Evidence, group: Key) -> list[Pod]:
    return Census(evidence.origin).pods(group)
