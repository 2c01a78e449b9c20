"""Where the objects to check come from: manifests, each field with its line, or a world."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, BinaryIO

from kubesteward_tools.checks.inventory import Inventory, Subject
from kubesteward_tools.checks.units import Path
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.scope import alone, shortly
from kubesteward_tools.plans.documents import Document, Place, Reading
from kubesteward_tools.plans.files import read

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

LOOKED_AT = (
    "namespaces",
    "pods",
    "services",
    "configmaps",
    "secrets",
    "serviceaccounts",
    "resourcequotas",
    "persistentvolumeclaims",
    "persistentvolumes",
    "replicationcontrollers",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "replicasets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "horizontalpodautoscalers.autoscaling",
    "poddisruptionbudgets.policy",
    "networkpolicies.networking.k8s.io",
    "ingresses.networking.k8s.io",
    "httproutes.gateway.networking.k8s.io",
    "grpcroutes.gateway.networking.k8s.io",
    "storageclasses.storage.k8s.io",
    "roles.rbac.authorization.k8s.io",
    "rolebindings.rbac.authorization.k8s.io",
    "clusterroles.rbac.authorization.k8s.io",
    "clusterrolebindings.rbac.authorization.k8s.io",
    "validatingwebhookconfigurations.admissionregistration.k8s.io",
    "mutatingwebhookconfigurations.admissionregistration.k8s.io",
)
_BUILT_IN_OWNERS = frozenset({"ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController", "Node"})
_AT_A_TIME = 500
_ACROSS = frozenset({"ingresses.networking.k8s.io", "rolebindings.rbac.authorization.k8s.io"})
"""What concerns other namespaces than its own: hosts are claimed by name, accounts are bound from anywhere."""


def of_documents(documents: Iterable[Document]) -> Inventory:
    return Inventory([_of_document(item) for item in documents])


def of_files(paths: Sequence[str], stdin: BinaryIO) -> tuple[Inventory, list[str], list[str]]:
    """What manifests hold; sentences about what cannot be read, and about what is no manifest.

    Raises:
        InvalidArguments: something is not there, is too much, or no object is in it.
    """
    reading = read(paths, stdin, Reading(strict=False), recursive=True)
    if not reading.documents and not reading.problems:
        raise InvalidArguments("the manifests hold no object.", todo="Nothing was checked.")
    return of_documents(reading.documents), reading.problems, reading.passed


def _of_document(document: Document) -> Subject:
    def place(path: Path) -> Place:
        return Place(document.place.source, document.line(path))

    return Subject.of(document.body, place)


def of_objects(objects: Iterable[Any], *, whole: bool = False) -> Inventory:
    return Inventory([Subject.of(item) for item in objects], whole=whole)


async def of_world(world: World, namespace: str = "") -> tuple[Inventory, list[str]]:
    """Everything that checks look at, and the kinds that may not be seen, in lines. Then nothing counts as missing.

    With a namespace, what is in it and what other namespaces have to do with it; `subjects_in` names its own.

    Raises:
        SteadyError: the cluster does not answer.
    """
    await world.ensure(*LOOKED_AT, namespace=namespace)
    missed = any(kind in world.forbidden for kind in LOOKED_AT)
    found: list[Subject] = []
    for number, item in enumerate(_subjects(world, namespace)):
        found.append(item)
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)  # others want their answers too
    return Inventory(found, whole=not missed, live=world.writable), shortly(alone(world, namespace).not_seen)


def subjects_in(inventory: Inventory, namespace: str) -> list[Subject]:
    """What is to be checked of a world: all but what a controller made, or of that what is in one namespace."""
    return [item for item in inventory.subjects if not item.owned and (not namespace or item.space == namespace)]


def _subjects(world: World, namespace: str) -> Iterator[Subject]:
    """All kinds that are in the store: custom ones may make pods too, and every kind has an API version."""
    for resource in dict.fromkeys([*LOOKED_AT, *world.store.resources()]):
        if resource in {
            "events",
            "events.events.k8s.io",
            "endpointslices.discovery.k8s.io",
            "leases.coordination.k8s.io",
        }:
            continue
        for key, obj in world.store.items(resource):
            near = not namespace or key.namespace in {"", namespace} or resource in _ACROSS
            if near and not _covered(resource, obj):
                yield Subject.of(obj, cluster=world.cluster)


def _covered(resource: str, obj: Any) -> bool:
    """What a built-in controller made is judged, and found by selectors, as its owner's template."""
    owners = obj["metadata"].get("ownerReferences") or ()
    if resource == "pods":
        return any(owner.get("kind") in _BUILT_IN_OWNERS for owner in owners)
    return resource in {"replicasets.apps", "jobs.batch"} and bool(owners)
