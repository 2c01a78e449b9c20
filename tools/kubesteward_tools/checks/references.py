"""The configuration, claims and accounts that a pod's spec names. API doc: core/v1 PodSpec."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

DEFAULT = "default"
Named = tuple[str, str]
"""A kind and a name in the pod's own namespace."""
_VOLUMES = (
    ("configMap", "name", "ConfigMap"),
    ("secret", "secretName", "Secret"),
    ("persistentVolumeClaim", "claimName", "PersistentVolumeClaim"),
)
_ENVIRONMENT = (("configMapKeyRef", "ConfigMap"), ("secretKeyRef", "Secret"))
_WHOLE = (("configMapRef", "ConfigMap"), ("secretRef", "Secret"))


def named_by(spec: Mapping[str, Any], *, optional: bool = False) -> tuple[Named, ...]:
    """Each once, in the order of the spec. `optional` takes those in that may be missing, and the default account."""
    found = [(kind, name) for kind, name, may_miss in _all(spec) if name and (optional or not may_miss)]
    return tuple(dict.fromkeys(found))


def _all(spec: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for volume in _mappings(spec.get("volumes")):
        projected = volume.get("projected")
        sources = projected.get("sources") if isinstance(projected, Mapping) else ()
        for source in (volume, *_mappings(sources)):
            yield from _of_source(source)
    for key in ("initContainers", "containers", "ephemeralContainers"):
        for container in _mappings(spec.get(key)):
            yield from _of_container(container)
    for item in _mappings(spec.get("imagePullSecrets")):
        yield "Secret", str(item.get("name", "")), True
    account = str(spec.get("serviceAccountName") or spec.get("serviceAccount") or DEFAULT)
    yield "ServiceAccount", account, account == DEFAULT  # which a controller makes


def _of_source(source: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for key, field, kind in _VOLUMES:
        if isinstance(held := source.get(key), Mapping):
            yield kind, str(held.get(field) or held.get("name") or ""), held.get("optional") is True


def _of_container(container: Mapping[str, Any]) -> Iterator[tuple[str, str, bool]]:
    for variable in _mappings(container.get("env")):
        yield from _refs(variable.get("valueFrom"), _ENVIRONMENT)
    for source in _mappings(container.get("envFrom")):
        yield from _refs(source, _WHOLE)


def _refs(holder: Any, keys: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str, bool]]:
    for key, kind in keys:
        if isinstance(holder, Mapping) and isinstance(ref := holder.get(key), Mapping):
            yield kind, str(ref.get("name", "")), ref.get("optional") is True


def _mappings(value: Any) -> list[Mapping[str, Any]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list | tuple) else []
