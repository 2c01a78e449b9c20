"""The protobuf bodies that kubectl sends although JSON is offered: reviews, evictions, and what `kubectl create` makes.

Envelope and field numbers: k8s.io/apimachinery runtime/generated.proto and the generated.proto of each API group.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

# Each message: field number -> (JSON name, kind). Kinds: "s" text, "i" number, "b" boolean, "*s" repeated text, "m" map
# of text, "d" map of bytes (base64 in JSON), a nested message, or a list with one nested message for a repeated one.
Message = Mapping[int, tuple[str, Any]]
_METADATA: Message = {
    1: ("name", "s"),
    2: ("generateName", "s"),
    3: ("namespace", "s"),
    5: ("uid", "s"),
    11: ("labels", "m"),
    12: ("annotations", "m"),
}
_RULE: Message = {
    1: ("verbs", "*s"),
    2: ("apiGroups", "*s"),
    3: ("resources", "*s"),
    4: ("resourceNames", "*s"),
    5: ("nonResourceURLs", "*s"),
}
_SUBJECT: Message = {1: ("kind", "s"), 2: ("apiGroup", "s"), 3: ("name", "s"), 4: ("namespace", "s")}
_ROLE_REF: Message = {1: ("apiGroup", "s"), 2: ("kind", "s"), 3: ("name", "s")}
_ROLE: Message = {1: ("metadata", _METADATA), 2: ("rules", [_RULE])}
_BINDING: Message = {1: ("metadata", _METADATA), 2: ("subjects", [_SUBJECT]), 3: ("roleRef", _ROLE_REF)}
_PRECONDITIONS: Message = {1: ("uid", "s"), 2: ("resourceVersion", "s")}
_DELETE_OPTIONS: Message = {
    1: ("gracePeriodSeconds", "i"),
    2: ("preconditions", _PRECONDITIONS),
    3: ("orphanDependents", "b"),
    4: ("propagationPolicy", "s"),
    5: ("dryRun", "*s"),
}
_ATTRIBUTES: Message = {
    1: ("namespace", "s"),
    2: ("verb", "s"),
    3: ("group", "s"),
    4: ("version", "s"),
    5: ("resource", "s"),
    6: ("subresource", "s"),
    7: ("name", "s"),
}
_PATHS: Message = {1: ("path", "s"), 2: ("verb", "s")}
_ACCESS: Message = {1: ("resourceAttributes", _ATTRIBUTES), 2: ("nonResourceAttributes", _PATHS)}

MESSAGES: Mapping[str, Message] = {
    "SelfSubjectAccessReview": {1: ("metadata", _METADATA), 2: ("spec", _ACCESS)},
    "SelfSubjectRulesReview": {1: ("metadata", _METADATA), 2: ("spec", {1: ("namespace", "s")})},
    "SelfSubjectReview": {1: ("metadata", _METADATA)},
    "Eviction": {1: ("metadata", _METADATA), 2: ("deleteOptions", _DELETE_OPTIONS)},
    "DeleteOptions": _DELETE_OPTIONS,
    "Namespace": {1: ("metadata", _METADATA)},
    "ServiceAccount": {1: ("metadata", _METADATA)},
    "ConfigMap": {1: ("metadata", _METADATA), 2: ("data", "m"), 3: ("binaryData", "d")},
    "Secret": {1: ("metadata", _METADATA), 2: ("data", "d"), 3: ("type", "s")},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
}


def decode(body: bytes) -> dict[str, Any]:
    """The JSON form of a body in the Kubernetes protobuf envelope.

    Raises:
        ValueError: not such an envelope, or a kind that is not among `MESSAGES`.
    """
    if not body.startswith(_MAGIC):
        raise ValueError("the body is not in the Kubernetes protobuf envelope")
    envelope = dict(_fields(body[len(_MAGIC) :]))
    meta = dict(_fields(envelope.get(1, b"")))
    api_version, kind = meta.get(1, b"").decode(), meta.get(2, b"").decode()
    if kind not in MESSAGES:
        raise ValueError(f"protobuf bodies of kind {kind!r} are not understood; send JSON")
    return {"apiVersion": api_version, "kind": kind, **_message(envelope.get(2, b""), MESSAGES[kind])}


def _message(data: bytes, shape: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in shape:
            continue
        name, kind = shape[number]
        if kind == "*s":
            found.setdefault(name, []).append(value.decode())
        elif isinstance(kind, list):
            found.setdefault(name, []).append(_message(value, kind[0]))
        elif kind in ("m", "d"):
            pair = dict(_fields(value))
            content = pair.get(2, b"")
            text = content.decode() if kind == "m" else base64.b64encode(content).decode()
            found.setdefault(name, {})[pair.get(1, b"").decode()] = text
        else:
            decoded = _value(value, kind)
            if decoded != "":
                found[name] = decoded
    return found


def _value(value: Any, kind: Any) -> Any:
    if kind == "s":
        return value.decode()
    if kind == "i":
        return value
    if kind == "b":
        return bool(value)
    return _message(value, kind)


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Field numbers with their values: bytes for length-delimited fields, int for varints."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        number, wire = tag >> 3, tag & 7
        if wire == 0:
            value, at = _varint(data, at)
            yield number, value
        elif wire == 2:
            length, at = _varint(data, at)
            yield number, data[at : at + length]
            at += length
        else:
            raise ValueError(f"protobuf wire type {wire} is not understood; send JSON")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data):
            raise ValueError("the protobuf body ends in the middle of a number")
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if not byte & 0x80:
            return value, at
