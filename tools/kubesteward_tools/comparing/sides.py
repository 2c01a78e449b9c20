"""One side of a comparison, from the words that name it: a manifest, or `[namespace/]kind/name[@when][ in cluster]`.

`@10m` and `@2026-11-21T08:00:00Z` are its state then, `@revision:3` what an earlier rollout ran, `@applied` what was
last applied with kubectl.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubesteward_tools.errors import InvalidArguments, ObjectNotFound, SteadyError
from kubesteward_tools.lookup.targets import Found, find
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.world.store import Object

if TYPE_CHECKING:
    from kubesteward_tools.tool import Desk
    from kubesteward_tools.world.world import World

FORM = "[namespace/]kind/name[@10m | @TIMESTAMP | @revision:N | @applied][ in CLUSTER]"
_FORM = re.compile(
    r"(?:(?P<space>[^/@\s]+)/)?(?P<kind>[^/@\s]+)/(?P<name>[^/@\s]+)(?:@(?P<when>\S+))?(?:\s+in\s+(?P<cluster>\S+))?"
)
_LONGEST = 1000
_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_REVISION = "deployment.kubernetes.io/revision"
TEMPLATE = ("spec", "template")
_SKEW = 60.0
"""Seconds by which a clock may be ahead of ours."""


@dataclass(frozen=True, slots=True)
class Side:
    """`resource` is the store's, `cluster` "" for what is of none; `part` is what alone it knows of the object."""

    obj: Object
    resource: str
    cluster: str
    label: str
    part: tuple[str, ...] = ()


def is_manifest(text: str) -> bool:
    return "\n" in text.strip() or text.lstrip().startswith("{") or "apiVersion:" in text


async def side(desk: Desk, text: str, cluster: str, namespace: str) -> Side:
    """Raises InvalidArguments, ObjectNotFound, UnknownCluster and what reaching a cluster raises."""
    if is_manifest(text):
        return await _manifest(desk, text, cluster, namespace)
    named = _FORM.fullmatch(text.strip()) if len(text) <= _LONGEST else None
    if named is None:
        raise InvalidArguments(f"{text[:80]!r} names no object.", todo=f"Write {FORM}, or a manifest.")
    world = await desk.clusters.world(named["cluster"] or cluster or None)
    found = await find(world, named["kind"], named["name"], named["space"] or namespace)
    return await _then(world, found, named["when"] or "", desk.now())


async def _manifest(desk: Desk, text: str, cluster: str, namespace: str) -> Side:
    from kubesteward_tools.errors import UnknownKind
    from kubesteward_tools.plans.documents import Reading
    from kubesteward_tools.world.kinds import guessed

    reading = Reading()
    reading.add("manifest", text)
    if reading.problems or len(reading.documents) != 1:
        todo = "Give one object as YAML."
        raise InvalidArguments(" ".join(reading.problems[:3]) or "it holds not exactly one object.", todo=todo)
    body = reading.documents[0].body
    group = str(body["apiVersion"]).rpartition("/")[0]
    world = await desk.clusters.world(cluster or None)
    try:
        kind = await world.known(f"{body['kind']}.{group}" if group else body["kind"])
        resource, namespaced = kind.resource, kind.namespaced
    except UnknownKind:
        resource, namespaced = guessed(group, body["kind"]), bool(namespace)
    metadata = dict(body["metadata"])
    if namespaced and namespace:
        metadata.setdefault("namespace", namespace)
    return Side({**body, "metadata": metadata}, resource, "", f"manifest of {reading.documents[0].label}")


async def _then(world: World, found: Found, when: str, now: float) -> Side:
    live = Side(found.obj, found.key.resource, world.cluster, f"{found.label} in {world.cluster}")
    if not when:
        return live
    label = f"{found.label} @{when} in {world.cluster}"
    if when == "applied":
        return Side(_applied(found), found.key.resource, "", label)
    if when.startswith("revision:"):
        template = await _revision(world, found, when.removeprefix("revision:"))
        own: dict[str, Any] = {key: found.obj[key] for key in ("apiVersion", "kind", "metadata") if key in found.obj}
        return Side({**own, "spec": {"template": template}}, found.key.resource, world.cluster, label, TEMPLATE)
    at = _moment(when, now)
    if at > now + _SKEW:
        raise InvalidArguments(f"{when[:40]!r} is yet to come.", todo="rehearse_change tells what a change leads to.")
    try:
        state = world.state_at(found.ref, at)
    except ValueError as error:
        raise ObjectNotFound(f"{error}.", todo="Ask what_changed how far back the history goes.") from None
    if state is None:
        raise ObjectNotFound(f"{found.label} was not there at {when}.", todo="Ask what_changed when it came.")
    return Side(state, found.key.resource, world.cluster, label)


def _moment(when: str, now: float) -> float:
    from kubesteward_tools.text.ages import seconds

    try:
        return parse_timestamp(when)
    except ValueError:
        pass
    try:
        return now - seconds(when)
    except (SteadyError, ValueError):
        raise InvalidArguments(f"{when[:40]!r} is no time.", todo=f"Write {FORM}.") from None


def _applied(found: Found) -> Object:
    notes = found.obj["metadata"].get("annotations") or {}
    try:
        applied = json.loads(notes.get(_APPLIED, ""))
    except ValueError:
        applied = None
    if not isinstance(applied, dict) or not isinstance(applied.get("metadata"), dict):
        raise ObjectNotFound(f"{found.label} does not say what was last applied.", todo="Give the manifest instead.")
    return applied


async def _revision(world: World, found: Found, number: str) -> dict[str, Any]:
    """The pod template of a revision. Raises ObjectNotFound that names those there are."""
    await world.ensure("replicasets.apps", "controllerrevisions.apps", namespace=found.key.namespace)
    known = dict(_revisions(world, found))
    template = known.get(number)
    if template is None:
        there = ", ".join(sorted(known, key=lambda item: (len(item), item))) or "none"
        raise ObjectNotFound(f"{found.label} has no revision {number[:20]!r}.", todo=f"There are: {there}.")
    return template


def _revisions(world: World, found: Found) -> list[tuple[str, dict[str, Any]]]:
    uid = found.obj["metadata"].get("uid", "")
    kept: list[tuple[str, dict[str, Any]]] = []
    for key in world.store.owned_by(uid):
        obj = world.store.get(key)
        if obj is None:
            continue
        if key.resource == "replicasets.apps":
            number = (obj["metadata"].get("annotations") or {}).get(_REVISION, "")
            kept.append((number, obj["spec"].get("template") or {}))
        elif key.resource == "controllerrevisions.apps":
            template = ((obj.get("data") or {}).get("spec") or {}).get("template") or {}
            kept.append(
                (str(obj.get("revision", "")), {name: item for name, item in template.items() if name != "$patch"})
            )
    return [(number, template) for number, template in kept if number]
