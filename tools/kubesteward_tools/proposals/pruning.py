"""What a manifest has left out: objects of its kinds, in its namespaces, with the label that all its documents carry.

`kubectl apply --prune -l` goes by a label alone and over a fixed list of kinds in every namespace, and has deleted
what belonged to others. Here nothing is pruned that the manifest does not plainly lay claim to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubesteward_policies.change import ApiCall
from kubesteward_tools.errors import Forbidden, InvalidArguments
from kubesteward_tools.plans.documents import Document
from kubesteward_tools.proposals.objects import removal
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_HOLD_DATA = frozenset({"Namespace", "CustomResourceDefinition", "PersistentVolume", "PersistentVolumeClaim"})
"""Gone with everything in them: deleted by name or not at all."""
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Applied:
    """One document, the kind it is of, and the namespace that it goes to."""

    document: Document
    kind: ResourceType
    space: str

    @property
    def name(self) -> str:
        return str(self.document.body["metadata"]["name"])

    @property
    def key(self) -> tuple[str, str, str]:
        return self.kind.resource, self.space, self.name


@dataclass(frozen=True, slots=True)
class Pruned:
    """The deletions, and how the change's summary tells of them."""

    calls: tuple[ApiCall, ...]
    words: str


async def pruned(world: World, applied: Sequence[Applied], labels: str, count: int | None) -> Pruned:
    """What carries `labels` (`key=value`, comma-separated), is not in the manifest, and is nobody else's.

    `count` is how many the caller expects.

    Raises:
        InvalidArguments: no such labels, a document without them, or more would go than stay and `count` does not say
        so. Forbidden: the objects of a kind may not be listed.
    """
    wanted = _labels(labels)
    for item in applied:
        if not _carries(item.document.body, wanted):
            todo = f"Give it the label {labels}, or leave prune out."
            raise InvalidArguments(f"{item.document.place}: {item.document.label} does not carry {labels}.", todo=todo)
    for kind, space in sorted({(item.kind.resource, item.space) for item in applied}):
        await world.ensure(kind, namespace=space)
        if not world.feeds.shows(kind, space):
            raise Forbidden(world.forbidden[kind], todo="Leave prune out: nobody can tell what there is.")
    found = list(_left_out(world, applied, wanted))
    gone = [(kind, obj) for kind, obj in found if kind.kind not in _HOLD_DATA]
    _check_count(len(gone), len(applied), count, [_name(kind, obj) for kind, obj in gone])
    words = f"; prune {len(gone)}: {_listed(gone)}" if gone else "; nothing to prune"
    if kept := [(kind, obj) for kind, obj in found if kind.kind in _HOLD_DATA]:
        words += f"; left, as they hold data: {_listed(kept)}"
    return Pruned(tuple(removal(world.cluster, kind, obj) for kind, obj in reversed(gone)), words)


def _labels(text: str) -> dict[str, str]:
    pairs = [part.strip().partition("=") for part in text.split(",")]
    if any(not key or not equals or not value or value.startswith("=") for key, equals, value in pairs):
        todo = "Write key=value, such as app.kubernetes.io/part-of=shop."
        raise InvalidArguments(f"prune={text[:80]!r} names no label.", todo=todo)
    return {key: value for key, _, value in pairs}


def _carries(obj: Object, wanted: Mapping[str, str]) -> bool:
    labels = obj["metadata"].get("labels")
    return isinstance(labels, dict) and wanted.items() <= labels.items()


def _left_out(
    world: World, applied: Sequence[Applied], wanted: Mapping[str, str]
) -> Iterator[tuple[ResourceType, Object]]:
    keep = {item.key for item in applied}
    places = {(item.kind.resource, item.space): item.kind for item in applied}
    for (resource, space), kind in places.items():
        for obj in world.store.objects(resource, space or None):
            metadata = obj["metadata"]
            key = resource, metadata.get("namespace", ""), metadata["name"]
            owned = any(owner.get("controller") for owner in metadata.get("ownerReferences") or ())
            if key not in keep and _carries(obj, wanted) and not owned and "deletionTimestamp" not in metadata:
                yield kind, obj


def _check_count(gone: int, stay: int, count: int | None, names: Sequence[str]) -> None:
    if count is not None and count != gone:
        raise InvalidArguments(f"{gone} objects would be pruned, not {count}.", todo="Look again, then decide.")
    if count is None and gone > stay:
        shown = ", ".join(names[:_SHOWN]) + (", ..." if len(names) > _SHOWN else "")
        why = f"{gone} objects would be pruned and only {stay} kept: {shown}."
        raise InvalidArguments(why, todo=f"If that is meant, say prune_count={gone}.")


def _name(kind: ResourceType, obj: Object) -> str:
    return f"{kind.kind} {'/'.join(filter(None, (obj['metadata'].get('namespace'), obj['metadata']['name'])))}"


def _listed(found: Sequence[tuple[ResourceType, Object]]) -> str:
    names = [_name(kind, obj) for kind, obj in found]
    return ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
