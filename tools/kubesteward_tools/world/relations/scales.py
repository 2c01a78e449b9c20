"""Autoscalers set the size of a workload, or the requests of its pods.

API docs: autoscaling/v2 HorizontalPodAutoscalerSpec.scaleTargetRef, autoscaling.k8s.io/v1 VerticalPodAutoscaler
targetRef, keda.sh/v1alpha1 ScaledObject (target: apps/v1 Deployment by default) and ScaledJob (it brings its own
template; the Jobs it makes carry its ownerReference), both with authenticationRef in their triggers.
A workload changes with its autoscaler; an autoscaler breaks with what it logs in by.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.relations.references import group_of, resource_of
from kubesteward_tools.world.store import Key, Object

RELATION = "scales"
_TARGETS = {
    "horizontalpodautoscalers.autoscaling": "scaleTargetRef",
    "verticalpodautoscalers.autoscaling.k8s.io": "targetRef",
    "scaledobjects.keda.sh": "scaleTargetRef",
}
RESOURCES = (*_TARGETS, "scaledjobs.keda.sh")
_AUTHENTICATION = {
    "TriggerAuthentication": "triggerauthentications.keda.sh",
    "ClusterTriggerAuthentication": "clustertriggerauthentications.keda.sh",
}
DEPENDS: Depends = "target"
DEPENDS_BY_KIND: dict[tuple[str, str], Depends] = {("*", resource): "source" for resource in _AUTHENTICATION.values()}


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Autoscaler → workload, and KEDA's → its authentications."""
    spec = mapping(obj.get("spec"))
    target = mapping(spec.get(_TARGETS.get(key.resource, "")))
    resource, name = _resource(key, target, kinds), text(target.get("name"))
    if resource and name:
        yield Edge(RELATION, key, Key(resource, key.namespace, name), _bounds(spec))
    if key.resource.endswith(".keda.sh"):
        yield from _authentications(key, spec)


def _resource(key: Key, target: Object, kinds: Kinds) -> str:
    kind, version = text(target.get("kind")), text(target.get("apiVersion"))
    if key.resource == "scaledobjects.keda.sh":
        kind, version = kind or "Deployment", version or "apps/v1"
    return resource_of(group_of(version), kind, kinds) if kind else ""


def _bounds(spec: Object) -> str:
    """The range of sizes, as an HPA or a ScaledObject writes it."""
    least = spec.get("minReplicas", spec.get("minReplicaCount"))
    most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
    known = [f"{word} {value}" for word, value in (("min", least), ("max", most)) if isinstance(value, int)]
    return intern(", ".join(known))


def _authentications(key: Key, spec: Object) -> Iterator[Edge]:
    for trigger in mappings(spec.get("triggers")):
        reference = mapping(trigger.get("authenticationRef"))
        resource = _AUTHENTICATION.get(text(reference.get("kind")) or "TriggerAuthentication")
        if resource and (name := text(reference.get("name"))):
            namespace = "" if resource.startswith("cluster") else key.namespace
            detail = intern(f"authentication of trigger {text(trigger.get('type'))}")
            yield Edge(RELATION, key, Key(resource, namespace, name), detail)
