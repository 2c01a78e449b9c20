"""From a name or address to the Service and the workloads behind it: shared by whoever follows traffic."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from kubesteward_tools.diagnosis.reading import at, is_ready, labels_in, mappings, ports
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.world.relations.hosts import host
from kubesteward_tools.world.store import Key, Object

INTERNET = ("com", "org", "net", "io", "dev", "cloud", "gov", "edu", "info", "app", "ai")


def selector(service: Object) -> dict[str, str]:
    return labels_in(at(service, "spec").get("selector"))


def backends(scene: Scene, service: Key) -> list[Key]:
    """Keys of the pods that it selects."""
    wanted = selector(scene.get(service))
    return list(scene.store.selected("pods", service.namespace, {"matchLabels": wanted})) if wanted else []


def ready(scene: Scene, pods: list[Key]) -> list[Key]:
    return [key for key in pods if is_ready(scene.get(key))]


def workloads_behind(scene: Scene, service: Key) -> list[Key]:
    """What describes pods that the Service selects, though there be none now."""
    wanted = selector(scene.get(service)).items()
    return [key for key, labels in scene.templates.get(service.namespace, ()) if wanted and wanted <= labels.items()]


def described(scene: Scene, namespace: str) -> Iterator[Key]:
    """Workloads that serve, and bare pods, of one namespace."""
    for key, _ in scene.templates.get(namespace, ()):
        yield key


def meant(scene: Scene, name: str, namespace: str) -> Key | None:
    """The Service that a host name, or an address, stands for; also one that is not there. None for the internet."""
    if name.replace(".", "").isdigit() or ":" in name:
        return of_address(scene, name)
    labels = name.lower().rstrip(".").split(".")
    if len(labels) > 1 and labels[-1] in INTERNET and not scene.store.spaces("services").count(labels[-1]):
        return None
    found = host(name, namespace, addressed=True)
    if found is None:
        return None
    if (
        len(labels) == 2
        and not scene.exists(Key("namespaces", "", labels[1]))
        and labels[0].rpartition("-")[2].isdigit()
    ):
        return Key("services", namespace, labels[1])
    return Key("services", found.namespace, found.service)


def called(scene: Scene, workload: Key) -> tuple[Key, ...]:
    """The Services that its logs complain about."""
    peers = (
        meant(scene, sign.peer, workload.namespace)
        for _, _, sign in scene.spoken.get(workload, ())
        if sign.peer and sign.kind in {"connection", "timeout", "dns"}
    )
    return tuple(dict.fromkeys(key for key in peers if key is not None))


def of_address(scene: Scene, address: str) -> Key | None:
    for key in scene.store.keys("services"):
        if at(scene.get(key), "spec").get("clusterIP") == address:
            return key
    pod = scene.addresses.get(address)
    return next(iter(scene.store.selecting("services", pod.namespace, scene.labels(pod))), None) if pod else None


def service_ports(service: Object) -> list[Object]:
    return mappings(at(service, "spec").get("ports"))


def target(port: Object) -> int | str | None:
    found = port.get("targetPort", port.get("port"))
    return found if isinstance(found, int | str) and found != "" else port.get("port")


def declared(scene: Scene, described: list[Key]) -> list[tuple[str, int, str]]:
    """The container ports of workloads or pods."""
    return list(dict.fromkeys(port for key in described[:5] for port in ports(scene.spec(key))))


def near(scene: Scene, service: Key) -> str:
    """A Service of the namespace that is nearly called so."""
    names = [key.name for key in scene.store.keys("services", service.namespace)]
    inside = [name for name in names if service.name in name or name in service.name]
    return next(iter(difflib.get_close_matches(service.name, names, n=1, cutoff=0.6) or inside), "")


def workload_named(scene: Scene, namespace: str, name: str) -> Key | None:
    for key in described(scene, namespace):
        if key.name == name or name in scene.labels(key).values():
            return key
    return None
