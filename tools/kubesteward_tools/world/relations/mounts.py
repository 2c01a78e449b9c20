"""Pods mount ConfigMaps, Secrets and claims, and take image pull Secrets with them.

API docs: v1.Volume, v1.ProjectedVolumeSource, v1.EphemeralVolumeSource (the claim is called pod-volume),
v1.PodSpec.imagePullSecrets, v1.ServiceAccount.imagePullSecrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from sys import intern
from typing import Any

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.relations.templates import POD_LIKE, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "mounts"
RESOURCES = (*POD_LIKE, "serviceaccounts")
DEPENDS: Depends = "source"

_TOKEN_VOLUME = "kube-api-access-"  # noqa: S105 - the prefix of a volume's name

_Volume = Callable[[Key, str, Object], Iterator[Edge]]


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterator[Edge]:
    """Pod, template or ServiceAccount → what it mounts; the volume's name is the detail."""
    del kinds
    spec = obj if key.resource == "serviceaccounts" else pod_spec(key, obj)
    for volume in mappings(spec.get("volumes")):
        for field in volume:
            if (read := _SOURCES.get(field)) is not None:
                yield from read(key, _detail(volume), mapping(volume[field]))
    if spec.get("imagePullSecrets"):
        for reference in mappings(spec["imagePullSecrets"]):
            yield from _edge(key, "secrets", reference.get("name"), "image pull secret")


def _detail(volume: Object) -> str:
    """The random end of a token's volume goes: it would make as many strings as there are pods."""
    name = text(volume.get("name"))
    return intern(f"volume {name}") if not name.startswith(_TOKEN_VOLUME) else "volume kube-api-access"


def _edge(key: Key, resource: str, name: Any, detail: str, optional: Any = None) -> Iterator[Edge]:
    if name and isinstance(name, str):
        yield Edge(RELATION, key, Key(resource, key.namespace, name), detail, optional is True)


def _config_map(key: Key, detail: str, source: Object) -> Iterator[Edge]:
    return _edge(key, "configmaps", source.get("name"), detail, source.get("optional"))


def _secret(key: Key, detail: str, source: Object) -> Iterator[Edge]:
    return _edge(key, "secrets", source.get("secretName"), detail, source.get("optional"))


def _claim(key: Key, detail: str, source: Object) -> Iterator[Edge]:
    return _edge(key, "persistentvolumeclaims", source.get("claimName"), detail)


def _projected(key: Key, detail: str, source: Object) -> Iterator[Edge]:
    for part in mappings(source.get("sources")):
        if (config := part.get("configMap")) is not None:
            yield from _config_map(key, detail, mapping(config))
        if secret := mapping(part.get("secret")):
            yield from _edge(key, "secrets", secret.get("name"), detail, secret.get("optional"))
        if (bundle := mapping(part.get("clusterTrustBundle"))) and (name := text(bundle.get("name"))):
            target = Key("clustertrustbundles.certificates.k8s.io", "", name)
            yield Edge(RELATION, key, target, detail, bundle.get("optional") is True)


def _ephemeral(key: Key, detail: str, source: Object) -> Iterator[Edge]:
    """Only of a pod: a template does not know its pods' names."""
    if key.resource == "pods" and source:
        name = f"{key.name}-{detail.removeprefix('volume ')}"
        yield from _edge(key, "persistentvolumeclaims", name, detail)


def _credentials(field: str) -> _Volume:
    """A driver's Secret, by reference."""

    def read(key: Key, detail: str, source: Object) -> Iterator[Edge]:
        return _edge(key, "secrets", mapping(source.get(field)).get("name"), detail)

    return read


_SOURCES: dict[str, _Volume] = {
    "configMap": _config_map,
    "secret": _secret,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "ephemeral": _ephemeral,
    "azureFile": _secret,
    "csi": _credentials("nodePublishSecretRef"),
    **dict.fromkeys(("cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"), _credentials("secretRef")),
}
