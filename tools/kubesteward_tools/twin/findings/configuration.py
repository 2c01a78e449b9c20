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


def _users(evidence: Evidence, key: Key) -> list[Object]:
    """Running pods that refer to it, could start before, and could not any more."""
    pods = evidence.best.store.objects("pods", key.namespace)
    referring = (pod for pod in pods if any(_is(item, key) for item in references(pod["spec"])))
    return [
        pod
        for pod in referring
        if (found := missing(evidence.best.store, pod)) and _is(found[0], key) and not missing(evidence.origin, pod)
    ]


def _is(reference: Reference, key: Key) -> bool:
    return (reference.resource, reference.name) == (key.resource, key.name)
