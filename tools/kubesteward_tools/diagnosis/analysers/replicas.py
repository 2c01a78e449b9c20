"""Workloads that run nothing because nobody lets them: no replicas, a roll-out on hold."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import at, kind_of, listed, mapping, message_of, named, wakes
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.proposals.proposal import Proposal
from kubesteward_tools.world.store import Key, Object

_EVENTS = 20


def analyse(scene: Scene) -> Iterator[Candidate]:
    for resource in ("deployments.apps", "statefulsets.apps"):
        for key, obj in scene.all(resource):
            spec = mapping(obj.get("spec"))
            if spec.get("replicas") == 0:
                yield _zero(scene, key, obj)
            elif spec.get("paused") is True:
                sentence = (
                    f"the roll-out of {named(key)} is paused (spec.paused: true), so its changes are not rolled out."
                )
                yield Candidate("ScaledToZero", key, sentence, 0.3, (), fix="kubectl rollout resume.")
    for key, obj in scene.all("daemonsets.apps"):
        if obj.get("status") and not mapping(obj["status"]).get("desiredNumberScheduled"):
            selector = mapping(scene.spec(key).get("nodeSelector"))
            sentence = (
                f"{named(key)} wants no pods at all: no node matches its nodeSelector {dict(selector)} (node "
                "selector, node label)."
            )
            yield Candidate(
                "Pending", key, sentence, 0.5 if selector else 0.3, (), fix="Correct nodeSelector, or label nodes."
            )


def _scaled_down(scene: Scene, key: Key) -> list[str]:
    """What an event tells of it, if any does."""
    about = (one for one in scene.store.keys("events", key.namespace) if one.name.startswith(f"{key.name}."))
    told = (message_of(scene.get(one)) for one in islice(about, _EVENTS))
    return [one for one in told if "Scaled down" in one and one.endswith("to 0")][:1]


def _zero(scene: Scene, key: Key, obj: Object) -> Candidate:
    labels = scene.labels(key)
    services = scene.store.selecting("services", key.namespace, labels) if labels else ()
    callers = [
        scene.owner(edge.source)
        for service in services
        for edge in scene.graph.edges(service, {"calls", "routes"})
        if edge.source != service
    ]
    heard = any(
        sign.peer.partition(".")[0] in {one.name for one in services}
        for said in scene.spoken.values()
        for _, _, sign in said
        if sign.peer
    )
    behind = (
        f" The Service {listed(one.name for one in services)} has no endpoints because of that." if services else ""
    )
    sentence = f"{named(key)} is scaled to zero (spec.replicas: 0, 0 replicas): so no pods run.{behind}"
    woken = any(
        wakes(scaler) and at(scaler, "spec", "scaleTargetRef").get("name") == key.name
        for _, scaler in scene.all("horizontalpodautoscalers.autoscaling", key.namespace)
    )
    sure = 0.9 if heard else 0.3 if woken else 0.55 if callers else 0.5 if services else 0.4
    suffers = (*services, *dict.fromkeys(callers))
    proposal = Proposal("scale", kind_of(key.resource), key.name, key.namespace, {"replicas": 1})
    return Candidate(
        "ScaledToZero",
        key,
        sentence,
        sure,
        (*_scaled_down(scene, key), "spec.replicas: 0"),
        fix="Scale it up: set replicas to 1 or more.",
        proposal=proposal,
        suffers=suffers,
    )
