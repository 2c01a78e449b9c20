"""Somebody else owns what is changed, and will change it back."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.twin import disruption
from kubesteward_tools.twin.findings.evidence import Evidence, name
from kubesteward_tools.twin.rehearsal import Concern
from kubesteward_tools.twin.resources import by_kind
from kubesteward_tools.world.store import Key, Object, Store

_GITOPS = {
    "argocd.argoproj.io/instance": "Argo CD",
    "argocd.argoproj.io/tracking-id": "Argo CD",
    "kustomize.toolkit.fluxcd.io/name": "Flux",
    "helm.toolkit.fluxcd.io/name": "Flux",
}


def reverted(evidence: Evidence) -> Iterator[Concern]:
    for key in dict.fromkeys(evidence.targets):
        obj = evidence.origin.get(key)
        for owner in _managers(evidence.origin, key, obj) if obj else ():
            yield Concern(
                rule="change.reverted",
                severity="warn",
                object=name(key),
                message=f"{owner} manages {name(key)} and may undo the change",
                remedy="Make the change where it is managed.",
            )


def _managers(store: Store, key: Key, obj: Object) -> Iterator[str]:
    owner = disruption.controller_of(obj)
    if owner is not None and key.resource != "pods":
        yield f"{owner['kind']} {owner['name']}"
    notes = {**(obj["metadata"].get("labels") or {}), **(obj["metadata"].get("annotations") or {})}
    if notes.get("app.kubernetes.io/managed-by") == "Helm":
        yield "Helm"
    yield from sorted({who for label, who in _GITOPS.items() if label in notes})
    for scaler, facts in store.known("horizontalpodautoscalers.autoscaling", key.namespace):
        named = isinstance(facts.gist, tuple) and facts.gist[1] == key.name
        if named and _scales(store.get(scaler), key):
            yield f"HorizontalPodAutoscaler {scaler.name}"


def _scales(scaler: Object | None, key: Key) -> bool:
    reference = (scaler or {"spec": {}})["spec"].get("scaleTargetRef") or {}
    kind = by_kind(reference.get("apiVersion", "").rpartition("/")[0], reference.get("kind", ""))
    return kind is not None and (kind.resource, reference.get("name")) == (key.resource, key.name)
