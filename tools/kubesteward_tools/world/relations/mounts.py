"""Pods mount ConfigMaps, Secrets and claims, and take image pull Secrets with them.

API docs: v1.Volume, v1.ProjectedVolumeSource, v1.EphemeralVolumeSource (the claim is called pod-volume),
v1.PodSpec.imagePullSecrets, v1.ServiceAccount.imagePullSecrets.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from sys import intern
from typing import Any

from kubesteward_tools.world.relations.edge import Depends, Edge, Kinds, edge, point
from kubesteward_tools.world.relations.reading import mapping, mappings, text
from kubesteward_tools.world.relations.templates import POD_LIKE, pod_spec
from kubesteward_tools.world.store import Key, Object

RELATION = "mounts"
RESOURCES = (*POD_LIKE, "serviceaccounts")
DEPENDS: Depends = "source"

_TOKEN_VOLUME = "kube-api-access-"  # noqa: S105 - the prefix of a volume's name

_Read = Callable[[Key, str, Object], Iterable[Edge]]


def derive(key: Key, obj: Object, kinds: Kinds) -> Iterable[Edge]:
    """Pod, template or ServiceAccount → what it mounts; the volume's name is the detail."""
    del kinds
    spec = obj if key.resource == "serviceaccounts" else pod_spec(key, obj)
    edges: list[Edge] = []
    for volume in mappings(spec.get("volumes")):
        for field in volume:
            if field in _SOURCES:
                edges += _SOURCES[field](key, _detail(volume), mapping(volume[field]))
    if "imagePullSecrets" in spec:
        for reference in mappings(spec["imagePullSecrets"]):
            edges += _edge(key, "secrets", reference.get("name"), "image pull secret")
    return edges


def _detail(volume: Object) -> str:
    """The random end of a token's volume goes: it would make as many strings as there are pods."""
    name = text(volume.get("name"))
    return "volume kube-api-access" if name.startswith(_TOKEN_VOLUME) else intern(f"volume {name}")


def _edge(key: Key, resource: str, name: Any, detail: str, optional: Any = None) -> Iterable[Edge]:
    if name and isinstance(name, str):
        return (edge((RELATION, key, point(resource, key.namespace, name), detail, optional is True, 1.0)),)
    return ()


def _config_map(key: Key, detail: str, source: Object) -> Iterable[Edge]:
    return _edge(key, "configmaps", source.get("name"), detail, source.get("optional"))


def _secret(key: Key, detail: str, source: Object) -> Iterable[Edge]:
    return _edge(key, "secrets", source.get("secretName"), detail, source.get("optional"))


def _claim(key: Key, detail: str, source: Object) -> Iterable[Edge]:
    return _edge(key, "persistentvolumeclaims", source.get("claimName"), detail)


def _projected(key: Key, detail: str, source: Object) -> Iterable[Edge]:
    edges: list[Edge] = []
    for part in mappings(source.get("sources")):
        for field, resource in _PROJECTED:
            if field in part:
                reference = mapping(part[field])
                edges += _edge(key, resource, reference.get("name"), detail, reference.get("optional"))
        if "clusterTrustBundle" in part:
            edges += _trust(key, detail, mapping(part["clusterTrustBundle"]))
    return edges


def _trust(key: Key, detail: str, source: Object) -> Iterable[Edge]:
    if name := text(source.get("name")):
        target = point("clustertrustbundles.certificates.k8s.io", "", name)
        return (Edge(RELATION, key, target, detail, source.get("optional") is True),)
    return ()


def _ephemeral(key: Key, detail: str, source: Object) -> Iterable[Edge]:
    """Only of a pod: a template does not know its pods' names."""
    if key.resource == "pods" and source:
        name = f"{key.name}-{detail.removeprefix('volume ')}"
        return _edge(key, "persistentvolumeclaims", name, detail)
    return ()


def _credentials(field: str) -> _Read:
    """A driver's Secret, by reference."""

    def read(key: Key, detail: str, source: Object) -> Iterable[Edge]:
        return _edge(key, "secrets", mapping(source.get(field)).get("name"), detail)

    return read


_PROJECTED = (("configMap", "configmaps"), ("secret", "secrets"))
_SOURCES: dict[str, _Read] = {
    "configMap": _config_map,
    "secret": _secret,
    "persistentVolumeClaim": _claim,
    "projected": _projected,
    "ephemeral": _ephemeral,
    "azureFile": _secret,
    "csi": _credentials("nodePublishSecretRef"),
    **dict.fromkeys(("cephfs", "flexVolume", "iscsi", "rbd", "scaleIO", "storageos"), _credentials("secretRef")),
}
