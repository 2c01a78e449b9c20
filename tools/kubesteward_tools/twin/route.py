"""From a path of the Kubernetes API to what it names, and the request and response that travel through the twin."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubesteward_tools.twin.custom.kinds import ServedKinds
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.status import ApiError
from kubesteward_tools.world.kinds import ResourceType


@dataclass(frozen=True, slots=True)
class Request:
    """`verb` is Kubernetes' own (get, list, watch, create, update, patch, delete, deletecollection)."""

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    body: Any = None
    user: User = ADMIN


@dataclass(frozen=True, slots=True)
class Response:
    """`body` is the object, list or Status; `warnings` become Warning headers."""

    status: int
    body: dict[str, Any]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """What a path names; `namespace`, `name` and `subresource` are "" where it names none."""

    kind: ResourceType
    namespace: str = ""
    name: str = ""
    subresource: str = ""


def no_such_resource() -> ApiError:
    return ApiError(404, "NotFound", "the server could not find the requested resource")


_BUILT_IN = ServedKinds()


_INTO_CONTAINERS = {"attach", "exec", "portforward", "proxy"}


def parse(path: str, kinds: ServedKinds = _BUILT_IN) -> Route:
    """The route of `/api/v1/...` or `/apis/GROUP/VERSION/...`; without `kinds` none but built-in ones are known.

    Raises:
        ApiError: 404 when no such resource is served, 405 for what needs a running container.
    """
    parts = path.strip("/").split("/")
    if parts[0] == "api" and len(parts) > 2:
        group, version, rest = "", parts[1], parts[2:]
    elif parts[0] == "apis" and len(parts) > 3:
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        raise no_such_resource()
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and kinds.find(group, rest[2], version):
        namespace, rest = rest[1], rest[2:]
    kind = kinds.find(group, rest[0], version)
    if kind is None or (namespace and not kind.namespaced):
        raise no_such_resource()
    name, subresource = (*rest[1:], "", "")[:2]
    if kind.resource == "pods" and subresource in _INTO_CONTAINERS:
        raise ApiError(
            405, "MethodNotAllowed", f"{subresource} is not possible: no container runs in a simulated cluster"
        )
    if len(rest) > 3 or (subresource and subresource not in kind.subresources):
        raise no_such_resource()
    return Route(kind, namespace, name, subresource)
