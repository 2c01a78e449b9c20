"""Whether the clients of a dependency may together open more connections than it takes.

The limit is known where the dependency's own arguments, variables or ConfigMaps name it, a client's share where its
configuration names a pool size. Each process is taken to have one pool, and each pod one process; what is not named is
not counted, and the sentence says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from kubesteward_tools.analytics.shape import Severity, Shape
from kubesteward_tools.diagnosis import reading, routing
from kubesteward_tools.diagnosis.reading import at, count, listed, mapping, named, number, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.store import Key, Object

_NEAR = 0.8
_SURE = 0.5
_LIMIT = re.compile(
    r"(?:^|[\s;,_.-])max[_-]?(?:connections|clients|conns|client[_-]conn)[\"']?\s*[=:\s]\s*[\"']?(\d{1,7})\b", re.I
)
_POOL_NAME = re.compile(
    r"(?:POOL_?(?:MAX_?)?SIZE|MAX_?POOL(?:_?SIZE)?|POOL_?MAX|MAXIMUM_?POOL_?SIZE|MAX_?(?:OPEN_?)?CONN(?:ECTION)?S|"
    r"CONNECTION_?LIMIT)$",
    re.I,
)
_POOL_QUERY = re.compile(
    r"[?&](?:pool_size|maxPoolSize|max_pool_size|pool_max_conns|connection_limit|max_connections)=(\d{1,6})\b"
)


class Client(NamedTuple):
    """`pool` connections of each of `replicas`, `most` of them where an autoscaler may make more; None: not named."""

    key: Key
    replicas: int
    most: int
    pool: int | None


def connections(scene: Scene, namespace: str = "") -> Iterator[Shape]:
    """Dependencies whose limit the pools of their clients come near to, or pass."""
    for service in scene.store.keys("services", namespace or None):
        calling = _callers(scene, service)
        if not calling:
            continue
        for dependency in routing.workloads_behind(scene, service):
            if (limit := _limit(scene, dependency)) is not None:
                clients = [
                    _client(scene, key, service, wish) for key, wish in sorted(calling.items()) if key != dependency
                ]
                yield from _judged(service, dependency, limit, clients)


def _judged(service: Key, dependency: Key, limit: int, clients: list[Client]) -> Iterator[Shape]:
    known = [one for one in clients if one.pool]
    now = sum(one.replicas * (one.pool or 0) for one in known)
    most = sum(one.most * (one.pool or 0) for one in known)
    if not known or most < _NEAR * limit:
        return
    silent = len(clients) - len(known)
    parts = listed((f"{one.key.name} {one.replicas} x {one.pool}" for one in known), 6)
    grown = f", {most} when their autoscalers are at their most" if most > now else ""
    rest = f" {count(silent, 'more client')} without a named pool size is not counted." if silent else ""
    severity = Severity.HIGH if now > limit else Severity.MEDIUM if now >= _NEAR * limit else Severity.LOW
    yield Shape(
        "topology.connections",
        severity,
        dependency,
        f"{named(dependency)} takes {limit} connections, and the pools of {count(len(known), 'client')} of "
        f"{named(service)} add up to {now}{grown} ({parts}). Assumed: one pool in each pod.{rest}",
        {"limit": limit, "pools": now, "pools_at_most": most, "clients": len(known), "not_counted": silent},
    )


def _callers(scene: Scene, service: Key) -> dict[Key, str]:
    """Workloads that name the Service, each with the variable that does."""
    found: dict[Key, str] = {}
    for edge in scene.graph.leading(service, ("calls",), down=False):
        unit = scene.owner(edge.other(service))
        if edge.confidence >= _SURE and unit.resource != "replicasets.apps":
            found[unit] = edge.detail.removeprefix("env ").partition(" ")[0] if edge.detail.startswith("env ") else ""
    return found


def _limit(scene: Scene, dependency: Key) -> int | None:
    """The least limit that its configuration names."""
    found = [int(match) for words in _words(scene, dependency) for match in _LIMIT.findall(words)]
    return min((one for one in found if one), default=None)


def _words(scene: Scene, key: Key) -> Iterator[str]:
    spec = scene.spec(key)
    calls = next(iter(scene.graph.leading(key, ("calls",), down=True)), None)
    for item in reading.regular(spec):
        yield reading.command_line(item)
        if calls is None:  # of a program that calls others itself, a variable may as well mean its own pool
            yield from (f"{name}={value}" for name, value in _variables(scene, key.namespace, item))
    for volume in reading.mappings(spec.get("volumes")):
        yield from _data(scene, key.namespace, text(at(volume, "configMap").get("name"))).values()


def _data(scene: Scene, namespace: str, name: str) -> dict[str, str]:
    found = mapping(scene.get(Key("configmaps", namespace, name)).get("data")) if name else {}
    return {key: value for key, value in found.items() if isinstance(value, str)}


def _variables(scene: Scene, namespace: str, container: Object) -> Iterator[tuple[str, str]]:
    """Literal ones and those of ConfigMaps; Secrets are not looked into."""
    for source in reading.mappings(container.get("envFrom")):
        prefix = text(source.get("prefix"))
        for name, value in _data(scene, namespace, text(at(source, "configMapRef").get("name"))).items():
            yield prefix + name, value
    for item in reading.mappings(container.get("env")):
        if "value" in item:
            yield text(item.get("name")), text(item.get("value"))
        elif chosen := at(item, "valueFrom", "configMapKeyRef"):
            yield (
                text(item.get("name")),
                _data(scene, namespace, text(chosen.get("name"))).get(text(chosen.get("key")), ""),
            )


def _client(scene: Scene, key: Key, service: Key, by: str) -> Client:
    spec = scene.spec(key)
    pools = [pool for item in reading.regular(spec) for pool in _pools(scene, key, item, service, by)]
    wanted = at(scene.get(key), "spec").get("replicas")
    replicas = 1 if wanted is None else number(wanted)
    if key.resource == "daemonsets.apps":
        replicas = number(at(scene.get(key), "status").get("desiredNumberScheduled"))
    return Client(key, replicas, max(replicas, _scaled(scene, key)), max(pools, default=None))


def _pools(scene: Scene, key: Key, container: Object, service: Key, by: str) -> Iterator[int]:
    """Of the URL that names the Service, or of a variable with the same beginning, or of the only dependency."""
    alone = len({edge.target for edge in scene.graph.leading(key, ("calls",), down=True)}) == 1
    stem = by.partition("_")[0].upper()
    for name, value in _variables(scene, key.namespace, container):
        if name == by or service.name in value:
            yield from map(int, _POOL_QUERY.findall(value))
        if _POOL_NAME.search(name) and value.isdigit() and (alone or (stem and name.upper().startswith(stem))):
            yield int(value)


def _scaled(scene: Scene, key: Key) -> int:
    """The most replicas that an autoscaler may make of it, 0 where there is none."""
    for edge in scene.graph.leading(key, ("scales",), down=True):
        other = edge.other(key)
        if other.resource == "horizontalpodautoscalers.autoscaling":
            return number(at(scene.get(other), "spec").get("maxReplicas"))
    return 0
