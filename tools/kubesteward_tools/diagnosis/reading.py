"""Parts of Kubernetes objects that analysers ask for, whatever shape the object is in."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from kubesteward_tools.lookup.shown import cleared
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.quantity import parse as quantity
from kubesteward_tools.twin.resources import by_resource
from kubesteward_tools.world.relations.reading import at, mapping, mappings, text, texts
from kubesteward_tools.world.relations.templates import POD_LIKE, pod_spec
from kubesteward_tools.world.store import Key, Object

__all__ = ["at", "mapping", "mappings", "text", "texts"]

_TEMPLATES = frozenset(POD_LIKE) - {"pods"}


def kind_of(resource: str) -> str:
    """`Deployment` of `deployments.apps`."""
    known = by_resource(resource)
    return known.kind if known else resource.partition(".")[0].removesuffix("s").capitalize()


def named(key: Key) -> str:
    """`Deployment shop/web`."""
    return (
        f"{kind_of(key.resource)} {key.namespace}/{key.name}"
        if key.namespace
        else f"{kind_of(key.resource)} {key.name}"
    )


def count(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


def listed(words: Iterable[Any], most: int = 6) -> str:
    """`a, b and 3 more`."""
    found = list(dict.fromkeys(map(str, words)))
    more = f" and {len(found) - most} more" if len(found) > most else ""
    return ", ".join(found[:most]) + more


def pairs(labels: Mapping[str, Any] | None) -> str:
    """`app=web,tier=front`."""
    return ",".join(f"{name}={value}" for name, value in (labels or {}).items())


def seconds(stamp: object) -> float | None:
    try:
        return parse_timestamp(str(stamp)) if stamp else None
    except ValueError:
        return None


def amount(value: object) -> float:
    """A quantity as a number; 0 for what is none."""
    try:
        return float(quantity(value)) if isinstance(value, str | int | float) and value != "" else 0.0
    except ValueError:
        return 0.0


def template_spec(key: Key, obj: Object) -> Object:
    """The PodSpec of a pod or workload, {} of anything else."""
    return pod_spec(key, obj) if key.resource in _TEMPLATES or key.resource == "pods" else {}


def template_labels(key: Key, obj: Object) -> dict[str, str]:
    if key.resource == "pods":
        return labels_in(mapping(obj.get("metadata")).get("labels"))
    if key.resource == "cronjobs.batch":
        return labels_in(at(obj, "spec", "jobTemplate", "spec", "template", "metadata").get("labels"))
    return labels_in(at(obj, "spec", "template", "metadata").get("labels"))


def labels_in(value: object) -> dict[str, str]:
    """The pairs of text of a mapping, as labels and selectors have them."""
    found = mapping(value)
    return found if all(type(one) is str for one in found.values()) else {}


def regular(spec: Object) -> list[Object]:
    return mappings(spec.get("containers"))


def every(spec: Object) -> list[Object]:
    """Init containers first."""
    return [*mappings(spec.get("initContainers")), *regular(spec)]


def container(spec: Object, name: str) -> Object:
    return next((item for item in every(spec) if item.get("name") == name), {})


def command_line(item: Object) -> str:
    """What the container runs as its object says it, without secrets; "" when the image decides."""
    return command([*texts(item.get("command")), *texts(item.get("args"))])


def command(words: list[str]) -> str:
    """A command line without secrets: the option before a word, or the program, tells that it is one."""
    return cleared(" ".join(redact_object(words)))


def ports(spec: Object) -> list[tuple[str, int, str]]:
    """Name, number and protocol of every declared container port."""
    sidecars = [one for one in mappings(spec.get("initContainers")) if one.get("restartPolicy")]
    declared = [port for item in (*regular(spec), *sidecars) for port in mappings(item.get("ports"))]
    return [
        (text(port.get("name")), port["containerPort"], text(port.get("protocol")) or "TCP")
        for port in declared
        if isinstance(port.get("containerPort"), int)
    ]


def variables(item: Object) -> dict[str, str]:
    """The literal environment of a container."""
    return {text(one.get("name")): text(one.get("value")) for one in mappings(item.get("env")) if "value" in one}


def value_of(variable: str, value: str) -> str:
    """The value as it may be shown: nothing of it where the variable's name says that it is secret."""
    return cleared(redact_object({"name": variable, "value": value})["value"])


def limits(item: Object, what: str) -> str:
    return str(at(item, "resources", "limits").get(what, ""))


def requests(item: Object, what: str) -> str:
    return str(at(item, "resources", "requests").get(what, ""))


def message_of(obj: Object) -> str:
    """The message of a condition, of a container's state or of a status, without secrets."""
    return cleared(text(obj.get("message")))


def conditions(obj: Object) -> Iterator[Object]:
    yield from mappings(mapping(obj.get("status")).get("conditions"))


def condition(obj: Object, kind: str) -> Object:
    return next((item for item in conditions(obj) if item.get("type") == kind), {})


def ended(status: Object) -> Object:
    """How the container ended last: now, or before its last restart; {} if it never did."""
    return at(status, "state", "terminated") or at(status, "lastState", "terminated")


def waiting(status: Object) -> tuple[str, str]:
    """Reason and message of what it waits for."""
    found = at(status, "state", "waiting")
    return text(found.get("reason")), message_of(found)


def wakes(scaler: Object) -> bool:
    """Whether an autoscaler wakes its workload when there is work, so that no replicas is a state as good as any."""
    metadata = mapping(scaler.get("metadata"))
    owners = mappings(metadata.get("ownerReferences"))
    keda = text(metadata.get("name")).startswith("keda-hpa-") or any(
        one.get("kind") == "ScaledObject" for one in owners
    )
    return keda or at(scaler, "spec").get("minReplicas") == 0


def phase(obj: Object) -> str:
    return text(mapping(obj.get("status")).get("phase"))


def number(value: object) -> int:
    """A count, 0 for what is none."""
    return value if type(value) is int else 0


def is_ready(pod: Object) -> bool:
    return condition(pod, "Ready").get("status") == "True"
