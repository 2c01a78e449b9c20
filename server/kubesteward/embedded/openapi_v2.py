"""The OpenAPI v2 document in protobuf, as far as kubectl reads it: which writes know which query parameters.

kubectl asks it for lists, and accepts no other encoding. Field numbers: google/gnostic openapiv2/OpenAPIv2.proto.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from kubesteward_tools.twin.bootstrap import VERSION
from kubesteward_tools.twin.resources import STORED
from kubesteward_tools.world.kinds import ResourceType

MEDIA_TYPE = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_PARAMETERS = ("dryRun", "fieldManager", "fieldValidation")


def document(custom: Iterable[ResourceType] = ()) -> bytes:
    kinds = (*STORED, *custom)
    info = _field(1, b"Kubernetes") + _field(2, VERSION.encode())
    paths = b"".join(_field(2, _field(1, _path(kind).encode()) + _field(2, _path_item(kind))) for kind in kinds)
    return _field(1, b"2.0") + _field(2, info) + _field(8, paths)


def _path(kind: ResourceType) -> str:
    return kind.path("{namespace}" if kind.namespaced else "", "{name}")


def _path_item(kind: ResourceType) -> bytes:
    """A `patch` operation with its query parameters and the kind it is for."""
    gvk = json.dumps({"group": kind.group, "version": kind.version, "kind": kind.kind})
    extension = _field(1, b"x-kubernetes-group-version-kind") + _field(2, _field(2, gvk.encode()))
    parameters = b"".join(_field(8, _query_parameter(name)) for name in _PARAMETERS)
    return _field(8, parameters + _field(13, extension))


def _query_parameter(name: str) -> bytes:
    query = _field(2, b"query") + _field(4, name.encode())
    return _field(1, _field(2, _field(3, query)))


def _field(number: int, content: bytes) -> bytes:
    """A length-delimited field."""
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])
