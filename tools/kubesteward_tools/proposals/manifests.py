"""Changes that a manifest asks for: server-side apply of each document, and the pruning of what it leaves out.

A manifest may come in any order: what others need is applied first.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kubesteward_policies.change import APPLY_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.cluster.mending import defined
from kubesteward_tools.errors import InvalidArguments, ObjectNotFound, UnknownKind
from kubesteward_tools.lookup.targets import check_namespace
from kubesteward_tools.plans.documents import Document, Reading
from kubesteward_tools.plans.plan import kind_of
from kubesteward_tools.proposals.objects import MANAGER, STRICT
from kubesteward_tools.proposals.pruning import Applied, pruned
from kubesteward_tools.world.kinds import ResourceType

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_ORDER = (
    ("Namespace",),
    ("CustomResourceDefinition",),
    ("PriorityClass", "StorageClass", "RuntimeClass", "IngressClass"),
    ("ResourceQuota", "LimitRange", "NetworkPolicy"),
    ("ServiceAccount",),
    ("ConfigMap", "Secret", "PersistentVolume", "PersistentVolumeClaim"),
    ("ClusterRole", "Role"),
    ("ClusterRoleBinding", "RoleBinding"),
    ("Service", "PodDisruptionBudget"),
)
"""What others need, in this order; then everything else as it stands in the manifest, then `_LAST`."""
_LAST = (
    ("HorizontalPodAutoscaler", "Ingress"),
    ("ValidatingWebhookConfiguration", "MutatingWebhookConfiguration", "APIService"),
)
"""A webhook or an API that is not served yet refuses every other write."""
_MOST_DOCUMENTS = 50
_PROBLEMS_SHOWN = 10


async def apply(
    world: World,
    manifest: str,
    namespace: str = "",
    *,
    force_conflicts: bool = False,
    prune: str = "",
    prune_count: int | None = None,
) -> Change:
    """Server-side apply of every document as field manager `kubesteward`, then the deletion of what `prune` finds.

    `namespace` is that of documents which name none; `prune` is as in `pruning.pruned`.

    Raises:
        InvalidArguments: says of each document that cannot be meant its line and why.
        Forbidden: what is to be pruned cannot be seen.
    """
    documents = _documents(manifest)
    own, problems, found = defined(item.body for item in documents), list[str](), list[Applied]()
    spaces = {str(item.body["metadata"]["name"]) for item in documents if item.body["kind"] == "Namespace"}
    for document in documents:
        try:
            found.append(await _applied(world, document, namespace, own, spaces))
        except (UnknownKind, InvalidArguments, ObjectNotFound) as error:
            problems.append(f"{document.place}: {document.label}: {error}")
    problems += _twice(found)
    if problems:
        raise InvalidArguments("\n".join(problems[:_PROBLEMS_SHOWN]))
    found.sort(key=lambda item: _rank(item.kind.kind))
    gone = await pruned(world, found, prune, prune_count) if prune else None
    calls = (*(_call(world.cluster, item, force=force_conflicts) for item in found), *(gone.calls if gone else ()))
    words = f"Apply {_listed([str(call.target) for call in calls[: len(found)]])}{gone.words if gone else ''}"
    return Change("apply_manifest", calls[0].target, calls, words)


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - 1} more" if len(names) > 1 else ""
    return f"{names[0]}{more}"


def _documents(manifest: str) -> list[Document]:
    reading = Reading()
    reading.add("manifest", manifest)
    if reading.problems:
        raise InvalidArguments("\n".join(reading.problems[:_PROBLEMS_SHOWN]), todo="Mend it and call again.")
    count = len(reading.documents)
    if not 0 < count <= _MOST_DOCUMENTS:
        raise InvalidArguments(f"the manifest holds {count} objects.", todo=f"Give 1 to {_MOST_DOCUMENTS}.")
    return reading.documents


async def _applied(
    world: World, document: Document, namespace: str, own: dict[tuple[str, str], ResourceType], spaces: set[str]
) -> Applied:
    """`own` are the kinds that definitions of the same manifest make, `spaces` the namespaces that it makes."""
    if not document.body["metadata"].get("name"):
        raise InvalidArguments("an applied object needs metadata.name.", todo="Names cannot be generated here.")
    kind = await kind_of(world, document, own)
    space = str(document.body["metadata"].get("namespace") or namespace or "default") if kind.namespaced else ""
    if space not in spaces:
        await check_namespace(world, space)
    await world.ensure(kind.resource, namespace=space)
    return Applied(document, kind, space)


def _twice(found: Sequence[Applied]) -> list[str]:
    """The second document about an object would take back what the first one set."""
    seen, problems = dict[tuple[str, str, str], Applied](), list[str]()
    for item in found:
        first = seen.setdefault(item.key, item)
        if first is not item:
            problems.append(f"{item.document.place}: {item.document.label} is already at {first.document.place}.")
    return problems


def _rank(kind: str) -> int:
    for number, kinds in enumerate(_ORDER):
        if kind in kinds:
            return number
    for number, kinds in enumerate(_LAST, len(_ORDER) + 1):
        if kind in kinds:
            return number
    return len(_ORDER)


def _call(cluster: str, item: Applied, *, force: bool) -> ApiCall:
    metadata = {key: value for key, value in item.document.body["metadata"].items() if key != "namespace"}
    if item.space:
        metadata["namespace"] = item.space
    target = Ref(cluster, item.kind.group, item.kind.kind, item.space, item.name)
    query = (("fieldManager", MANAGER), *((("force", "true"),) if force else ()), STRICT)
    body = {**item.document.body, "metadata": metadata}
    return ApiCall("patch", item.kind.path(item.space, item.name), target, body, APPLY_PATCH, query)
