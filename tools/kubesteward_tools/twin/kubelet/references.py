"""What a pod needs before its containers can start: ConfigMaps, Secrets, and images whose names can be read."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from kubesteward_tools.world.store import Key, Object, Store

NO_NAME = "invalid reference format"
_PART = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?)*(?::[0-9]+)?/)?"
_IMAGE = re.compile(
    rf"{_HOST}{_PART}(?:/{_PART})*(?::\w[\w.-]{{0,127}})?(?:@[A-Za-z][\w+.-]*:[0-9a-fA-F]{{32,}})?", re.ASCII
)
"""As the distribution project's grammar of references has it."""


class Reference(NamedTuple):
    """`key` is "" when the whole object is meant; `mounted` when a volume needs it, else a container's environment."""

    resource: str
    name: str
    key: str
    mounted: str
    container: str


def references(spec: dict[str, Any]) -> Iterator[Reference]:
    """The references that are not optional."""
    for volume in spec.get("volumes") or ():
        yield from _of_volume(volume)
    for container in [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]:
        yield from _of_container(container)


def _of_volume(volume: dict[str, Any]) -> Iterator[Reference]:
    sources = [volume, *((volume.get("projected") or {}).get("sources") or ())]
    for source in sources:
        for field, resource in (("configMap", "configmaps"), ("secret", "secrets")):
            found = source.get(field)
            if found and not found.get("optional"):
                name = found.get("name") or found.get("secretName", "")
                keys = [item["key"] for item in found.get("items") or ()] or [""]
                for key in keys:
                    yield Reference(resource, name, key, volume["name"], "")


def _of_container(container: dict[str, Any]) -> Iterator[Reference]:
    for source in container.get("envFrom") or ():
        for field, resource in (("configMapRef", "configmaps"), ("secretRef", "secrets")):
            if (found := source.get(field)) and not found.get("optional"):
                yield Reference(resource, found["name"], "", "", container["name"])
    for variable in container.get("env") or ():
        for field, resource in (("configMapKeyRef", "configmaps"), ("secretKeyRef", "secrets")):
            if (found := (variable.get("valueFrom") or {}).get(field)) and not found.get("optional"):
                yield Reference(resource, found["name"], found["key"], "", container["name"])


def missing(store: Store, pod: Object) -> tuple[Reference, str] | None:
    """The first reference that leads nowhere, and the kubelet's words for it."""
    namespace = pod["metadata"]["namespace"]
    for reference in references(pod["spec"]):
        obj = store.get(Key(reference.resource, namespace, reference.name))
        kind = reference.resource.removesuffix("s")
        if obj is None:
            if reference.name == "kube-root-ca.crt":
                continue
            return reference, f'{kind} "{reference.name}" not found'
        if reference.key and not _has(obj, reference.key):
            kind_name = "ConfigMap" if reference.resource == "configmaps" else "Secret"
            if reference.mounted:
                return (
                    reference,
                    f"references non-existent {'config' if kind == 'configmap' else 'secret'} key: {reference.key}",
                )
            return reference, f"couldn't find key {reference.key} in {kind_name} {namespace}/{reference.name}"
    return None


def _has(obj: Object, key: str) -> bool:
    """A Secret that was reduced to its key names counts by them."""
    return any(key in (obj.get(field) or {}) for field in ("data", "binaryData", "stringData"))


def unreadable_image(pod: Object) -> str | None:
    """The first image of a pod whose name cannot be read as one."""
    containers = [*(pod["spec"].get("initContainers") or ()), *pod["spec"]["containers"]]
    return next((item["image"] for item in containers if not _IMAGE.fullmatch(item.get("image", "").strip())), None)
