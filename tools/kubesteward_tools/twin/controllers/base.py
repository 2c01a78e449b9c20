"""What all controllers have: the engine, its Api, and a name for their writes and events."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from kubesteward_tools.twin import events
from kubesteward_tools.twin.engine import Engine
from kubesteward_tools.twin.identity import controller
from kubesteward_tools.twin.standing import Standing
from kubesteward_tools.world.facts import Facts
from kubesteward_tools.world.store import Event, Key, Object


class Base:
    """`component` is the name that the controller's events carry."""

    component = ""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self.api = engine.api
        self.store = engine.api.store
        self.user = controller(self.component)

    def event(self, about: Object, kind: Any, reason: str, message: str) -> None:
        events.record(self.api, about, kind, reason, message, self.component)

    def after(self, seconds: float, key: Hashable, *, idle: bool = False) -> None:
        self.engine.after(seconds, self, key, idle=idle)  # type: ignore[arg-type]

    def owner(self, obj: Object, kind: str) -> str | None:
        """The name of the controller of this kind that owns the object."""
        for reference in obj["metadata"].get("ownerReferences") or ():
            if reference.get("controller") and reference["kind"] == kind:
                return str(reference["name"])
        return None

    def standings(self, uid: str) -> list[tuple[Key, Facts, Standing]]:
        """The pods that the owner with this UID controls, sorted by name, without reading them."""
        found = []
        for key in self.store.owned_by(uid):
            facts = self.store.facts(key) if key.resource == "pods" else None
            state = facts.standing if facts is not None else None
            if facts is not None and state is not None and state.controller and state.controller.uid == uid:
                found.append((key, facts, state))
        return found

    def owned(self, uid: str, resource: str) -> list[tuple[Key, Object]]:
        """The objects of a resource that the owner with this UID controls, sorted by name."""
        found = []
        for key in self.store.owned_by(uid):
            obj = self.store.get(key) if key.resource == resource else None
            if obj is not None and _controlled_by(obj, uid):
                found.append((key, obj))
        return found


def is_own_report(event: Event) -> bool:
    """Whether nothing but the status changed: what a controller says of an object is no reason to look at it again."""
    if event.type != "MODIFIED" or event.old is None:
        return False
    old, new = event.old, event.obj
    before, after = ({**obj["metadata"], "resourceVersion": ""} for obj in (old, new))
    return old.get("spec") == new.get("spec") and before == after


def _controlled_by(obj: Object, uid: str) -> bool:
    references = obj["metadata"].get("ownerReferences") or ()
    return any(reference["uid"] == uid and reference.get("controller") for reference in references)


def owner_reference(obj: Object) -> dict[str, Any]:
    """What a dependent carries to say that `obj` controls it."""
    return {
        "apiVersion": obj["apiVersion"],
        "kind": obj["kind"],
        "name": obj["metadata"]["name"],
        "uid": obj["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(
    conditions: list[dict[str, Any]],
    now: str,
    *,
    kind: str,
    value: str,
    reason: str,
    message: str,
    updates: bool = True,
) -> list[dict[str, Any]]:
    """The list with one condition set; its transition time moves only when its status does."""
    old = next((item for item in conditions if item["type"] == kind), None)
    if old and (old["status"], old.get("reason"), old.get("message")) == (value, reason, message):
        return conditions
    new = {"type": kind, "status": value, "reason": reason, "message": message}
    if updates:
        new["lastUpdateTime"] = now
    new["lastTransitionTime"] = old["lastTransitionTime"] if old and old["status"] == value else now
    rest = [item for item in conditions if item["type"] != kind]
    return [*rest, new]
