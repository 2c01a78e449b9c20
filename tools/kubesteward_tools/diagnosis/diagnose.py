"""The whole way from a world to ranked root causes: read logs, ask every analyser, rank, put it into words."""

from __future__ import annotations

from dataclasses import dataclass

from kubesteward_tools.diagnosis import analysers
from kubesteward_tools.diagnosis.beginnings import timed
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.context import context
from kubesteward_tools.diagnosis.focus import Focus
from kubesteward_tools.diagnosis.gauges import doubted
from kubesteward_tools.diagnosis.ranking import rank
from kubesteward_tools.diagnosis.report import Finding, finding
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.diagnosis.unblamed import looked_at, nothing
from kubesteward_tools.diagnosis.weighing import weigh

_MOST = 60


@dataclass(frozen=True)
class Verdict:
    """`findings` are the root causes, the likeliest first; a single one of category Healthy or Inconclusive if none.

    `unread` names analysers that could not read what they were given, and measurements that could not be had;
    `looked` says how much was looked at.
    """

    findings: tuple[Finding, ...]
    unread: tuple[str, ...] = ()
    looked: tuple[str, ...] = ()

    @property
    def best(self) -> Finding:
        return self.findings[0]


def diagnose(scene: Scene, cluster: str = "", most: int = _MOST) -> Verdict:
    """What is wrong in the scene, as far as its question asks."""
    candidates, unread = _candidates(scene)
    ranked = rank(scene, candidates, Focus(scene))
    found = []
    for one in ranked[:most]:
        weighed = weigh(scene, one.candidate)
        one.candidate = weighed.candidate
        found.append(finding(one, cluster, weighed.story))
    if found:
        found[0] = found[0].beside(context(scene, ranked[0].candidate, found[0].diagnosis))
    return Verdict(
        tuple(found or [nothing(scene, cluster, candidates)]), (*unread, *_unmeasured(scene)), looked_at(scene)
    )


def _unmeasured(scene: Scene) -> list[str]:
    return [f"metrics: {why}" for why in scene.usage.unread] if not scene.usage.source else []


def _candidates(scene: Scene) -> tuple[list[Candidate], list[str]]:
    found, unread = list[Candidate](), list[str]()
    for name, analyse in analysers.load().items():
        try:
            found += [doubted(scene, timed(scene, one)) for one in analyse(scene)]
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            # Saved objects may be of any shape: what one rule cannot read must not silence the others.
            unread.append(f"{name}: {type(error).__name__}: {error}")
    return found, unread
<<<<<<< HEAD
=======


def _nothing(scene: Scene, cluster: str) -> Finding:
    """Nobody is to blame: all is well, or the reason does not show."""
    meant = sorted(scene.question.named or scene.question.hinted)
    owners = {scene.owner(key) for key in meant}
    owners |= {one for key in meant if key.resource == "services" for one in routing.workloads_behind(scene, key)}
    sick = [
        key
        for key, pods, _ in scene.sick_pods
        if (not owners or key in owners)
        and key.resource not in _FINISHING
        and any(_is_down(scene, pod) for pod in pods)
    ]
    sick += [key for key in sorted(owners) if key not in sick and _is_short(scene, key)]
    if sick:
        return _inconclusive(sick, cluster)
    shown = _shown(scene, [key for key in meant if scene.exists(key)])
    text = (
        f"Healthy: no problem found. {shown}There are no failing pods, no restarts that matter, no warning "
        "events and no errors "
        "in the logs that were read: it is running normally, without issues; nothing is wrong."
    )
    return Finding("Healthy", None, text, 0.8)


def _is_down(scene: Scene, pod: Object) -> bool:
    """Whether it does not do what it is there for; finished ones have done it, and new ones need their time."""
    return (
        phase(pod) != "Succeeded"
        and mapping(pod.get("status")).get("reason") != "Evicted"
        and not is_ready(pod)
        and not (_is_new(scene, pod) and _has_past(scene) and not restarts(pod))
    )


def _is_new(scene: Scene, obj: Object) -> bool:
    made = seconds(mapping(obj.get("metadata")).get("creationTimestamp"))
    return made is not None and scene.now - made < _STARTING


def _has_past(scene: Scene) -> bool:
    """Whether there is anything old, without which nobody could tell what is new."""
    return any(not _is_new(scene, node) for _, node in scene.all("nodes"))


def _is_short(scene: Scene, key: Key) -> bool:
    """Whether a workload has fewer pods than it wants, though nothing tells why."""
    status, wanted = mapping(scene.get(key).get("status")), at(scene.get(key), "spec").get("replicas")
    made = status.get("replicas", 0)
    return key.resource in SERVERS and type(wanted) is int and type(made) is int and bool(status) and made < wanted


def _inconclusive(sick: Sequence[Key], cluster: str) -> Finding:
    text = (
        f"INCONCLUSIVE: recommend human investigation. {listed(map(named, sick))} "
        f"{'is' if len(sick) == 1 else 'are'} not "
        "well, and none of the known causes shows in its state, events and logs: images, configuration, scheduling, "
        "volumes, quota, probes, memory, network and permissions were looked at."
    )
    return Finding("Inconclusive", ref(sick[0], cluster), text, 0.3)


def _shown(scene: Scene, keys: Sequence[Key]) -> str:
    parts = []
    for key in keys[:4]:
        obj = scene.get(key)
        if key.resource in {"deployments.apps", "statefulsets.apps", "daemonsets.apps"}:
            ready, wanted = counts(obj)
            parts.append(f"{named(key)} is healthy: {ready} of {count(wanted, 'replica')} ready.")
        else:
            parts.append(f"{kind_of(key.resource)} {key.name} is fine.")
    return " ".join(parts) + " " if parts else ""
>>>>>>> attack
