"""The protobuf bodies that kubectl sends although JSON is offered: reviews, evictions, and what `kubectl create` makes.

Envelope and field numbers: k8s.io/apimachinery runtime/generated.proto and the generated.proto of each API group.
"""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from typing import Any

MEDIA_TYPE = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

# Each message: field number -> (JSON name, kind). Kinds: "s" text, "i" number, "n" number that is absent when it is 0,
# "b" boolean, "*s" repeated text, "m" map of text, "d" map of bytes (base64 in JSON), "q" map of quantities,
# "i|s" number or text, "raw" bytes, "-" left out (what only the server sets), a nested message, or a list of one for a
# repeated message. A kind that has another message in each version stands with its version.
Message = Mapping[int, tuple[str, Any]]
_OWNER: Message = {
    1: ("kind", "s"),
    3: ("name", "s"),
    4: ("uid", "s"),
    5: ("apiVersion", "s"),
    6: ("controller", "b"),
    7: ("blockOwnerDeletion", "b"),
}
_METADATA: Message = {
    1: ("name", "s"),
    2: ("generateName", "s"),
    3: ("namespace", "s"),
    5: ("uid", "s"),
    8: ("creationTimestamp", "-"),
    11: ("labels", "m"),
    12: ("annotations", "m"),
    13: ("ownerReferences", [_OWNER]),
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
_SELECTOR: Message = {1: ("matchLabels", "m")}
_PORT: Message = {
    1: ("name", "s"),
    2: ("hostPort", "n"),
    3: ("containerPort", "i"),
    4: ("protocol", "s"),
    5: ("hostIP", "s"),
}
_CONTAINER: Message = {
    1: ("name", "s"),
    2: ("image", "s"),
    3: ("command", "*s"),
    4: ("args", "*s"),
    5: ("workingDir", "s"),
    6: ("ports", [_PORT]),
    7: ("env", [{1: ("name", "s"), 2: ("value", "s")}]),
    8: ("resources", {1: ("limits", "q"), 2: ("requests", "q")}),
    13: ("terminationMessagePath", "s"),
    14: ("imagePullPolicy", "s"),
    20: ("terminationMessagePolicy", "s"),
}
_POD: Message = {
    2: ("containers", [_CONTAINER]),
    3: ("restartPolicy", "s"),
    4: ("terminationGracePeriodSeconds", "i"),
    6: ("dnsPolicy", "s"),
    7: ("nodeSelector", "m"),
    8: ("serviceAccountName", "s"),
    14: ("securityContext", {}),
    19: ("schedulerName", "s"),
}
_TEMPLATE: Message = {1: ("metadata", _METADATA), 2: ("spec", _POD)}
_DEPLOYMENT: Message = {
    1: ("replicas", "i"),
    2: ("selector", _SELECTOR),
    3: ("template", _TEMPLATE),
    4: ("strategy", {1: ("type", "s")}),
}
_JOB: Message = {
    1: ("parallelism", "i"),
    2: ("completions", "i"),
    3: ("activeDeadlineSeconds", "i"),
    5: ("manualSelector", "b"),
    6: ("template", _TEMPLATE),
    7: ("backoffLimit", "i"),
    8: ("ttlSecondsAfterFinished", "i"),
    9: ("completionMode", "s"),
    10: ("suspend", "b"),
    14: ("podReplacementPolicy", "s"),
}
_CRON_JOB: Message = {
    1: ("schedule", "s"),
    2: ("startingDeadlineSeconds", "i"),
    3: ("concurrencyPolicy", "s"),
    4: ("suspend", "b"),
    5: ("jobTemplate", {1: ("metadata", _METADATA), 2: ("spec", _JOB)}),
    6: ("successfulJobsHistoryLimit", "i"),
    7: ("failedJobsHistoryLimit", "i"),
    8: ("timeZone", "s"),
}
_AUTOSCALER: Message = {
    1: ("scaleTargetRef", {1: ("kind", "s"), 2: ("name", "s"), 3: ("apiVersion", "s")}),
    2: ("minReplicas", "i"),
    3: ("maxReplicas", "i"),
}
_SHARE: Message = {1: ("type", "s"), 4: ("averageUtilization", "i")}
_METRIC: Message = {1: ("type", "s"), 4: ("resource", {1: ("name", "s"), 2: ("target", _SHARE)})}
_SERVICE_PORT: Message = {
    1: ("name", "s"),
    2: ("protocol", "s"),
    3: ("port", "i"),
    4: ("targetPort", "i|s"),
    5: ("nodePort", "n"),
}
_SERVICE: Message = {
    1: ("ports", [_SERVICE_PORT]),
    2: ("selector", "m"),
    3: ("clusterIP", "s"),
    4: ("type", "s"),
    10: ("externalName", "s"),
}
_BUDGET: Message = {1: ("minAvailable", "i|s"), 2: ("selector", _SELECTOR), 3: ("maxUnavailable", "i|s")}
_PRIORITY: Message = {
    1: ("metadata", _METADATA),
    2: ("value", "i"),
    3: ("globalDefault", "b"),
    4: ("description", "s"),
    5: ("preemptionPolicy", "s"),
}

_ENVELOPE: Message = {1: ("typeMeta", {1: ("apiVersion", "s"), 2: ("kind", "s")}), 2: ("raw", "raw")}
_NUMBER_OR_TEXT: Message = {1: ("text", "b"), 2: ("number", "i"), 3: ("value", "s")}


def _with_spec(spec: Message) -> Message:
    return {1: ("metadata", _METADATA), 2: ("spec", spec), 3: ("status", "-")}


MESSAGES: Mapping[str, Message] = {
    "SelfSubjectAccessReview": _with_spec(_ACCESS),
    "SelfSubjectRulesReview": _with_spec({1: ("namespace", "s")}),
    "SelfSubjectReview": {1: ("metadata", _METADATA), 2: ("status", "-")},
    "Eviction": {1: ("metadata", _METADATA), 2: ("deleteOptions", _DELETE_OPTIONS)},
    "DeleteOptions": _DELETE_OPTIONS,
    "Namespace": _with_spec({}),
    "ServiceAccount": {1: ("metadata", _METADATA)},
    "ConfigMap": {1: ("metadata", _METADATA), 2: ("data", "m"), 3: ("binaryData", "d")},
    "Secret": {1: ("metadata", _METADATA), 2: ("data", "d"), 3: ("type", "s")},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
    "Deployment": _with_spec(_DEPLOYMENT),
    "Job": _with_spec(_JOB),
    "CronJob": _with_spec(_CRON_JOB),
    "autoscaling/v1 HorizontalPodAutoscaler": _with_spec({**_AUTOSCALER, 4: ("targetCPUUtilizationPercentage", "i")}),
    "autoscaling/v2 HorizontalPodAutoscaler": _with_spec({**_AUTOSCALER, 4: ("metrics", [_METRIC])}),
    "Service": _with_spec(_SERVICE),
    "ResourceQuota": _with_spec({1: ("hard", "q"), 2: ("scopes", "*s")}),
    "PodDisruptionBudget": _with_spec(_BUDGET),
    "PriorityClass": _PRIORITY,
}


def decode(body: bytes) -> dict[str, Any]:
    """The JSON form of a body in the Kubernetes protobuf envelope.

    Raises:
        ValueError: not such an envelope, a kind that is not among `MESSAGES`, or a field that its message lacks.
    """
    if not body.startswith(_MAGIC):
        raise ValueError("the body is not in the Kubernetes protobuf envelope")
    envelope = _message(body[len(_MAGIC) :], _ENVELOPE)
    meta = envelope.get("typeMeta") or {}
    kind = meta.get("kind", "")
    shape = MESSAGES.get(kind) or MESSAGES.get(f"{meta.get('apiVersion')} {kind}")
    if shape is None:
        raise ValueError(f"protobuf bodies of kind {kind!r} are not understood; send JSON")
    return {**meta, **_message(envelope.get("raw", b""), shape)}


def _message(data: bytes, shape: Message) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        if number not in shape:
            if value:  # Go sends empty fields too; a value that is dropped would change what was asked for
                raise ValueError(f"field {number} of a protobuf body is not understood; send JSON")
            continue
        name, kind = shape[number]
        if kind == "*s":
            found.setdefault(name, []).append(_value(value, "s"))
        elif isinstance(kind, list):
            found.setdefault(name, []).append(_value(value, kind[0]))
        elif isinstance(kind, str) and kind in _MAPS:
            pair = _value(value, {1: ("key", "s"), 2: ("value", _MAPS[kind])})
            inner = pair.get("value", "")
            found.setdefault(name, {})[pair.get("key", "")] = inner["string"] if kind == "q" else inner
        elif (decoded := _value(value, kind)) not in ("", None):
            found[name] = decoded
    return found


_MAPS: Mapping[str, Any] = {"m": "s", "d": "bytes", "q": {1: ("string", "s")}}


def _value(value: bytes | int, kind: Any) -> Any:
    """The JSON form of one field; None for what is left out."""
    if kind == "-":
        return None
    if isinstance(value, int):
        if kind in ("i", "n", "b"):
            return bool(value) if kind == "b" else value or (None if kind == "n" else 0)
        raise ValueError("a number stands in the protobuf body where there should be none")
    match kind:
        case "s":
            return value.decode()
        case "raw":
            return value
        case "bytes":
            return base64.b64encode(value).decode()
        case "i" | "n" | "b":
            raise ValueError("a number is missing in the protobuf body")
        case "i|s":
            either = _message(value, _NUMBER_OR_TEXT)
            return either.get("value", "") if either.get("text") else either.get("number", 0)
    return _message(value, kind)


def _fields(data: bytes) -> Iterator[tuple[int, bytes | int]]:
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
            if at + length > len(data):
                raise ValueError("the protobuf body ends in the middle of a field")
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
