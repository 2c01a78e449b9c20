"""Claims and volumes bind to each other, and both name the StorageClass that they come from.

API docs: v1.PersistentVolumeClaimSpec (an absent storageClassName means the default one, "" none),
v1.PersistentVolumeSpec.claimRef, storage.k8s.io/v1 VolumeAttachmentSource, apps/v1 StatefulSet volumeClaimTemplates.
A claim breaks with its volume or class; a volume goes on without either.
"""

from __future__ import annotations

from collections.abc import Iterator
from sys import intern

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import at, mapping, mappings, text
from kubesteward_tools.world.relations.references import resource_of
from kubesteward_tools.world.store import Key, Object

RELATION = "binds"
RESOURCES = (
    "persistentvolumeclaims",
    "persistentvolumes",
    "statefulsets.apps",
    "volumeattachments.storage.k8s.io",
)
DEPENDS: Depends = "source"
DEPENDS_BY_KIND: dict[tuple[str, str], Depends] = {("persistentvolumes", "*"): "neither"}


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Claim → volume, class and data source; volume → claim and class; StatefulSet → classes; attachment → volume."""
    spec = mapping(obj.get("spec"))
    if key.resource == "statefulsets.apps":
        yield from _templates(key, spec)
    elif key.resource == "persistentvolumeclaims":
        yield from _class(key, spec)
        yield from _volume(key, spec.get("volumeName"))
        yield from _data_source(key, spec, kinds)
    elif key.resource == "persistentvolumes":
        yield from _class(key, spec)
        yield from _claim(key, mapping(spec.get("claimRef")))
    else:
        yield from _volume(key, at(spec, "source").get("persistentVolumeName"))


def _class(key: Key, spec: Object, detail: str = "storage class") -> Iterator[Edge]:
    if name := text(spec.get("storageClassName")):
        yield Edge(RELATION, key, Key("storageclasses.storage.k8s.io", "", name), detail)


def _volume(key: Key, name: object) -> Iterator[Edge]:
    if name and isinstance(name, str):
        yield Edge(RELATION, key, Key("persistentvolumes", "", name), "volume")


def _claim(key: Key, claim: Object) -> Iterator[Edge]:
    namespace, name = text(claim.get("namespace")), text(claim.get("name"))
    if namespace and name:
        yield Edge(RELATION, key, Key("persistentvolumeclaims", namespace, name), "claim")


def _data_source(key: Key, spec: Object, kinds: Kinds) -> Iterator[Edge]:
    source = mapping(spec.get("dataSourceRef")) or mapping(spec.get("dataSource"))
    kind, name = text(source.get("kind")), text(source.get("name"))
    if kind and name:
        resource = resource_of(text(source.get("apiGroup")), kind, kinds)
        yield Edge(RELATION, key, Key(resource, text(source.get("namespace")) or key.namespace, name), "data source")


def _templates(key: Key, spec: Object) -> Iterator[Edge]:
    for claim in mappings(spec.get("volumeClaimTemplates")):
        detail = intern(f"volume claim template {text(at(claim, 'metadata').get('name'))}")
        yield from _class(key, mapping(claim.get("spec")), detail)
