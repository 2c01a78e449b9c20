"""Which logs a diagnosis reads: all that were saved, or of a live cluster those of containers in trouble."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING

from kubesteward_tools.diagnosis.logs import Logs, ending
from kubesteward_tools.diagnosis.reading import every, mapping, text
from kubesteward_tools.diagnosis.scene import Scene
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup.loglines import LARGEST
from kubesteward_tools.world.store import Key, Store
from kubesteward_tools.world.world import TWIN_RESOURCES

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

RESOURCES = (
    *TWIN_RESOURCES,
    "events",
    "cronjobs.batch",
    "ingressclasses.networking.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "certificates.cert-manager.io",
)
"""Kinds that a diagnosis looks at."""

_TAIL = 300
_PODS = 24
_AT_ONCE = 8
_PATIENCE = 6.0


def saved(store: Store, logs: Mapping[str, str]) -> Logs:
    """`namespace/pod/container[/previous]` -> text as a Scene has it; a log of a whole pod is its first container's."""
    found: dict[tuple[str, str, str], str] = {}
    for name in sorted(logs, key=lambda item: not item.endswith("/previous")):
        space, _, rest = name.removesuffix("/previous").partition("/")
        pod, _, container = rest.partition("/")
        if pod and logs[name]:
            place = space, pod, container or _first(store, Key("pods", space, pod))
            found[place] = "\n".join(dict.fromkeys(filter(None, [found.get(place, ""), ending(logs[name])])))
    return found


def _first(store: Store, pod: Key) -> str:
    names = [text(item.get("name")) for item in every(mapping((store.get(pod) or {}).get("spec")))]
    return names[-1] if names else ""


async def live(world: World, scene: Scene, wanted: Collection[Key]) -> Logs:
    """The last lines of containers in trouble, and of the workloads that are asked about; both of their runs."""
    places: dict[tuple[str, str, str], bool] = {}
    for ill in scene.ailing:
        where = ill.pod_key
        places[where.namespace, where.name, ill.name] = ill.restarts > 0
    for workload in wanted:
        for pod in scene.pods(workload, 2):
            for item in every(mapping(pod.get("spec"))):
                place = pod["metadata"].get("namespace", ""), pod["metadata"]["name"], text(item.get("name"))
                places.setdefault(place, False)
    gate = asyncio.Semaphore(_AT_ONCE)
    chosen = list(places.items())[:_PODS]
    texts = await asyncio.gather(*(_read(world, place, gate, again=again) for place, again in chosen))
    return {place: text_ for (place, _), text_ in zip(chosen, texts, strict=True) if text_}


async def _read(world: World, place: tuple[str, str, str], gate: asyncio.Semaphore, *, again: bool) -> str:
    space, pod, container = place
    query = {"container": container, "tailLines": str(_TAIL), "limitBytes": str(LARGEST)}
    parts = []
    async with gate:
        for more in ({"previous": "true"}, {}) if again else ({},):
            try:
                async with asyncio.timeout(_PATIENCE):
                    parts.append(ending(await world.log(space, pod, {**query, **more})))
            except (SteadyError, TimeoutError):
                continue
    return "\n".join(filter(None, parts))
