"""Containers: ports, variables, probes, mounts, resources, security. API doc: core/v1 Container."""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.metadata import LABEL, LABEL_HELP, one_label

Spec = dict[str, Any]

_NOT_NEGATIVE = "must be greater than or equal to 0"
_IN_RANGE = "must be between 1 and 65535, inclusive"
_PULLS = ["Always", "IfNotPresent", "Never"]
_PROTOCOLS = ["SCTP", "TCP", "UDP"]
_HANDLERS = ("exec", "httpGet", "tcpSocket", "grpc")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9](?:-?[a-z0-9])*")
_STANDARD = {"cpu", "memory", "ephemeral-storage"}
_PROBES = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE_NUMBERS = ("initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold")


def container(path: str, item: Spec, volumes: set[Any], *, host_network: bool, init: bool) -> Iterator[FieldError]:
    name, image = item.get("name") or "", item.get("image") or ""
    if not name:
        yield required(f"{path}.name")
    elif not LABEL.fullmatch(name):
        yield invalid_value(f"{path}.name", name, LABEL_HELP)
    if not image:
        yield required(f"{path}.image")
    elif image != image.strip():
        yield invalid_value(f"{path}.image", image, "must not have leading or trailing whitespace")
    if item.get("imagePullPolicy", "Always") not in _PULLS:
        yield not_supported(f"{path}.imagePullPolicy", item["imagePullPolicy"], _PULLS)
    yield from _ports(path, item.get("ports") or (), host_network=host_network)
    yield from _variables(path, item)
    yield from _mounts(path, item.get("volumeMounts") or (), volumes)
    yield from _all_probes(path, item, init=init and item.get("restartPolicy") != "Always")
    yield from _security(f"{path}.securityContext", item.get("securityContext") or {})
    yield from resources(f"{path}.resources", item.get("resources") or {})


def _ports(path: str, ports: Any, *, host_network: bool) -> Iterator[FieldError]:
    names = set[str]()
    for at, port in enumerate(ports):
        where, number, host = f"{path}.ports[{at}]", port.get("containerPort"), port.get("hostPort")
        if name := port.get("name"):
            yield from port_name(f"{where}.name", name)
            if name in names:
                yield FieldError("FieldValueDuplicate", f"{where}.name", f'Duplicate value: "{name}"')
            names.add(name)
        if not number:
            yield required(f"{where}.containerPort")
        elif not 0 < number < 65536:
            yield invalid_value(f"{where}.containerPort", number, _IN_RANGE)
        if host and not 0 < host < 65536:
            yield invalid_value(f"{where}.hostPort", host, _IN_RANGE)
        elif host_network and host and host != number:
            yield invalid_value(f"{where}.hostPort", host, "must match `containerPort` when `hostNetwork` is true")
        if port.get("protocol", "TCP") not in _PROTOCOLS:
            yield not_supported(f"{where}.protocol", port["protocol"], _PROTOCOLS)


def port_name(path: str, name: str) -> Iterator[FieldError]:
    if len(name) > 15:
        yield invalid_value(path, name, "must be no more than 15 characters")
    elif not _PORT_NAME.fullmatch(name):
        why = "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)"
        yield invalid_value(path, name, why)


def _variables(path: str, item: Spec) -> Iterator[FieldError]:
    for at, variable in enumerate(item.get("env") or ()):
        where, source = f"{path}.env[{at}]", variable.get("valueFrom")
        if not variable.get("name"):
            yield required(f"{where}.name")
        elif "=" in variable["name"]:
            why = "a valid environment variable name must consist only of printable ASCII characters other than '='"
            yield invalid_value(f"{where}.name", variable["name"], why)
        if source is None:
            continue
        kinds = [key for key, value in source.items() if value is not None]
        if not kinds:
            why = (
                "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`"
            )
            yield invalid_value(f"{where}.valueFrom", "", why)
        elif variable.get("value"):
            yield invalid_value(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")
        elif len(kinds) > 1:
            yield invalid_value(f"{where}.valueFrom", "", "may not have more than one field specified at a time")
        for kind in ("configMapKeyRef", "secretKeyRef"):
            if (found := source.get(kind)) is not None and not found.get("key"):
                yield required(f"{where}.valueFrom.{kind}.key")


def _mounts(path: str, mounts: Any, volumes: set[Any]) -> Iterator[FieldError]:
    places = set[str]()
    for at, mount in enumerate(mounts):
        where, name, place = f"{path}.volumeMounts[{at}]", mount.get("name", ""), mount.get("mountPath", "")
        if not name:
            yield required(f"{where}.name")
        elif name not in volumes:
            yield FieldError("FieldValueNotFound", f"{where}.name", f'Not found: "{name}"')
        if not place:
            yield required(f"{where}.mountPath")
        elif place in places:
            yield invalid_value(f"{where}.mountPath", place, "must be unique")
        places.add(place)
        if mount.get("subPath") and mount.get("subPathExpr"):
            yield invalid_value(
                f"{where}.subPathExpr", mount["subPathExpr"], "subPathExpr and subPath are mutually exclusive"
            )
        for field in ("subPath", "subPathExpr"):
            if ".." in (mount.get(field) or "").split("/"):
                yield invalid_value(f"{where}.{field}", mount[field], "must not contain '..'")


def _all_probes(path: str, item: Spec, *, init: bool) -> Iterator[FieldError]:
    for kind in _PROBES:
        probe = item.get(kind)
        if probe is None:
            continue
        if init:
            yield forbidden_field(f"{path}.{kind}", "may not be set for init containers without restartPolicy=Always")
            continue
        yield from _probe(f"{path}.{kind}", probe)
        if kind != "readinessProbe" and probe.get("successThreshold", 1) != 1:
            yield invalid_value(f"{path}.{kind}.successThreshold", probe["successThreshold"], "must be 1")
    if init and item.get("lifecycle") is not None:
        yield forbidden_field(f"{path}.lifecycle", "may not be set for init containers without restartPolicy=Always")


def _probe(path: str, probe: Spec) -> Iterator[FieldError]:
    handlers = [name for name in _HANDLERS if probe.get(name) is not None]
    if not handlers:
        yield required(path, "must specify a handler type")
    for extra in handlers[1:]:
        yield forbidden_field(f"{path}.{extra}", "may not specify more than 1 handler type")
    for name in ("httpGet", "tcpSocket"):
        if name in handlers:
            yield from _target(f"{path}.{name}.port", probe[name].get("port"))
    if "exec" in handlers and not probe["exec"].get("command"):
        yield required(f"{path}.exec.command")
    for name in _PROBE_NUMBERS:
        if (probe.get(name) or 0) < 0:
            yield invalid_value(f"{path}.{name}", probe[name], _NOT_NEGATIVE)


def _target(path: str, port: Any) -> Iterator[FieldError]:
    if isinstance(port, str):
        yield from port_name(path, port)
    elif not 0 < (port or 0) < 65536:
        yield invalid_value(path, port or 0, _IN_RANGE)


def _security(path: str, context: Spec) -> Iterator[FieldError]:
    for name in ("runAsUser", "runAsGroup"):
        if (context.get(name) or 0) < 0:
            yield invalid_value(f"{path}.{name}", context[name], "must be between 0 and 2147483647, inclusive")
    if context.get("allowPrivilegeEscalation") is False:
        if context.get("privileged"):
            why = "cannot set `allowPrivilegeEscalation` to false and `privileged` to true"
            yield invalid_value(path, context, why)
        if "CAP_SYS_ADMIN" in {f"CAP_{item}" for item in (context.get("capabilities") or {}).get("add") or ()}:
            why = "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN"
            yield invalid_value(path, context, why)


def resources(path: str, found: Spec) -> Iterator[FieldError]:
    values: dict[str, dict[str, Fraction]] = {"limits": {}, "requests": {}}
    for part, parsed in values.items():
        for name, text in (found.get(part) or {}).items():
            yield from _resource(f"{path}.{part}", name, text, parsed)
    limits, requests = values["limits"], values["requests"]
    for name, request in requests.items():
        limit = limits.get(name)
        if limit is None:
            if _is_whole(name):
                yield required(f"{path}.limits", "Limit must be set for non overcommitable resources")
        elif request > limit or (_is_whole(name) and request != limit):
            text, bound = found["requests"][name], found["limits"][name]
            word = "equal to" if _is_whole(name) else "less than or equal to"
            yield invalid_value(f"{path}.requests", text, f"must be {word} {name} limit of {bound}")


def _resource(path: str, name: str, text: Any, parsed: dict[str, Fraction]) -> Iterator[FieldError]:
    yield from one_label(f"{path}.{name}" if "/" in name else path, name, "")
    if "/" not in name and name not in _STANDARD and not name.startswith("hugepages-"):
        why = "must be a standard resource type or fully qualified"
        yield invalid_value(f"{path}[{name}]", name, why)
        yield invalid_value(f"{path}[{name}]", name, "must be a standard resource for containers")
    try:
        value = parse(text)
    except ValueError as error:
        yield invalid_value(f"{path}[{name}]", text, str(error))
        return
    parsed[name] = value
    if value < 0:
        yield invalid_value(f"{path}[{name}]", text, _NOT_NEGATIVE)
    elif "/" in name and value.denominator != 1:
        yield invalid_value(f"{path}[{name}]", text, "must be an integer")


def _is_whole(name: str) -> bool:
    """Extended resources and huge pages cannot be promised twice."""
    return "/" in name or name.startswith("hugepages-")
