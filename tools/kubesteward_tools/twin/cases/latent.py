"""ConfigMaps, Secrets and claims that pods will want at their next start and that are not there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.cases.snapshot import Snapshot
from kubesteward_tools.twin.cases.workloads import KINDS
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.twin.kubelet.references import references
from kubesteward_tools.world.store import Object

_KINDS = {"configmaps": "ConfigMap", "secrets": "Secret"}


def latent(snapshot: Snapshot) -> set[str]:
    """One sentence for each thing that is missing and each workload or unmanaged pod that needs it."""
    have = {(obj["metadata"].get("namespace"), obj["kind"], obj["metadata"]["name"]) for obj in snapshot.objects}
    return {
        f"{kind}/{name} needed by {obj['kind']}/{obj['metadata']['name']}"
        for obj in snapshot.of("Pod", *KINDS)
        if controller_of(obj) is None
        for kind, name in _needs(_pod_spec(obj))
        if (obj["metadata"].get("namespace"), kind, name) not in have
    }


def _pod_spec(obj: Object) -> dict[str, Any]:
    found = obj if obj["kind"] == "Pod" else obj["spec"].get("template") or {}
    return found.get("spec") or {}


def _needs(spec: dict[str, Any]) -> Iterator[tuple[str, str]]:
    plain = [{key: value for key, value in item.items() if key != "projected"} for item in spec.get("volumes") or ()]
    for reference in references({**spec, "volumes": plain}):
        yield _KINDS[reference.resource], reference.name
    for volume in plain:
        if claim := volume.get("persistentVolumeClaim"):
            yield "PersistentVolumeClaim", claim["claimName"]
