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
