"""HorizontalPodAutoscalers that cannot work, or have come to their end."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import (
    at,
    condition,
    conditions,
    listed,
    mapping,
    mappings,
    message_of,
    named,
    regular,
    requests,
    text,
    wakes,
)
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_METRICS = ("metrics-server",)


def analyse(scene: Scene) -> Iterator[Candidate]:
    for key, scaler in scene.all("horizontalpodautoscalers.autoscaling"):
        found = _first(scene, key, scaler)
        if found is not None:
            yield found


def _first(scene: Scene, key: Key, scaler: Object) -> Candidate | None:
    spec = mapping(scaler.get("spec"))
    target = scene.key_of(mapping(spec.get("scaleTargetRef")), key.namespace)._replace(namespace=key.namespace)
    failing = [
        one
        for one in conditions(scaler)
        if one.get("type") in {"ScalingActive", "AbleToScale"} and one.get("status") == "False"
    ]
    message = " ".join(map(message_of, failing)) or next((one.message for one in scene.warned(key)), "")
    if scene.missing(target) or any(one.get("reason") == "FailedGetScale" for one in failing):
        sentence = (
            f"{named(key)} cannot scale: its scaleTargetRef {named(target)} does not exist (not found). {message}"
        )
        return Candidate(
            "HPA", key, sentence, 0.93, (message,) if message else (), fix="Correct scaleTargetRef.", suffers=(target,)
        )
    if any(one.get("reason") == "ScalingDisabled" for one in failing):
        return _disabled(key, scaler, target, message)
    works = condition(scaler, "ScalingActive").get("status") == "True"
    lacking = None if works else _without_requests(scene, spec, target)
    if lacking:
        what, names = lacking
        sentence = (
            f"{named(key)} cannot compute {what} utilization, so {named(target)} does not scale: its "
            f"{'containers' if len(names) > 1 else 'container'} {listed(map(repr, names))} lacks a resource "
            f"request for {what} "
            f"(missing resources.requests.{what}). {message}"
        )
        sure = 0.95 if failing else 0.62
        return Candidate(
            "HPA",
            target,
            sentence,
            sure,
            (message,) if message else (),
            fix=f"Set resources.requests.{what} in every container of {named(target)}.",
            suffers=(key,),
        )
    if failing:
        return _no_metrics(scene, key, target, failing[0], message)
    return _bounds(scene, key, scaler, target)


def _without_requests(scene: Scene, spec: Object, target: Key) -> tuple[str, list[str]] | None:
    """The resource that is scaled on, and the containers that do not request it."""
    wanted = ["cpu"] if "targetCPUUtilizationPercentage" in spec else []
    for metric in mappings(spec.get("metrics")):
        goal = mapping(metric.get("resource"))
        if metric.get("type") == "Resource" and at(goal, "target").get("type") == "Utilization":
            wanted.append(text(goal.get("name")))
    for what in wanted:
        names = [
            text(item.get("name"))
            for item in regular(scene.spec(target))
            if not requests(item, what) and not at(item, "resources", "limits").get(what)
        ]
        if names and not any(key for key in scene.store.keys("limitranges", target.namespace)):
            return what, names
    return None


def _disabled(key: Key, scaler: Object, target: Key, message: str) -> Candidate:
    """An autoscaler rests while somebody has scaled its target to zero."""
    sentence = f"{named(key)} is disabled because {named(target)} is scaled to zero (replicas: 0): {message}"
    sure = 0.3 if wakes(scaler) else 0.7
    fix = "Scale the workload to 1 or more."
    return Candidate("ScaledToZero", target, sentence, sure, (message,), fix=fix, suffers=(key,))


def _no_metrics(scene: Scene, key: Key, target: Key, failing: Object, message: str) -> Candidate:
    reason = text(failing.get("reason"))
    server = any(scene.exists(Key("deployments.apps", "kube-system", name)) for name in _METRICS)
    why = (
        ""
        if server or "resource metrics API" not in message
        else " metrics-server is not installed or not running (no metrics API)."
    )
    sentence = f"{named(key)} cannot get its metrics ({reason}), so {named(target)} does not scale: {message}.{why}"
    fix = (
        "Install or repair metrics-server (metrics.k8s.io)."
        if "resource metrics API" in message or "metrics.k8s.io" in message
        else "Provide the metric (adapter for custom or external metrics), or scale on another one."
    )
    return Candidate("HPA", key, sentence, 0.88, (message,), fix=fix, suffers=(target,))


def _bounds(scene: Scene, key: Key, scaler: Object, target: Key) -> Candidate | None:
    spec, status = mapping(scaler.get("spec")), mapping(scaler.get("status"))
    most, least, now = spec.get("maxReplicas"), spec.get("minReplicas", 1), status.get("currentReplicas")
    limited = condition(scaler, "ScalingLimited")
    if limited.get("status") == "True" and limited.get("reason") == "TooManyReplicas":
        sentence = (
            f"{named(key)} is at its maximum: maxReplicas {most} ({now} replicas run) and its metric asks for "
            f"more, so {named(target)} cannot scale further."
        )
        return Candidate(
            "HPA",
            key,
            sentence,
            0.55,
            (message_of(limited),),
            fix="Raise maxReplicas, or the resources of a pod.",
            suffers=(target,),
        )
    if isinstance(most, int) and isinstance(least, int) and least >= most > 0:
        sentence = f"{named(key)} can never scale {named(target)}: minReplicas {least} equals maxReplicas {most}."
        return Candidate("HPA", key, sentence, 0.5, (), fix="Raise maxReplicas above minReplicas.", suffers=(target,))
    if at(spec, "behavior", "scaleUp").get("selectPolicy") == "Disabled":
        sentence = f"{named(key)} does not scale up: behavior.scaleUp.selectPolicy is Disabled."
        return Candidate("HPA", key, sentence, 0.5, (), fix="Remove that policy.", suffers=(target,))
    return None
