"""What was correlated in words and as data: every line with the numbers that it was drawn from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from kubesteward_tools.correlation.asking import Seen
from kubesteward_tools.correlation.bursts import CLUSTERS, Burst
from kubesteward_tools.correlation.cover import Incident
from kubesteward_tools.correlation.failures import Failure
from kubesteward_tools.diagnosis.reading import count, kind_of, listed, named
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.twin.clock import timestamp
from kubesteward_tools.world.store import Key

_INCIDENTS = 10
_ALONE = 15
_EXPLAINED = 40
_PATTERNS = {
    "node": "everything on one node",
    "zone": "everything in one failure domain",
    "workload": "one failed first, and those who call it",
    "service": "many clients of one dependency",
    "rollout": "what was rolled out together",
    "admission": "pods that are refused for one reason",
    "capacity": "pods for which the same is lacking",
}


def lines(seen: Sequence[Seen], found: Sequence[Burst], window: str) -> list[str]:
    """Across clusters first, then each cluster by itself."""
    several = len(seen) > 1
    shown = list(map(_burst_line, found))
    if several and not found:
        least = f"at least {CLUSTERS} clusters begin within a minute"
        shown.append(f"Across clusters: nothing in common; it takes that {least}.")
    for one in seen:
        head = f"{one.cluster}: " if several else ""
        shown += [head + _looked(one, window), *_incident_lines(one), *_alone_lines(one)]
    return shown


def _looked(seen: Seen, window: str) -> str:
    looked = seen.correlation.looked
    what = (
        f"{count(looked.pods, 'pod')}, {count(looked.workloads, 'workload')}, {count(looked.nodes, 'node')}, "
        f"{count(looked.warnings, 'warning event')} and {count(looked.logs, 'log')} looked at"
    )
    unread = f"; {looked.unread} restarted pods not read: narrow to a namespace" if looked.unread else ""
    if not looked.pods and not seen.correlation.failing:
        return f"{what}: there are no pods to judge by{unread}."
    failing = seen.correlation.failing
    said = f"{count(failing, 'object')} failing" if failing else "nothing failed"
    return f"{what}; {said} in the last {window}{unread}."


def _incident_lines(seen: Seen) -> list[str]:
    incidents = seen.correlation.incidents
    shown = [f"{number}. {_incident_line(one)}" for number, one in enumerate(incidents[:_INCIDENTS], 1)]
    if len(incidents) > _INCIDENTS:
        shown.append(f"{len(incidents) - _INCIDENTS} more with several failures each; a namespace shows them.")
    return shown


def _incident_line(one: Incident) -> str:
    units = {failure.unit for failure in one.failures}
    kinds = Counter(failure.reason for failure in one.failures for _ in failure.objects)
    reasons = listed((f"{reason} x{number}" for reason, number in kinds.most_common()), 4)
    counted = _counted(one)
    first = _first(one.failures)
    return sentence(
        f"{one.culprit.said} ({why(one)}): explains {count(sum(kinds.values()), 'failing object')} of "
        f"{count(len(units), 'owner')}: {listed(map(named, sorted(units)), 5)}; {reasons}"
        f"{f', first at {first}' if first else ''}. Coverage {one.coverage:.0%} of what fails, specificity "
        f"{one.specificity:.0%} ({counted}), score {one.score:.2f}.",
        900,
    )


def why(one: Incident) -> str:
    """The evidence against the culprit."""
    parts = ["their own messages name it"] if one.evidence == "named" else []
    if one.ailment:
        since = f" since {timestamp(one.ailment.since)}" if one.ailment.since is not None else ""
        parts.append(f"{one.ailment.text}{since}")
    if one.evidence == "shared":
        parts.append(f"only shared: by chance with probability {one.chance or 0.0:.2g}")
    return ", ".join(parts)


def _counted(one: Incident) -> str:
    noun = "pods" if one.culprit.kind in {"node", "zone", "admission", "capacity", "registry"} else "workloads"
    return f"{one.failing} of {one.hanging} {noun} that hang on it" if one.hanging else "nothing else hangs on it"


def _alone_lines(seen: Seen) -> list[str]:
    groups: dict[tuple[Key, str], list[Failure]] = {}
    for one in seen.correlation.alone:
        groups.setdefault((one.unit, one.reason), []).append(one)
    shown = [_alone_line(key, reason, there) for (key, reason), there in sorted(groups.items())]
    if not shown:
        return []
    rest = [f"{len(shown) - _ALONE} more; a namespace shows them."] if len(shown) > _ALONE else []
    return [f"Alone, nothing in common found ({len(shown)}):", *shown[:_ALONE], *rest]


def _alone_line(key: Key, reason: str, there: Sequence[Failure]) -> str:
    first = _first(there)
    objects = sum(one.count for one in there)
    return sentence(f"- {named(key)}: {reason} x{objects}{f', first at {first}' if first else ''}")


def _first(failures: Sequence[Failure]) -> str:
    times = [one.began for one in failures if one.began is not None]
    return timestamp(min(times)) if times else ""


def _burst_line(one: Burst) -> str:
    signs = listed((f"{reason} of {kind}" for reason, kind in one.signs), 4)
    where = listed((f"{cluster} {number}" for cluster, number in one.objects.items()), 10)
    shared = listed((f"{what} {value} in {number}" for (what, value), number in _common(one)), 6)
    return sentence(
        f"Across {len(one.objects)} clusters: {signs} began between {timestamp(one.first)} and {timestamp(one.last)} "
        f"(objects: {where}; {one.failing} of them failing, the others only warned about); "
        f"shared: {shared or 'nothing known'}; by chance {one.expected:.2g} such a window.",
        900,
    )


def _common(one: Burst) -> list[tuple[tuple[str, str], int]]:
    return sorted(one.shared.items(), key=lambda item: (-item[1], item[0]))


def records(seen: Sequence[Seen], found: Sequence[Burst]) -> dict[str, Any]:
    """The same as data; `looked_at` counts by cluster."""
    return {
        "across_clusters": [_burst_record(one) for one in found],
        "incidents": [_incident_record(one.cluster, item) for one in seen for item in one.correlation.incidents],
        "alone": [_failure_record(item) | {"cluster": one.cluster} for one in seen for item in one.correlation.alone],
        "looked_at": {one.cluster: one.correlation.looked.as_json() for one in seen},
        "failing": {one.cluster: one.correlation.failing for one in seen},
    }


def _incident_record(cluster: str, one: Incident) -> dict[str, Any]:
    key = one.culprit.key
    culprit = {"kind": kind_of(key.resource), "name": key.name, "namespace": key.namespace} if key else None
    first = min(one.failures, key=lambda item: (item.began is None, item.began or 0.0, item.unit))
    record: dict[str, Any] = {
        "cluster": cluster,
        "culprit": culprit,
        "common": sentence(one.culprit.said),
        "pattern": _PATTERNS.get(one.culprit.kind, "the same in all that use it"),
        "evidence": one.evidence,
        "why": sentence(why(one)),
        "failing_objects": sum(item.count for item in one.failures),
        "coverage": round(one.coverage, 4),
        "hanging": one.hanging,
        "hanging_failing": one.failing,
        "specificity": round(one.specificity, 4),
        "score": round(one.score, 4),
        "first": _failure_record(first),
        "failures": [_failure_record(item) for item in one.failures[:_EXPLAINED]],
        "not_shown": max(len(one.failures) - _EXPLAINED, 0),
    }
    return record | ({"chance": one.chance} if one.chance is not None else {})


def _failure_record(one: Failure) -> dict[str, Any]:
    record: dict[str, Any] = {
        "object": named(one.unit),
        "family": one.family,
        "reason": sentence(one.reason, 120),
        "count": one.count,
        "node": one.node,
        "since": timestamp(one.began) if one.began is not None else "",
        "message": sentence(one.told[0], 240) if one.told else "",
    }
    return {name: value for name, value in record.items() if value != ""}


def _burst_record(one: Burst) -> dict[str, Any]:
    return {
        "signs": [{"reason": sentence(reason, 120), "kind": kind} for reason, kind in one.signs],
        "clusters": dict(one.objects),
        "failing_objects": one.failing,
        "first": timestamp(one.first),
        "last": timestamp(one.last),
        "shared": [{"what": what, "value": sentence(value), "clusters": n} for (what, value), n in _common(one)],
        "expected_by_chance": one.expected,
    }


def messages(seen: Sequence[Seen]) -> str:
    """One message of each incident and each failure that stands alone, as the clusters wrote them."""
    chosen: dict[str, None] = {}
    for one in seen:
        several = f"{one.cluster} " if len(seen) > 1 else ""
        for incident in one.correlation.incidents[:_INCIDENTS]:
            told = next((item.told[0] for item in incident.failures if item.told), "")
            chosen |= {f"{several}{incident.culprit.said}: {sentence(told, 200)}": None} if told else {}
        for item in one.correlation.alone[:_ALONE]:
            chosen |= {f"{several}{named(item.unit)}: {sentence(item.told[0], 200)}": None} if item.told else {}
    return "\n".join(chosen)
