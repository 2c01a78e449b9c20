"""Pods and what makes pods."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Any

from kubesteward_tools.twin import selectors
from kubesteward_tools.twin.quantity import parse
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.metadata import _LABEL, _LABEL_HELP

NOT_NEGATIVE = "must be greater than or equal to 0"


def pod(obj: dict[str, Any]) -> Iterator[FieldError]:
    yield from pod_spec("spec", obj.get("spec") or {})


def pod_spec(path: str, spec: dict[str, Any], more_volumes: Collection[Any] = ()) -> Iterator[FieldError]:
    containers = spec.get("containers") or []
    if not containers:
        yield required(f"{path}.containers")
    volumes = {*more_volumes, *(volume.get("name") for volume in spec.get("volumes") or ())}
    seen = set[str]()
    for kind in ("initContainers", "containers"):
        for at, container in enumerate(spec.get(kind) or ()):
            where = f"{path}.{kind}[{at}]"
            yield from _container(where, container, volumes)
            if container.get("name") in seen:
                yield FieldError("FieldValueDuplicate", f"{where}.name", f'Duplicate value: "{container["name"]}"')
            seen.add(container.get("name", ""))
    if spec.get("restartPolicy", "Always") not in {"Always", "OnFailure", "Never"}:
        yield not_supported(f"{path}.restartPolicy", spec["restartPolicy"], ["Always", "OnFailure", "Never"])


def _container(path: str, container: dict[str, Any], volumes: set[Any]) -> Iterator[FieldError]:
    name = container.get("name") or ""
    if not name:
        yield required(f"{path}.name")
    elif not _LABEL.fullmatch(name):
        yield invalid_value(f"{path}.name", name, _LABEL_HELP)
    if not container.get("image"):
        yield required(f"{path}.image")
    for at, port in enumerate(container.get("ports") or ()):
        number = port.get("containerPort")
        if not number:
            yield required(f"{path}.ports[{at}].containerPort")
        elif not 0 < number < 65536:
            yield invalid_value(f"{path}.ports[{at}].containerPort", number, "must be between 1 and 65535, inclusive")
    for at, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            yield FieldError(
                "FieldValueNotFound", f"{path}.volumeMounts[{at}].name", f'Not found: "{mount.get("name", "")}"'
            )
    yield from _resources(f"{path}.resources", container.get("resources") or {})


def _resources(path: str, resources: dict[str, Any]) -> Iterator[FieldError]:
    values: dict[str, dict[str, Any]] = {"limits": {}, "requests": {}}
    for part, parsed in values.items():
        for name, text in (resources.get(part) or {}).items():
            try:
                parsed[name] = parse(text)
            except ValueError as error:
                yield invalid_value(f"{path}.{part}[{name}]", text, str(error))
                continue
            if parsed[name] < 0:
                yield invalid_value(f"{path}.{part}[{name}]", text, NOT_NEGATIVE)
    for name, request in values["requests"].items():
        limit = values["limits"].get(name)
        if limit is not None and request > limit:
            text, bound = resources["requests"][name], resources["limits"][name]
            yield invalid_value(f"{path}.requests", text, f"must be less than or equal to {name} limit of {bound}")


def template_and_selector(obj: dict[str, Any], more_volumes: Collection[Any] = ()) -> Iterator[FieldError]:
    """`more_volumes` are those that the pods get besides the template's: the claims of a StatefulSet."""
    spec = obj.get("spec") or {}
    selector, template = spec.get("selector"), spec.get("template") or {}
    replicas = spec.get("replicas", 1)
    if isinstance(replicas, int) and replicas < 0:
        yield invalid_value("spec.replicas", replicas, NOT_NEGATIVE)
    if not selector:
        yield required("spec.selector")
    else:
        labels = (template.get("metadata") or {}).get("labels")
        if not selectors.matches(selector, labels):
            yield invalid_value(
                "spec.template.metadata.labels", labels or {}, "`selector` does not match template `labels`"
            )
    yield from pod_spec("spec.template.spec", template.get("spec") or {}, more_volumes)
    policy = (template.get("spec") or {}).get("restartPolicy", "Always")
    if policy != "Always":
        yield not_supported("spec.template.spec.restartPolicy", policy, ["Always"])


def deployment(obj: dict[str, Any]) -> Iterator[FieldError]:
    yield from template_and_selector(obj)
    strategy = (obj.get("spec") or {}).get("strategy") or {}
    rolling = strategy.get("rollingUpdate")
    if strategy.get("type") == "Recreate" and rolling:
        why = "may not be specified when strategy `type` is 'Recreate'"
        yield forbidden_field("spec.strategy.rollingUpdate", why)
    elif rolling and _is_zero(rolling.get("maxSurge")) and _is_zero(rolling.get("maxUnavailable")):
        why = "may not be 0 when `maxSurge` is 0"
        value = rolling["maxUnavailable"]
        yield invalid_value("spec.strategy.rollingUpdate.maxUnavailable", value, why)


def _is_zero(value: Any) -> bool:
    return str(value).rstrip("%") == "0"
