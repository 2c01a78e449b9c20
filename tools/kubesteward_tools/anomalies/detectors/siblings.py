"""Pods of one template, healthy and yet unlike their siblings: in use, restarts, readiness, and what they run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, Number, scored
from kubesteward_tools.anomalies.measures import FEWEST, ROBUST_SIGMAS, Odd, unlike
from kubesteward_tools.anomalies.units import FLOORS, UNITS, shown
from kubesteward_tools.anomalies.view import Member, View
from kubesteward_tools.diagnosis.reading import at, mapping, mappings, seconds, text
from kubesteward_tools.lookup import states
from kubesteward_tools.overlay.score import Severity
from kubesteward_tools.world.store import Key, Object

_READ = 1500
"""Pods that are read for one answer."""
_MORE_RESTARTS = 4
_ROLES = frozenset({"statefulsets.apps", "daemonsets.apps"})
"""Whose pods may well differ: a leader among followers, large nodes among small ones."""
_TURN = 4
"""Samples in a row, two minutes of them, in which a sibling has to use as much."""
_ABOUT = 0.6
_WORKED = 2
_TIMES = {True: 4.0, False: 2.0}


def find(view: View) -> Iterator[Anomaly]:
    families = [(workload, family) for workload, parts in view.families.items() for family in parts if len(family) > 1]
    for workload, family in families:
        well = [pod for pod in family if pod.note.ready]
        for metric in FLOORS:
            yield from _use(view, workload, metric, well)
        yield from _restarts(view, workload, family)
    yield from _read(view, families)


def _use(view: View, workload: Key, metric: str, pods: list[Member]) -> Iterator[Anomaly]:
    used = view.use[metric]
    measured = [pod.key for pod in pods if pod.key in used]
    if len(measured) < FEWEST:
        return
    values = [used[key] for key in measured]
    for odd in unlike(values, FLOORS[metric], _TIMES[workload.resource in _ROLES]):
        if odd.distance < 0 or not _in_turns(view, metric, odd.value, measured, measured[odd.place]):
            yield _used(workload, measured[odd.place], metric, odd, len(values))


def _in_turns(view: View, metric: str, value: float, pods: list[Key], odd: Key) -> bool:
    """Whether two siblings or more have used about as much within the hour that is known: who has work, works."""
    others = (view.samples.highest(metric, key, _TURN) for key in pods if key != odd)
    return sum(peak > _ABOUT * value for peak in others) >= _WORKED


def _used(workload: Key, pod: Key, metric: str, odd: Odd, count: int) -> Anomaly:
    word = "far more" if odd.distance > 0 else "far less"
    value, middle = shown(metric, odd.value), shown(metric, odd.middle)
    sentence = f"pod {pod.name} uses {word} {metric} than its {count - 1} siblings: {value}, their median is {middle}"
    numbers: dict[str, Number] = {
        "value": odd.value, "median": odd.middle, "unit": UNITS[metric], "distance": round(odd.distance, 2),
        "siblings": count - 1,
    }  # fmt: skip
    score = scored(abs(odd.distance) / ROBUST_SIGMAS, 80.0)
    severity: Severity = "warning" if odd.distance > 0 and workload.resource not in _ROLES else "info"
    return Anomaly(f"siblings.{metric}", severity, workload, sentence, score, numbers, parts=(pod,))


def _restarts(view: View, workload: Key, pods: list[Member]) -> Iterator[Anomaly]:
    """One that restarts again and again while its siblings run on; ends within the window alone count."""
    counts = sorted(pod.note.restarts for pod in pods)
    middle = counts[(len(counts) - 1) // 2]
    for pod in pods:
        more = pod.note.restarts - middle
        if len(pods) < 3 or more < _MORE_RESTARTS or pod.note.restarts < 3 * middle:
            continue
        ended = max((_ended(item) for item in states.containers(view.get(pod.key))), default=0.0)
        if ended >= view.since:
            sentence = (
                f"pod {pod.key.name} has restarted {pod.note.restarts} times, the last time within the window; "
                f"its {len(pods) - 1} siblings {middle} times in the middle"
            )
            numbers = {"restarts": pod.note.restarts, "median": middle, "siblings": len(pods) - 1}
            score = scored(more / _MORE_RESTARTS, 80.0)
            yield Anomaly("siblings.restarts", "warning", workload, sentence, score, numbers, ended, (pod.key,))


def _ended(status: Object) -> float:
    return seconds(at(status, "lastState", "terminated").get("finishedAt")) or 0.0


def _read(view: View, families: list[tuple[Key, list[Member]]]) -> Iterator[Anomaly]:
    """What has to be read of every pod; the families with the newest pods first, for those have changed last."""
    newest = sorted(families, key=lambda item: (max(pod.facts.created for pod in item[1]), item[0]), reverse=True)
    left, passed = _READ, 0
    for workload, family in newest:
        if len(family) > left:
            passed += len(family)
            continue
        left -= len(family)
        pods = {pod.key: view.store.get(pod.key) or {} for pod in family}
        yield from _images(workload, pods)
        yield from _containers(workload, pods)
        yield from _readiness(view, workload, family, pods)
    if passed:
        view.cannot(
            f"images, containers and readiness among siblings: {passed} pods of workloads without newer pods were "
            "not compared; a namespace or a target compares all of its own"
        )


def _images(workload: Key, pods: dict[Key, Object]) -> Iterator[Anomaly]:
    """One tag that means two images: what it was moved to runs in some pods and not in others."""
    found: dict[tuple[str, str], dict[Key, str]] = {}
    for key, pod in pods.items():
        asked = {text(item.get("name")): text(item.get("image")) for item in _spec_containers(pod)}
        for status in mappings(mapping(pod.get("status")).get("containerStatuses")):
            name, digest = text(status.get("name")), text(status.get("imageID")).rpartition("@")[2]
            if name in asked and digest.startswith("sha256:"):
                found.setdefault((name, asked[name]), {})[key] = digest
    for (name, image), digests in sorted(found.items()):
        common = Counter(digests.values()).most_common()
        if len(common) > 1 and common[0][1] * 2 > len(digests):
            odd = tuple(sorted(key for key, digest in digests.items() if digest != common[0][0]))
            sentence = (
                f"{len(odd)} of {len(digests)} pods run another image than their siblings by the same name {image!r} "
                f"(container {name}): the tag has been moved between their starts"
            )
            numbers = {"odd": len(odd), "pods": len(digests), "digests": len(common)}
            yield Anomaly("siblings.image", "warning", workload, sentence, 60.0, numbers, parts=odd)


def _containers(workload: Key, pods: dict[Key, Object]) -> Iterator[Anomaly]:
    """Of one template, and yet made of other containers or images: injected into some, or changed in place."""
    made = {key: frozenset(_made(pod)) for key, pod in pods.items()}
    common = Counter(made.values()).most_common()
    if len(common) < 2:
        return
    usual, odd = common[0][0], tuple(sorted(key for key, parts in made.items() if parts != common[0][0]))
    if len(odd) * 2 >= len(pods):
        return
    extra, lacking = sorted(made[odd[0]] - usual), sorted(usual - made[odd[0]])
    words = [f"{word} {_words(parts)}" for word, parts in (("has", extra), ("lacks", lacking)) if parts]
    sentence = f"{len(odd)} of {len(pods)} pods are made of other containers than their siblings: {odd[0].name} "
    numbers = {"odd": len(odd), "pods": len(pods)}
    yield Anomaly("siblings.spec", "warning", workload, sentence + ", ".join(words), 62.0, numbers, parts=odd)


def _made(pod: Object) -> Iterable[tuple[str, str]]:
    return ((text(item.get("name")), text(item.get("image"))) for item in _spec_containers(pod))


def _spec_containers(pod: Object) -> list[Object]:
    spec = mapping(pod.get("spec"))
    return [*mappings(spec.get("initContainers")), *mappings(spec.get("containers"))]


def _words(parts: list[tuple[str, str]]) -> str:
    return " and ".join(f"{name} ({image})" for name, image in parts[:3])


def _readiness(view: View, workload: Key, family: list[Member], pods: dict[Key, Object]) -> Iterator[Anomaly]:
    """One that was not ready for a while within the window, though as old as its siblings, which were all along."""
    old = [pod for pod in family if pod.note.ready and (seconds(pod.facts.created) or view.now) < view.since]
    times = {pod.key: _ready_since(pods[pod.key]) for pod in old}
    late = tuple(sorted(key for key, since in times.items() if since is not None and since > view.since))
    if len(old) < FEWEST or not late or len(late) * 4 > len(old):
        return
    since = max(times[key] or 0.0 for key in late)
    sentence = (
        f"{len(late)} of {len(old)} pods ({late[0].name}) became ready again within the window; "
        "their siblings of the same age have been ready all along"
    )
    numbers = {"odd": len(late), "pods": len(old)}
    yield Anomaly("siblings.ready", "info", workload, sentence, 40.0, numbers, since, late)


def _ready_since(pod: Object) -> float | None:
    found = states.condition(pod, "Ready")
    return seconds(found.get("lastTransitionTime")) if found.get("status") == "True" else None
