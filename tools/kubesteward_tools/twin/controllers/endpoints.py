"""EndpointSlices: which pods stand behind a Service, and whether they are ready. API doc: discovery.k8s.io/v1."""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping
from typing import Any

from kubesteward_tools.twin.controllers.base import Base, owner_reference
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.twin.engine import Engine, Hears
from kubesteward_tools.twin.memo import Memo
from kubesteward_tools.twin.quota import is_terminal
from kubesteward_tools.twin.standing import Standing, standing
from kubesteward_tools.world.store import Event, Key, Object

SLICES = "endpointslices.discovery.k8s.io"
SERVICE_NAME = "kubernetes.io/service-name"
_MANAGED_BY = "endpointslice.kubernetes.io/managed-by"

Made = tuple[str, dict[str, Any]]
"""An endpoint, behind the ports of its slice as JSON."""


class Endpoints(Base):
    component = "endpointslice-controller"
    hears = Hears(SLICES, "pods", "services")

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine)
        self._made: Memo[tuple[Key, str], tuple[tuple[str, str], Made | None]] = Memo()
        self._touched: set[Key] = set()

    def watches(self, event: Event) -> Iterable[Hashable]:
        if event.key.resource in {"pods", "services"}:
            (self._touched.discard if event.type == "DELETED" else self._touched.add)(event.key)
        if event.key.resource == "services" and event.type != "DELETED":
            yield event.key
        elif event.key.resource == SLICES and event.type == "DELETED":
            name = (event.obj["metadata"].get("labels") or {}).get(SERVICE_NAME)
            if name and self._is_mine(event.obj):
                yield Key("services", event.key.namespace, name)
        elif event.key.resource == "pods" and _matters(event):
            labels = [item["metadata"].get("labels") for item in (event.obj, event.old) if item]
            yield from self.store.selecting("services", event.key.namespace, labels[0])
            if len(labels) > 1 and labels[0] != labels[1]:
                yield from self.store.selecting("services", event.key.namespace, labels[1])

    def reconcile(self, key: Hashable) -> None:
        if not isinstance(key, Key) or (service := self.store.get(key)) is None:
            return
        if not service["spec"].get("selector") or service["spec"].get("type") == "ExternalName":
            return
        slices = self._slices(key)
        wanted = self._wanted(service, _standing_there(slices))
        new = [ports for ports in wanted if all(ports != _canonical(old.get("ports")) for _, old in slices)]
        for ports in new:  # before another slice goes: at no moment is a Service without the endpoints that it has
            self._create(service, json.loads(ports), wanted.pop(ports))
        for item, old in slices:
            endpoints = wanted.pop(_canonical(old.get("ports")), None)
            if endpoints is None and (new or wanted or old.get("endpoints")):
                self.api.delete(*item)
            elif (endpoints or []) != (old.get("endpoints") or []):
                generation = old["metadata"].get("generation", 1) + 1
                metadata = {**old["metadata"], "generation": generation}
                self.api.replace(item, {**old, "metadata": metadata, "endpoints": endpoints or []})

    def _slices(self, key: Key) -> list[tuple[Key, Object]]:
        keys = self.store.selected(SLICES, key.namespace, {"matchLabels": {SERVICE_NAME: key.name}})
        return [(item, obj) for item in keys if (obj := self.store.get(item)) is not None and self._is_mine(obj)]

    def _is_mine(self, obj: Object) -> bool:
        """Others keep slices of a Service too: mirrored ones, custom ones, those of another address family."""
        by = (obj["metadata"].get("labels") or {}).get(_MANAGED_BY)
        return by in {None, f"{self.component}.k8s.io"} and obj.get("addressType", "IPv4") == "IPv4"

    def _wanted(self, service: Object, there: Mapping[str, Made]) -> dict[str, list[dict[str, Any]]]:
        """The endpoints of each distinct set of resolved ports (as JSON). `there` are the present ones, by UIDs; they
        are as good as new ones unless pod or Service was written to.
        """
        namespace, spec = service["metadata"]["namespace"], service["spec"]
        wanted: dict[str, list[dict[str, Any]]] = {}
        if _key(service) in self._touched:
            there = {}
        for key in self.store.selected("pods", namespace, {"matchLabels": spec["selector"]}):
            if (found := self._known(key, service, there)) is not None:
                wanted.setdefault(found[0], []).append(found[1])
        return wanted or {_canonical(_ports(spec.get("ports") or [], None)): []}

    def _known(self, key: Key, service: Object, there: Mapping[str, Made]) -> Made | None:
        """The pod's ports and endpoint, made once of each version of either; None without an address."""
        facts, version = self.store.facts(key), service["metadata"].get("resourceVersion", "")
        asked = (key, service["metadata"]["name"])
        marks = (facts.version if facts else "", version)
        before = self._made.get(asked)
        if before is not None and before[0] == marks:
            return before[1]
        publish = bool(service["spec"].get("publishNotReadyAddresses"))
        same = there.get(facts.uid) if facts and key not in self._touched else None
        if same is not None and facts and same[1].get("conditions") == _conditions(facts.standing, publish=publish):
            return same  # which saves reading all siblings of a pod that changed
        pod, found = self.store.get(key), None
        if pod is not None and _has_address(pod):
            ports = _canonical(_ports(service["spec"].get("ports") or [], pod))
            found = ports, self._endpoint(pod, standing(pod), publish=publish)
        self._made[asked] = marks, found
        return found

    def _endpoint(self, pod: Object, state: Standing, *, publish: bool) -> dict[str, Any]:
        node = self.store.get(Key("nodes", "", pod["spec"]["nodeName"]))
        zone = ((node or {"metadata": {}})["metadata"].get("labels") or {}).get("topology.kubernetes.io/zone")
        endpoint: dict[str, Any] = {
            "addresses": [pod["status"]["podIP"]],
            "conditions": _conditions(state, publish=publish),
            "targetRef": {
                "kind": "Pod",
                "namespace": pod["metadata"]["namespace"],
                "name": pod["metadata"]["name"],
                "uid": pod["metadata"]["uid"],
            },
            "nodeName": pod["spec"]["nodeName"],
        }
        return {**endpoint, "zone": zone} if zone else endpoint

    def _create(self, service: Object, ports: Any, endpoints: list[dict[str, Any]]) -> None:
        metadata = service["metadata"]
        labels = {SERVICE_NAME: metadata["name"], _MANAGED_BY: f"{self.component}.k8s.io"}
        self.api.create(
            SLICES,
            metadata["namespace"],
            {
                "metadata": {
                    "generateName": f"{metadata['name']}-",
                    "labels": labels,
                    "ownerReferences": [owner_reference(service)],
                    "generation": 1,
                },
                "addressType": "IPv4",
                "endpoints": endpoints,
                "ports": ports,
            },
            user=self.user,
        )


def _matters(event: Event) -> bool:
    """Status writes that change neither address nor readiness are of no interest here."""
    if event.old is None or event.type == "DELETED":
        return True

    def looks(pod: Object) -> tuple[Any, ...]:
        metadata, status = pod["metadata"], pod.get("status") or {}
        return (
            metadata.get("labels"),
            "deletionTimestamp" in metadata,
            status.get("podIP"),
            status.get("phase"),
            is_ready(pod),
        )

    return looks(event.old) != looks(event.obj)


def _key(service: Object) -> Key:
    return Key("services", service["metadata"]["namespace"], service["metadata"]["name"])


def _conditions(state: Standing | None, *, publish: bool) -> dict[str, bool]:
    if state is None:
        return {}
    return {
        "ready": publish or (state.ready and not state.leaving),
        "serving": publish or state.ready,
        "terminating": state.leaving,
    }


def _standing_there(slices: list[tuple[Key, Object]]) -> dict[str, Made]:
    """The endpoints that there are, by the UIDs of their pods."""
    found: dict[str, Made] = {}
    for _, one in slices:
        ports = _canonical(one.get("ports"))
        for endpoint in one.get("endpoints") or ():
            found[(endpoint.get("targetRef") or {}).get("uid", "")] = ports, endpoint
    return found


def _has_address(pod: Object) -> bool:
    return bool((pod.get("status") or {}).get("podIP") and pod["spec"].get("nodeName")) and not is_terminal(pod)


def _canonical(ports: Any) -> str:
    return json.dumps(ports, sort_keys=True)


def _ports(ports: list[dict[str, Any]], pod: Object | None) -> list[dict[str, Any]] | None:
    """Target ports as numbers; a name that no container has is left out, and then there may be none at all."""
    resolved = []
    for port in ports:
        number = _number(port, pod)
        if number is not None:
            found = {"name": port.get("name", ""), "protocol": port.get("protocol", "TCP"), "port": number}
            resolved.append(found | {key: port[key] for key in ("appProtocol",) if key in port})
    return resolved or None


def _number(port: dict[str, Any], pod: Object | None) -> int | None:
    target = port.get("targetPort", port["port"])
    if isinstance(target, int):
        return target
    for container in (pod or {"spec": {}})["spec"].get("containers") or ():
        for item in container.get("ports") or ():
            if item.get("name") == target and item.get("protocol", "TCP") == port.get("protocol", "TCP"):
                return int(item["containerPort"])
    return None
