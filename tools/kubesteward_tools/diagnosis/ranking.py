"""Follows candidates to the root: what is only the consequence of another one gives way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kubesteward_tools.diagnosis.candidate import BLAMED, Candidate
from kubesteward_tools.diagnosis.focus import Focus
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key

_COMPLAINED = 0.38
"""From this score on something is blamed when somebody says that there is trouble."""
_TOPIC = 0.13
_CONSEQUENCE = 0.5
_GENERIC = 0.6
_SLACK = 900.0
"""Seconds by which a cause may be noticed later than what it causes."""
_NODES = frozenset({"NodeNotReady", "NodePressure"})
_OWN = frozenset({"OOMKilled", "ImagePull", "ConfigMissing"})
"""What a node in trouble does not explain."""


@dataclass(slots=True)
class Ranked:
    """A candidate with its score, and the consequences that it explains."""

    candidate: Candidate
    score: float
    relevance: float
    explains: list[Candidate] = field(default_factory=list)
    explained: bool = False


def rank(scene: Scene, candidates: Sequence[Candidate], focus: Focus) -> list[Ranked]:
    """Best first; those that are worth blaming only, consequences left out."""
    kept = _distinct(candidates)
    ranked = [_scored(scene, one, focus) for one in kept]
    _follow(scene, ranked)
    _prefer_specific(scene, ranked)
    least = BLAMED if not scene.question.complains else _COMPLAINED
    found = [one for one in ranked if one.score >= least and not one.explained and one.relevance >= 0.4]
    return sorted(found, key=lambda one: (-one.score, one.candidate.culprit, one.candidate.category))


def _distinct(candidates: Sequence[Candidate]) -> list[Candidate]:
    best: dict[tuple[str, Key], Candidate] = {}
    for one in candidates:
        known = best.get((one.category, one.culprit))
        if one.confidence > 0 and (known is None or one.confidence > known.confidence):
            joined = known.suffers if known else ()
            best[one.category, one.culprit] = replace(one, suffers=tuple(dict.fromkeys((*one.suffers, *joined))))
    return list(best.values())


def _scored(scene: Scene, one: Candidate, focus: Focus) -> Ranked:
    relevance = focus.relevance(one)
    topic = _TOPIC if scene.question.speaks_of(one.category) else 0.0
    first = scene.question.topics[:1] == (one.category,)
    bonus = topic + (0.04 if first else 0.0)
    named = 0.08 if one.culprit in scene.question.named else 0.0
    return Ranked(one, (one.confidence + bonus + named) * relevance, relevance)


def _follow(scene: Scene, ranked: list[Ranked]) -> None:
    """Mark consequences, from the surest cause on; a cause is as relevant as what it explains."""
    for effect in sorted(ranked, key=lambda one: one.score):
        causes = [one for one in ranked if one is not effect and _explains(scene, one.candidate, effect.candidate)]
        causes = [one for one in causes if effect.candidate not in [item for item in one.explains] and not one.explained or one.explained and effect not in _behind(one, ranked)]
        if not causes:
            continue
        cause = max(causes, key=lambda one: (one.candidate.confidence, one.score))
        cause.explains.append(effect.candidate)
        cause.score = max(cause.score, min(1.0, cause.candidate.confidence + 0.05) * max(effect.relevance, cause.relevance))
        cause.relevance = max(cause.relevance, effect.relevance)
        effect.explained = True
        effect.score *= _CONSEQUENCE


def _behind(one: Ranked, ranked: list[Ranked]) -> list[Ranked]:
    """Those that explain it, so that nothing goes round in circles."""
    return [other for other in ranked if one.candidate in other.explains]


def _explains(scene: Scene, cause: Candidate, effect: Candidate) -> bool:
    if cause.since is not None and effect.since is not None and cause.since > effect.since + _SLACK:
        return False
    if cause.category in _NODES and cause.confidence >= BLAMED:
        if effect.category in _NODES or effect.category in _OWN:
            return False
        pods = set(cause.suffers)
        mine = [key for key in effect.suffers if key.resource == "pods"]
        if mine and all(key in pods for key in mine) and (effect.generic or effect.category in {"ProbeFailure", "PDB"}):
            return True
        if effect.category == "Pending" and cause.culprit in effect.needs:
            return True
    if not effect.needs or cause.confidence < 0.38 or cause.generic and not cause.needs:
        return False
    if cause.category == "NetworkPolicy" and not {effect.culprit, scene.owner(effect.culprit)} & set(cause.suffers):
        return False
    wanted = set(effect.needs)
    reached = {cause.culprit, scene.owner(cause.culprit)}
    if cause.category in {"ServiceRouting", "ScaledToZero", "DNS", "NetworkPolicy"}:
        reached |= set(cause.suffers) - set(effect.suffers) - {effect.culprit}
    for key in effect.needs:
        if key.resource == "services":
            wanted |= _behind_service(scene, key)
    return bool(wanted & reached) and (cause.culprit, cause.category) != (effect.culprit, effect.category)


def _behind_service(scene: Scene, service: Key) -> set[Key]:
    from kubesteward_tools.diagnosis import routing

    if not scene.exists(service):
        return set()
    return {*routing.workloads_behind(scene, service), *map(scene.owner, routing.backends(scene, service)[:10])}


def _prefer_specific(scene: Scene, ranked: list[Ranked]) -> None:
    """What only tells that something happens gives way to what tells why, of the same workload."""
    for one in ranked:
        if not one.candidate.generic:
            continue
        owner = scene.owner(one.candidate.culprit)
        for other in ranked:
            touched = {scene.owner(other.candidate.culprit), *other.candidate.suffers}
            if not other.candidate.generic and other.candidate.confidence >= 0.6 and owner in touched:
                one.score *= _GENERIC
                break
