"""How many endpoints of each Service are ready, and how many of them nobody can reach."""

from __future__ import annotations

from kubesteward_tools.twin.cases.snapshot import Snapshot, title
from kubesteward_tools.twin.controllers.endpoints import SERVICE_NAME
from kubesteward_tools.world.store import Object

Counts = dict[str, int]


def endpoints(snapshot: Snapshot) -> dict[str, Counts]:
    """Ready and not ready addresses by Service; `no_port` are ready ones in a slice for want of the target port."""
    services = {title(obj): obj for obj in snapshot.of("Service") if obj["spec"].get("type") != "ExternalName"}
    found: dict[str, Counts] = {name: {"ready": 0, "not_ready": 0} for name in services}
    seen: set[tuple[str, str]] = set()
    for piece in sorted(snapshot.of("EndpointSlice"), key=lambda item: not item.get("ports")):
        name = f"{piece['metadata']['namespace']}/Service/{(piece['metadata'].get('labels') or {}).get(SERVICE_NAME)}"
        service = services.get(name)
        portless = service is not None and bool(service["spec"].get("ports")) and not piece.get("ports")
        counts = found.setdefault(name, {"ready": 0, "not_ready": 0})
        for endpoint in piece.get("endpoints") or ():
            if (place := (name, _target(endpoint))) not in seen:
                seen.add(place)
                _count(counts, endpoint, portless=portless)
    return dict(sorted(found.items()))


def _count(counts: Counts, endpoint: Object, *, portless: bool) -> None:
    ready = (endpoint.get("conditions") or {}).get("ready", True)
    word = "not_ready" if not ready else "no_port" if portless else "ready"
    counts[word] = counts.get(word, 0) + 1


def _target(endpoint: Object) -> str:
    return str((endpoint.get("targetRef") or {}).get("name") or next(iter(endpoint.get("addresses") or ()), ""))
