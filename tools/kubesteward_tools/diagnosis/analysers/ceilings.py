"""Autoscalers that are at their maximum while what they measure asks for more."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import amount, at, mapping, mappings, named, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key, Object

_ABOVE = 1.1
"""The controller itself lets a tenth pass (--horizontal-pod-autoscaler-tolerance)."""


def analyse(scene: Scene) -> Iterator[Candidate]:
    sick = {key for key, _, _ in scene.sick_pods}
    for key, scaler in scene.all("horizontalpodautoscalers.autoscaling"):
        spec, status = mapping(scaler.get("spec")), mapping(scaler.get("status"))
        most, now = spec.get("maxReplicas"), status.get("currentReplicas")
        above = list(_above(spec, status))
        if isinstance(most, int) and isinstance(now, int) and now >= most > 0 and above:
            target = scene.key_of(mapping(spec.get("scaleTargetRef")), key.namespace)._replace(namespace=key.namespace)
            yield _full(key, target, most, above, sure=0.75 if target in sick else 0.58)


def _above(spec: Object, status: Object) -> Iterator[str]:
    """Metrics that are above what is aimed at, in words. API doc: autoscaling/v2 MetricSpec and MetricStatus."""
    current = {_name(one): one for one in mappings(status.get("currentMetrics"))}
    for metric in mappings(spec.get("metrics")):
        aim, found = _part(metric, "target"), _part(current.get(_name(metric), {}), "current")
        for field, unit in (("averageUtilization", " %"), ("averageValue", ""), ("value", "")):
            if field in aim and field in found and amount(found[field]) > _ABOVE * amount(aim[field]) > 0:
                yield f"{_name(metric)[1] or _name(metric)[0]} {found[field]}{unit}, target {aim[field]}{unit}"


def _name(metric: Object) -> tuple[str, str]:
    body = mapping(metric.get(text(metric.get("type"))[:1].lower() + text(metric.get("type"))[1:]))
    return text(metric.get("type")), text(body.get("name")) or text(at(body, "metric").get("name"))


def _part(metric: Object, field: str) -> Object:
    body = mapping(metric.get(text(metric.get("type"))[:1].lower() + text(metric.get("type"))[1:]))
    return mapping(body.get(field))


def _full(key: Key, target: Key, most: int, above: list[str], *, sure: float) -> Candidate:
    sentence = (
        f"{named(key)} is at its maximum: all maxReplicas {most} replicas run and {'; '.join(above)}, so "
        f"{named(target)} gets more load than it can scale for."
    )
    raised = most + max(1, most // 2)
    patch = {"patch": {"spec": {"maxReplicas": raised}}, "patch_type": "merge"}
    return Candidate(
        "HPA",
        key,
        sentence,
        sure,
        tuple(above),
        () if sure > 0.6 else (f"the pods of {named(target)} are well",),
        fix=f"Raise maxReplicas to {raised}, or the resources of a pod.",
        proposal=Proposal("patch", "HorizontalPodAutoscaler", key.name, key.namespace, patch),
        suffers=(target,),
    )
