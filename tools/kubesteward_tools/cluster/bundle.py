"""A cluster as it was saved: `kubectl get -o yaml|json` output, or `cluster.json` and `logs.json`."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubesteward_tools.cluster.discovery import Kinds
from kubesteward_tools.cluster.intake import trimmed
from kubesteward_tools.cluster.mending import defined, made_uid, mended
from kubesteward_tools.errors import AskDifferently, InvalidArguments, ObjectNotFound, Refused
from kubesteward_tools.lookup.notes import note
from kubesteward_tools.twin.resources import BUILT_IN, of
from kubesteward_tools.world.kinds import ResourceType, plural
from kubesteward_tools.world.store import Key, Object, Store

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

_SUFFIXES = {".json", ".yaml", ".yml"}


class BundleSource:
    """All there is is in `store` from the start; nothing can be asked of a server or written."""

    connection = None
    namespaces = ()

    def __init__(self, store: Store, kinds: Kinds, logs: Mapping[str, str]) -> None:
        self.store = store
        self._kinds = kinds
        self.logs = logs

    async def kinds(self, *, again: bool = False) -> Kinds:
        return self._kinds

    def world(self, cluster: str) -> World:
        from kubesteward_tools.world.world import World

        return World(cluster, self, self._kinds, self.store)

    def feed(self, kind: ResourceType, store: Store, namespace: str = "") -> None:
        return None

    async def version(self) -> str:
        for _, node in self.store.items("nodes"):
            if version := ((node.get("status") or {}).get("nodeInfo") or {}).get("kubeletVersion"):
                return str(version)
        return "unknown"

    async def log(self, namespace: str, pod: str, query: Mapping[str, str]) -> str:
        """The saved log of the pod, or of one of its containers; the previous run is saved under its own name."""
        suffix = "/previous" if query.get("previous") == "true" else ""
        container = query.get("container", "")
        for name in (f"{namespace}/{pod}/{container}{suffix}", f"{namespace}/{pod}{suffix}", f"{pod}{suffix}"):
            if name in self.logs:
                return self.logs[name]
        raise ObjectNotFound(f"the bundle holds no{suffix.replace('/', ' ')} log of the pod {namespace}/{pod}.")

    async def metrics(self, plural: str, namespace: str) -> list[dict[str, Any]]:
        raise AskDifferently("a bundle holds no metrics.", todo="Ask a live cluster.")

    async def can_i(self, attributes: Mapping[str, str]) -> tuple[bool, str]:
        raise Refused("a bundle cannot be changed.", todo="Use simulate_impact to see what a change would do.")

    async def close(self) -> None:
        return None


def load(path: Path) -> BundleSource:
    """Read a file or a folder, sub-folders included.

    Raises:
        InvalidArguments: nothing is there, a file cannot be parsed, or no object is in it.
    """
    if not path.exists():
        raise InvalidArguments(
            f"there is no bundle at {path}.", todo="Give a folder or file of `kubectl get -o yaml` output."
        )
    files = [path] if path.is_file() else sorted(item for item in path.rglob("*") if item.suffix in _SUFFIXES)
    logs, documents = dict[str, str](), list[Any]()
    for file in files:
        if file.name == "logs.json":
            logs |= saved_logs(_parsed_logs(file))
        else:
            documents += _parsed(file)
    bundle = of_objects(documents, logs)
    if not bundle.store.resources():
        raise InvalidArguments(
            f"no Kubernetes object is in {path}.", todo="Save some with `kubectl get all -A -o yaml`."
        )
    return bundle


def of_objects(documents: Iterable[Any], logs: Mapping[str, str] | None = None) -> BundleSource:
    """The objects as the API serves them, or as manifests have them; what is no object is left out."""
    found = list(chain.from_iterable(map(_objects, documents)))
    store, types = Store(note=note), _Types(defined(found))
    for obj in found:
        _put(store, types, mended(obj, types.of))
    return BundleSource(store, Kinds(types.by_resource.values()), logs or {})


class _Types:
    """The kinds of a bundle: what is built in, what it defines itself, and what is guessed from an object."""

    def __init__(self, defined: Mapping[tuple[str, str], ResourceType]) -> None:
        self.by_resource = {item.resource: item for item in (*BUILT_IN, *defined.values())}
        self._defined = defined

    def of(self, api_version: str, kind: str, *, namespaced: bool = True) -> ResourceType:
        """`namespaced` holds for a custom resource whose definition was not saved: its plural is guessed."""
        group, _, version = api_version.rpartition("/")
        known = of(api_version, kind) or self._defined.get((group, kind))
        return known or ResourceType(group, version, kind, plural(kind), namespaced, kind.lower())


def _parsed(file: Path) -> list[Any]:
    text = file.read_text("utf-8", errors="replace")
    try:
        if file.suffix == ".json":
            return [json.loads(text)]
        import yaml

        return list(yaml.load_all(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)))
    except Exception as error:  # noqa: BLE001 - two parsers, two trees of errors, one sentence
        first = str(error).partition("\n")[0]
        raise InvalidArguments(f"{file} cannot be read: {first}.", todo="Mend the file or leave it out.") from None


def _parsed_logs(file: Path) -> dict[str, Any]:
    saved = _parsed(file)[0] or {}
    if not isinstance(saved, dict):
        raise InvalidArguments(f"{file} does not map pods to their logs.", todo="Mend the file or leave it out.")
    return saved


def _objects(document: Any) -> Iterator[Object]:
    """Objects of a List, of a plain JSON list, of a mapping of lists, or the document itself."""
    if isinstance(document, list):
        for item in document:
            yield from _objects(item)
    elif isinstance(document, dict) and isinstance(document.get("items"), list):
        item_kind = str(document.get("kind", "")).removesuffix("List")
        for item in filter(_is_mapping, document["items"]):
            defaults = {"kind": item_kind, "apiVersion": document.get("apiVersion", "v1")}
            yield from _objects({**defaults, **item} if item_kind else item)
    elif isinstance(document, dict) and "kind" in document and "metadata" in document:
        if _is_saved(document):
            yield document
    elif isinstance(document, dict):
        for value in document.values():
            if isinstance(value, list):
                yield from _objects(value)


def _is_mapping(item: Any) -> bool:
    return isinstance(item, dict)


def _is_saved(document: Object) -> bool:
    """Whether it came from a cluster: templates and other tools' files have no name, or are of no kind."""
    metadata = document["metadata"]
    name = metadata.get("name") if isinstance(metadata, dict) else None
    words = (document["kind"], document.get("apiVersion", "v1"), name)
    return all(isinstance(word, str) and word for word in words)


def _put(store: Store, types: _Types, obj: Object) -> None:
    api_version, kind, metadata = obj.get("apiVersion", "v1"), obj["kind"], obj["metadata"]
    found = types.of(api_version, kind, namespaced="namespace" in metadata)
    types.by_resource.setdefault(found.resource, found)
    namespace = metadata.get("namespace") or ("default" if found.namespaced else "")
    own = {"uid": made_uid(found, namespace, metadata["name"]), "resourceVersion": "1"}
    full = {**obj, "metadata": {**own, **metadata}}
    if namespace:
        full["metadata"]["namespace"] = namespace
    key = Key(found.resource, namespace if found.namespaced else "", metadata["name"])
    before = store.get(key)
    if before is not None and "status" in before and "status" not in obj:
        return  # the manifest that the saved object was made from lies beside it
    store.put(key, trimmed(full, kind, api_version))


def saved_logs(saved: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    """`namespace/pod[/container][/previous]` -> text, from nested or flat mappings, lists of lines or text."""
    found: dict[str, str] = {}
    for name, value in saved.items():
        where = f"{prefix}{name}"
        if name == "current" and isinstance(value, str):
            found[prefix.rstrip("/")] = value
        elif isinstance(value, dict):
            found |= saved_logs(value, f"{where}/")
        else:
            found[where] = "\n".join(map(str, value)) if isinstance(value, list) else str(value)
    return found
