"""One case: the cluster as it was, and the calls that are made of it. Whatever else a line says is not read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.twin import resources
from kubesteward_tools.twin.clock import parse_timestamp
from kubesteward_tools.twin.identity import ADMIN, User, impersonated
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Key, Object, Store

_CRDS = "CustomResourceDefinition"
_LATER = 2.0
"""Seconds from the youngest object to the change: about what recordings let pass once all was quiet."""


@dataclass(frozen=True, slots=True)
class Step:
    """One mutation. `verb` is one of the API's, or drain: `path` is the node's then, and `body` kubectl's options."""

    verb: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    content_type: str = "application/json"
    body: Any = None
    user: User = ADMIN

    @property
    def is_drain(self) -> bool:
        return self.verb == "drain"

    @property
    def is_eviction(self) -> bool:
        return self.verb == "create" and self.path.endswith("/eviction")

    def request(self) -> Request:
        return Request(self.verb, self.path, self.query, self.content_type, self.body, self.user)


@dataclass(frozen=True, slots=True)
class Case:
    id: str
    before: tuple[Object, ...]
    steps: tuple[Step, ...]

    def store(self) -> Store:
        """The cluster before the change."""
        store, plurals = Store(), _custom_plurals(self.before)
        for obj in self.before:
            group, metadata = obj["apiVersion"].rpartition("/")[0], obj["metadata"]
            kind = resources.by_kind(group, obj["kind"])
            plural = plurals.get((group, obj["kind"]), f"{obj['kind'].lower()}s")
            resource = kind.resource if kind else f"{plural}.{group}"
            store.put(Key(resource, metadata.get("namespace", ""), metadata["name"]), obj)
            version = str(metadata.get("resourceVersion") or "")
            store.revision = max(store.revision, int(version) if version.isdecimal() else 0)
        return store

    @property
    def now(self) -> float:
        """When the change is made, in epoch seconds."""
        stamps = [stamp for obj in self.before if (stamp := obj["metadata"].get("creationTimestamp"))]
        return _LATER + max((parse_timestamp(stamp) for stamp in stamps), default=0.0)


def read(line: str | bytes) -> Case:
    """The case of one line of JSON.

    Raises:
        InvalidArguments: the line is no JSON object with `id`, `before.objects` and `mutation`.
    """
    try:
        found = json.loads(line)
    except ValueError as error:
        raise InvalidArguments(f"not JSON: {error}.") from None
    if not isinstance(found, dict) or not isinstance(found.get("id"), str):
        raise InvalidArguments("a case is a JSON object with an `id`, a string.")
    before = found.get("before")
    objects = before.get("objects") if isinstance(before, dict) else None
    if not isinstance(objects, list) or not all(_is_object(item) for item in objects):
        raise InvalidArguments("`before.objects` must be a list of objects with apiVersion, kind and metadata.name.")
    steps = found.get("mutation")
    if not isinstance(steps, list) or not all(_is_step(item) for item in steps):
        raise InvalidArguments("`mutation` must be a list of objects with verb and path.")
    return Case(found["id"], tuple(objects), tuple(_step(item) for item in steps))


def _is_object(item: Any) -> bool:
    metadata = item.get("metadata") if isinstance(item, dict) else None
    named = isinstance(metadata, dict) and isinstance(metadata.get("name"), str)
    return named and isinstance(item.get("kind"), str) and isinstance(item.get("apiVersion"), str)


def _is_step(item: Any) -> bool:
    if not isinstance(item, dict):
        return False
    named = all(isinstance(item.get(field), str) for field in ("verb", "path"))
    groups = (item.get("as") or {}).get("groups") if isinstance(item.get("as"), dict) else None
    return (
        named
        and isinstance(item.get("query") or {}, dict)
        and isinstance(item.get("content_type") or "", str)
        and isinstance(groups or [], list)
    )


def _step(item: dict[str, Any]) -> Step:
    who = item.get("as")
    query = {str(name): str(value) for name, value in (item.get("query") or {}).items()}
    user = impersonated(str(who.get("user", "")), tuple(who.get("groups") or ())) if isinstance(who, dict) else ADMIN
    content_type = item.get("content_type") or "application/json"
    return Step(item["verb"], item["path"], query, content_type, item.get("body"), user)


def _custom_plurals(objects: tuple[Object, ...]) -> dict[tuple[str, str], str]:
    """The plural of each custom kind, by group and kind."""
    specs = [obj.get("spec") or {} for obj in objects if obj["kind"] == _CRDS]
    return {(spec["group"], spec["names"]["kind"]): spec["names"]["plural"] for spec in specs if "names" in spec}
