"""The history of StatefulSets and DaemonSets: a ControllerRevision for each template they have had.

API doc: apps/v1 ControllerRevision. `kubectl rollout history` reads them, `rollout undo` patches with one's data.
"""

from __future__ import annotations

from collections.abc import Callable, Container
from typing import Any

from kubesteward_tools.twin.controllers.base import Base, owner_reference
from kubesteward_tools.twin.controllers.rollout import template_hash
from kubesteward_tools.twin.disruption import controller_of
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.world.store import Key, Object

REVISIONS = "controllerrevisions.apps"
POD_LABEL = "controller-revision-hash"
"""The label by which a pod says of which revision it is."""


class Revisions:
    """`label` is the one by which the revisions themselves carry their hash."""

    def __init__(self, controller: Base, label: str) -> None:
        self._controller, self._label = controller, label
        self._api, self._store = controller.api, controller.store

    def of(self, owner: Object) -> list[Object]:
        """Its revisions, oldest first; matching orphans are adopted."""
        if "deletionTimestamp" not in owner["metadata"]:
            self._adopt(owner)
        found = [item for _, item in self._controller.owned(owner["metadata"]["uid"], REVISIONS)]
        return sorted(found, key=_age)

    def newest(self, owner: Object) -> Object:
        """The revision of the owner's template: made when there is none, put on top when the owner went back to it."""
        template, known = owner["spec"]["template"], self.of(owner)
        top = max((item["revision"] for item in known), default=0)
        same = [item for item in known if describes(item, template)]
        if not same:
            return self._create(owner, top + 1)
        found = same[-1]
        others = max((item["revision"] for item in known if item not in same), default=0)
        if found["revision"] > others:
            return found
        return self._api.replace(key_of(found), {**found, "revision": top + 1})

    def forget(self, owner: Object, live: Callable[[], Container[str]]) -> None:
        """Keep as many that nobody runs as the owner's limit says; `live` tells the hashes of the others."""
        known, limit = self.of(owner), owner["spec"].get("revisionHistoryLimit", 10)
        if len(known) <= limit:
            return
        kept = live()
        idle = [item for item in known[:-1] if self.mark(item) not in kept]
        for item in idle[: max(0, len(idle) - limit)]:
            self._api.delete(*key_of(item))

    def remember(self, owner: Object, mark: str, template: Object) -> Object:
        """Write down a revision that must have been there before anybody looked: pods say that they are of it."""
        return self._api.replace(*self._drawn_up(owner, mark, template, number=1))

    def mark(self, revision: Object) -> str:
        """Its hash."""
        labels = revision["metadata"].get("labels") or {}
        return str(labels.get(self._label, revision["metadata"]["name"]))

    def _create(self, owner: Object, number: int) -> Object:
        """A name that is taken by another template's revision is a collision: the next hash will do."""
        template, collisions = owner["spec"]["template"], (owner.get("status") or {}).get("collisionCount", 0)
        while True:
            key, revision = self._drawn_up(owner, template_hash(template, collisions), template, number)
            taken = self._store.get(key)
            if taken is None:
                made = self._api.create(*key[:2], revision, user=self._controller.user)
                self._count_collisions(owner, collisions)
                return made
            collisions += 1

    def _count_collisions(self, owner: Object, collisions: int) -> None:
        status = owner.get("status") or {}
        if collisions > status.get("collisionCount", 0):
            kind, metadata = f"{owner['kind'].lower()}s.apps", owner["metadata"]
            self._api.update_status(
                kind, metadata["namespace"], metadata["name"], {**status, "collisionCount": collisions}
            )

    def _drawn_up(self, owner: Object, mark: str, template: Object, number: int) -> tuple[Key, Object]:
        metadata = owner["metadata"]
        labels = {**((template.get("metadata") or {}).get("labels") or {}), self._label: mark}
        key = Key(REVISIONS, metadata["namespace"], f"{metadata['name']}-{mark}")
        revision = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": {
                "name": key.name,
                "namespace": key.namespace,
                "labels": labels,
                **({"annotations": dict(metadata["annotations"])} if metadata.get("annotations") else {}),
                "ownerReferences": [owner_reference(owner)],
                "uid": self._api.names.uid(),
                "creationTimestamp": self._api.clock.timestamp,
            },
            "data": {"spec": {"template": {**template, "$patch": "replace"}}},
            "revision": number,
        }
        return key, revision

    def _adopt(self, owner: Object) -> None:
        namespace, selector = owner["metadata"]["namespace"], owner["spec"].get("selector")
        for key, item in self._store.items(REVISIONS, namespace):
            if controller_of(item) is None and matches(selector, item["metadata"].get("labels")):
                references = [*(item["metadata"].get("ownerReferences") or ()), owner_reference(owner)]
                self._api.replace(key, {**item, "metadata": {**item["metadata"], "ownerReferences": references}})


def key_of(revision: Object) -> Key:
    return Key(REVISIONS, revision["metadata"]["namespace"], revision["metadata"]["name"])


def template_of(revision: Object) -> Object:
    template = ((revision.get("data") or {}).get("spec") or {}).get("template") or {}
    return {key: value for key, value in template.items() if key != "$patch"}


def describes(revision: Object, template: Object) -> bool:
    """Whether the revision is of this template; API servers before 1.34 wrote an empty creationTimestamp into it."""
    return _tidy(template_of(revision)) == _tidy(template)


def _tidy(template: Object) -> dict[str, Any]:
    metadata = {key: value for key, value in (template.get("metadata") or {}).items() if value}
    return {**template, "metadata": metadata}


def _age(revision: Object) -> tuple[int, str, str]:
    metadata = revision["metadata"]
    return revision["revision"], metadata.get("creationTimestamp", ""), metadata["name"]
