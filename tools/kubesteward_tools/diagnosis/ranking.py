"""Follows candidates to the root: what is only the consequence of another one gives way to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from kubesteward_tools.diagnosis import routing
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
_NODES = frozenset({"NodeNotReady", "NodePressure", "NoisyNeighbour"})
_ROUTES = frozenset({"ServiceRouting", "ScaledToZero", "DNS", "NetworkPolicy"})
"""Whoever suffers from these is a way to them for others."""
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
    cause: Ranked | None = None


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
    """One for each category and object, the surest; what else is wrong with it in the same way is told beside it."""
    groups: dict[tuple[str, Key], list[Candidate]] = {}
    for one in candidates:
        if one.confidence > 0:
            groups.setdefault((one.category, one.culprit), []).append(one)
    return [_joined(sorted(group, key=lambda one: -one.confidence)) for group in groups.values()]


def _joined(group: list[Candidate]) -> Candidate:
    best, *others = group
    suffers = dict.fromkeys(key for one in group for key in one.suffers)
    more = next((one for one in others if one.confidence >= _COMPLAINED and one.sentence != best.sentence), None)
    sentence = f"{best.sentence} Also: {more.sentence}" if more else best.sentence
    return replace(best, sentence=sentence, suffers=tuple(suffers))


def _scored(scene: Scene, one: Candidate, focus: Focus) -> Ranked:
    relevance = focus.relevance(one)
    topic = _TOPIC if scene.question.speaks_of(one.category) else 0.0
    first = scene.question.topics[:1] == (one.category,)
    bonus = topic + (0.04 if first else 0.0)
    named = 0.08 if one.culprit in scene.question.named else 0.0
    return Ranked(one, (one.confidence + bonus + named) * relevance, relevance)


def _follow(scene: Scene, ranked: list[Ranked]) -> None:
    """Mark consequences, the weakest first; a cause is as relevant as what it explains."""
    index = _Causes(scene, ranked)
    for effect in sorted(ranked, key=lambda one: one.score):
        causes = [one for one in index.of(effect) if one is not effect and not _is_behind(effect, one, ranked)]
        if not causes:
            continue
        cause = max(causes, key=lambda one: (one.candidate.confidence, one.score))
        cause.explains.append(effect.candidate)
        sure = min(1.0, cause.candidate.confidence + 0.05)
        cause.score = max(cause.score, sure * max(effect.relevance, cause.relevance))
        cause.relevance = max(cause.relevance, effect.relevance)
        effect.explained = True
        effect.cause = cause
        effect.score *= _CONSEQUENCE


def _is_behind(effect: Ranked, cause: Ranked, ranked: list[Ranked]) -> bool:
    """Whether the effect already explains the cause, so that the two would go round in circles."""
    at: Ranked | None = cause
    for _ in range(len(ranked)):
        at = at.cause if at is not None else None
        if at is None or at is effect:
            break
    return at is effect


class _Causes:
    """What may explain what, found by the objects that a cause reaches."""

    def __init__(self, scene: Scene, ranked: Sequence[Ranked]) -> None:
        self._scene = scene
        self._nodes = [one for one in ranked if one.candidate.category in _NODES and one.candidate.confidence >= BLAMED]
        self._pods = {id(one): set(one.candidate.suffers) for one in self._nodes}
        self._by_key: dict[Key, list[Ranked]] = {}
        for one in ranked:
            cause = one.candidate
            if cause.confidence < _COMPLAINED or (cause.generic and not cause.needs):
                continue
            reached = {cause.culprit, scene.owner(cause.culprit)}
            reached |= set(cause.suffers) if cause.category in _ROUTES else set()
            for key in reached:
                self._by_key.setdefault(key, []).append(one)

    def of(self, effect: Ranked) -> list[Ranked]:
        found = [one for one in self._nodes if self._takes_down(one, effect.candidate)]
        for key in self._wanted(effect.candidate):
            found += [one for one in self._by_key.get(key, ()) if self._explains(one.candidate, effect.candidate, key)]
        return [one for one in found if _is_earlier(one.candidate, effect.candidate)]

    def _takes_down(self, node: Ranked, effect: Candidate) -> bool:
        """A node and what runs on it, or waits for it."""
        if effect.category in _NODES or effect.category in _OWN:
            return False
        mine = [key for key in effect.suffers if key.resource == "pods"]
        there = bool(mine) and all(key in self._pods[id(node)] for key in mine)
        if there and (effect.generic or effect.category in {"ProbeFailure", "PDB"}):
            return True
        return effect.category == "Pending" and node.candidate.culprit in effect.needs

    def _wanted(self, effect: Candidate) -> set[Key]:
        wanted = set(effect.needs)
        for key in effect.needs:
            if key.resource == "services" and self._scene.exists(key):
                wanted |= set(routing.workloads_behind(self._scene, key))
                wanted |= set(map(self._scene.owner, routing.backends(self._scene, key)[:10]))
        return wanted

    def _explains(self, cause: Candidate, effect: Candidate, key: Key) -> bool:
        scene = self._scene
        if (cause.culprit, cause.category) == (effect.culprit, effect.category):
            return False
        if cause.category == "NetworkPolicy" and not {effect.culprit, scene.owner(effect.culprit)} & set(cause.suffers):
            return False
        own = key in {cause.culprit, scene.owner(cause.culprit)}
        return own or key not in {*effect.suffers, effect.culprit}


def _is_earlier(cause: Candidate, effect: Candidate) -> bool:
    """A cause comes before what it causes, as far as both times are known."""
    return cause.since is None or effect.since is None or cause.since <= effect.since + _SLACK


def _prefer_specific(scene: Scene, ranked: list[Ranked]) -> None:
    """What only tells that something happens gives way to what tells why, of the same workload."""
    told = set[Key]()
    for one in ranked:
        if not one.candidate.generic and one.candidate.confidence >= BLAMED:
            told |= {scene.owner(one.candidate.culprit), *one.candidate.suffers}
    for one in ranked:
        if one.candidate.generic and scene.owner(one.candidate.culprit) in told:
            one.score *= _GENERIC
            # Why the new pods fail is told then, and that they came with a roll-out beside it.
            one.explained = one.explained or one.candidate.category == "BadRollout"
