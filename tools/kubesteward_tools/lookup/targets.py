"""The object somebody means, or one sentence that says which one they may have meant instead."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubesteward_policies.ref import Ref
from kubesteward_tools.errors import Forbidden, InvalidArguments, ObjectNotFound, SteadyError
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_LIKELY = (
    "pods",
    "deployments.apps",
    "statefulsets.apps",
    "daemonsets.apps",
    "jobs.batch",
    "cronjobs.batch",
    "services",
    "replicasets.apps",
    "configmaps",
)


_CUT = 80
"""Characters of a wrong name that are repeated."""
_MANY = 1000


@dataclass(frozen=True, slots=True)
class Found:
    """One object of one world."""

    world: World
    type: ResourceType
    key: Key
    obj: Object

    @property
    def ref(self) -> Ref:
        return Ref(self.world.cluster, self.type.group, self.type.kind, self.key.namespace, self.key.name)

    @property
    def label(self) -> str:
        """`Deployment shop/web`."""
        return f"{self.type.kind} {self.ref.path}"


def parse(target: str, default_kind: str = "Pod") -> tuple[str, str]:
    """`kind/name` or a name alone into both parts.

    Raises:
        InvalidArguments: neither.
    """
    kind, slash, name = target.strip().rpartition("/")
    if not name or (slash and not kind):
        raise InvalidArguments(f"{target[:80]!r} names no object.", todo="Write kind/name, such as deploy/web.")
    return kind or default_kind, name


async def find(world: World, kind: str, name: str, namespace: str = "") -> Found:
    """The object. Without a namespace, the only one of that name in any.

    Raises:
        UnknownKind, Forbidden, InvalidArguments (the name is in several namespaces).
        ObjectNotFound: says where or under which kind it is, or which names are near.
    """
    wanted = await world.known(kind)
    await world.ensure(wanted.resource, namespace=namespace)
    if not world.feeds.shows(wanted.resource, namespace):
        todo = "Name a namespace that you may read, or ask an operator for list and watch on it."
        raise Forbidden(world.forbidden[wanted.resource], todo=todo)
    if not wanted.namespaced:
        namespace = ""
    spaces = [namespace] if namespace or not wanted.namespaced else world.store.spaces_with(wanted.resource, name)
    keys = [Key(wanted.resource, space, name) for space in spaces]
    found = [(key, obj) for key in keys if (obj := world.store.get(key)) is not None]
    if len(found) > 1:
        where = ", ".join(key.namespace for key, _ in found[:8])
        raise InvalidArguments(
            f"{wanted.kind} {name!r} is in {len(found)} namespaces: {where}.", todo="Say which with namespace=."
        )
    if not found:
        raise await _absent(world, wanted, name, namespace)
    return Found(world, wanted, *found[0])


async def check_namespace(world: World, namespace: str) -> None:
    """Raises ObjectNotFound with near names when the cluster's namespaces are known and this is none of them."""
    if not namespace:
        return
    await world.ensure("namespaces")
    known = [key.name for key in world.store.keys("namespaces")]
    if not world.writable:
        known += [space for resource in world.store.resources() for space in world.store.spaces(resource)]
    if namespace in known or "namespaces" in world.forbidden:
        return
    known = sorted(set(filter(None, known)))
    raise ObjectNotFound(f"there is no namespace {namespace!r} in {world.cluster}.", todo=_meant(namespace, known))


async def _absent(world: World, wanted: ResourceType, name: str, namespace: str) -> SteadyError:
    """The one most useful sentence: wrong namespace, wrong kind, no such namespace, or a near name."""
    where = f" in namespace {namespace!r}" if namespace else ""
    head = f"there is no {wanted.kind} {name[:_CUT]!r}{where}."
    elsewhere = world.store.spaces_with(wanted.resource, name)
    if elsewhere:
        return ObjectNotFound(head, todo=f"It is in namespace {' and '.join(map(repr, elsewhere[:4]))}.")
    other = await _other_kind(world, wanted, name, namespace)
    if other:
        return ObjectNotFound(head, todo=f"{name!r} is a {other}.")
    try:
        await check_namespace(world, namespace)
    except ObjectNotFound as error:
        return error
    names = [key.name for key in world.store.keys(wanted.resource, namespace or None)]
    return ObjectNotFound(head, todo=_meant(name, names))


async def _other_kind(world: World, wanted: ResourceType, name: str, namespace: str) -> str:
    try:
        await world.ensure(*_LIKELY)
    except SteadyError:
        return ""
    for item in world.kinds.all():
        if item.resource in _LIKELY and item.resource != wanted.resource:
            spaces = [space for space in world.store.spaces_with(item.resource, name) if namespace in {"", space}]
            if spaces:
                return f"{item.kind}" + ("" if namespace else f" in namespace {spaces[0]!r}")
    return ""


def near_names(word: str, names: Sequence[str]) -> list[str]:
    """At most three that look like it. Of very many, only those that begin like it are looked at."""
    if len(names) > _MANY:
        names = [name for name in names if name[:3] == word[:3]][:_MANY]
    return difflib.get_close_matches(word, names, n=3, cutoff=0.5)


def _meant(word: str, known: Iterable[str]) -> str:
    names = list(dict.fromkeys(known))
    near = near_names(word, names) or [n for n in names if word in n][:3]
    if near:
        return f"Did you mean {' or '.join(map(repr, near))}?"
    return f"There are: {', '.join(sorted(names)[:8])}." if names else "There are none at all."
