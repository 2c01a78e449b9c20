"""Configuration that running pods do not miss until they start again."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.kubelet.references import Reference, missing, references
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.world.store import Key, Object


def latent(evidence: Evidence) -> Iterator[Concern]:
    """Objects that go, and keys that go from them."""
    for resource in ("configmaps", "secrets"):
        for key, before, _ in evidence.touched(evidence.best, resource):
            users = _users(evidence, key) if before is not None else []
            if users:
                yield Concern(
                    rule="config.latent",
                    severity="warn",
                    object=name(key),
                    message=f"{len(users)} pods need {name(key)} as it is now and could not start again",
                    remedy="Change the workloads first, then this.",
                )


def changed(evidence: Evidence) -> Iterator[Concern]:
    """Mounted files change under running pods, environments at their next start; what follows nobody knows."""
    for resource in ("configmaps", "secrets"):
        for key, before, after in evidence.touched(evidence.best, resource):
            if before is None or after is None or _values(before) == _values(after) or _users(evidence, key):
                continue
            if count := sum(1 for _ in _referring(evidence, key)):
                yield Concern(
                    rule="config.changed",
                    severity="warn",
                    object=name(key),
                    message=f"{count} pods use {name(key)}; what they make of its new content is not rehearsed",
                    remedy="Restart the workloads that use it one at a time, and watch them.",
                )


def _values(obj: Object) -> list[object]:
    return [obj.get(field) or {} for field in ("data", "binaryData", "stringData")]


def _users(evidence: Evidence, key: Key) -> list[Object]:
    """Running pods that refer to it, could start before, and could not any more."""
    return [
        pod
        for pod in _referring(evidence, key)
        if (found := missing(evidence.best.store, pod)) and _is(found[0], key) and not missing(evidence.origin, pod)
    ]


def _referring(evidence: Evidence, key: Key) -> Iterator[Object]:
    pods = evidence.best.store.objects("pods", key.namespace)
    return (pod for pod in pods if any(_is(item, key) for item in references(pod["spec"])))


def _is(reference: Reference, key: Key) -> bool:
    return (reference.resource, reference.name) == (key.resource, key.name)
