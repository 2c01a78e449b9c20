"""Events as the control plane's recorders write them: one object for each (object, reason, message), with a count."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any, Literal

from kubesteward_tools.twin.api import Api
from kubesteward_tools.world.store import Key, Object

EventType = Literal["Normal", "Warning"]


def record(  # noqa: PLR0917 - type, reason and message in the order of every recorder
    api: Api, about: Object, event_type: EventType, reason: str, message: str, component: str
) -> None:
    """Write it beside `about`, or raise the count of the one that says the same."""
    metadata = about["metadata"]
    namespace = metadata.get("namespace", "default")
    same = blake2b(f"{metadata.get('uid')}{reason}{message}{component}".encode(), digest_size=8).hexdigest()
    name = f"{metadata['name']}.{same}"
    old = api.store.get(Key("events", namespace, name))
    if api.store.facts(Key("namespaces", "", namespace)) is None:
        return
    now = api.clock.timestamp
    if old is not None:
        api.replace(Key("events", namespace, name), {**old, "count": old["count"] + 1, "lastTimestamp": now})
        return
    api.replace(
        Key("events", namespace, name),
        {
            "kind": "Event",
            "apiVersion": "v1",
            "metadata": {"name": name, "namespace": namespace, "uid": api.names.uid(), "creationTimestamp": now},
            "involvedObject": _reference(about),
            "reason": reason,
            "message": message,
            "source": {"component": component},
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
            "type": event_type,
            "eventTime": None,
            "reportingComponent": component,
            "reportingInstance": "",
        },
    )


def _reference(obj: Object) -> dict[str, Any]:
    metadata = obj["metadata"]
    reference = {"kind": obj.get("kind"), "apiVersion": obj.get("apiVersion"), "name": metadata["name"]}
    for source, target in (("namespace", "namespace"), ("uid", "uid"), ("resourceVersion", "resourceVersion")):
        if metadata.get(source):
            reference[target] = metadata[source]
    return reference
