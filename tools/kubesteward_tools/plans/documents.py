"""Manifests as people keep them: YAML and JSON streams taken apart, each object with the place that it stands at.

Nothing is left out in silence: what is no object is a problem with a file and a line.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from kubesteward_policies.digest import canonical_json
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.proposals.objects import check_size

_GO_READS_AS_TEXT = ("tag:yaml.org,2002:timestamp", "tag:yaml.org,2002:value")
"""Bare dates and `=`: YAML 1.1 gives them meanings that kubectl's reader does not know."""
_SOURCE = re.compile(r"# Source: (\S{1,500})\s*$")
"""What `helm template` writes above each document."""
_DEEPEST_LIST = 5
_TEMPLATE = "{{"


@dataclass(frozen=True, slots=True)
class Place:
    """`source` is the file as it was named, "stdin", or what a comment of Helm's says; lines count from 1."""

    source: str
    line: int

    def __str__(self) -> str:
        return f"{self.source}:{self.line}"


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One object of a manifest. `node` is its YAML, for the lines of its fields; None where they are not known."""

    place: Place
    body: dict[str, Any]
    node: Any = field(default=None, repr=False)

    @property
    def label(self) -> str:
        """`Deployment shop/web`, as far as it says so."""
        metadata = self.body.get("metadata") or {}
        name = metadata.get("name") or f"{metadata.get('generateName', '')}*"
        return f"{self.body.get('kind')} {'/'.join(filter(None, (metadata.get('namespace'), name)))}"

    def line(self, path: Sequence[str | int]) -> int:
        """The line of a field, or of the nearest one around it that is there."""
        node, line = self.node, self.place.line
        for step in path:
            found = _step(node, step) if self.node is not None else None
            if found is None:
                break
            line, node = found
        return line


def _step(node: Any, step: str | int) -> tuple[int, Any] | None:
    """The line that a field begins at, and its node."""
    if node.id == "mapping":
        # Of a key that is there twice, or comes from an alias too, the last one holds.
        found = (item for item in reversed(node.value) if item[0].value == str(step))
        return next(((key.start_mark.line + 1, value) for key, value in found), None)
    if node.id == "sequence" and isinstance(step, int) and 0 <= step < len(node.value):
        return node.value[step].start_mark.line + 1, node.value[step]
    return None


@dataclass(slots=True)
class Reading:
    """What was found so far, and the sentences about what is no object.

    Not `strict`, it takes what says its apiVersion and kind, though no server would: to be judged, not to be applied.
    What says neither is then no manifest but another file, and `passed` over.
    """

    documents: list[Document] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    strict: bool = True
    passed: list[str] = field(default_factory=list)

    def add(self, source: str, text: str) -> None:
        """Take one stream apart. Empty documents are no objects and no problems."""
        lines = text.split("\n")
        try:
            for node, value, doubled in _composed(text):
                if not self.strict:
                    self.problems += [f"{source}:{line}: {key!r} is there twice." for key, line in doubled]
                if value is not None:
                    place = _place(source, lines, node)
                    self._take(place, value, node if place.source == source else None)
        except _faults() as error:
            self.problems.append(_sentence(source, text, error))

    def _take(self, place: Place, value: Any, node: Any, depth: int = 0) -> None:
        if not isinstance(value, dict):
            self.problems.append(f"{place}: a document is {_kind_of(value)} and no object.")
        elif str(value.get("kind", "")).endswith("List") and isinstance(value.get("items"), list):
            self._take_list(place, value, node, depth)
        elif not self.strict and not _is_typed(value):
            self.passed.append(f"{place}: this is no Kubernetes object.")
        elif (why := _malformed(value)) and self.strict:
            self.problems.append(f"{place}: {why}")
        else:
            self.documents.append(Document(place, value, node))

    def _take_list(self, place: Place, value: dict[str, Any], node: Any, depth: int) -> None:
        if depth == _DEEPEST_LIST:
            self.problems.append(f"{place}: lists are nested too deeply.")
            return
        kind = str(value["kind"]).removesuffix("List")
        own = {"kind": kind, "apiVersion": value.get("apiVersion")} if kind else {}
        nodes = _items(node)
        for number, item in enumerate(value["items"]):
            inner = nodes[number] if number < len(nodes) else None
            line = inner.start_mark.line + 1 if inner is not None else place.line
            full = {**own, **item} if isinstance(item, dict) else item
            self._take(Place(place.source, line), full, inner, depth + 1)


def _items(node: Any) -> list[Any]:
    found = _step(node, "items") if node is not None else None
    return list(found[1].value) if found and found[1].id == "sequence" else []


@functools.cache
def _loader() -> Any:
    import yaml

    base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    resolvers = {
        first: [(tag, pattern) for tag, pattern in found if tag not in _GO_READS_AS_TEXT]
        for first, found in base.yaml_implicit_resolvers.items()
    }
    return type("_Loader", (base,), {"yaml_implicit_resolvers": resolvers})


def _faults() -> tuple[type[Exception], ...]:
    import yaml

    return (yaml.YAMLError, ValueError, RecursionError, TypeError, InvalidArguments)


def _composed(text: str) -> Iterator[tuple[Any, Any, list[tuple[str, int]]]]:
    """Each document's node and value, and the keys that a mapping has twice, of which a server takes neither."""
    loader = _loader()(text)
    try:
        while loader.check_node():
            node = loader.get_node()
            doubled = sorted(_doubled(node), key=lambda item: item[1])  # before aliases are written out
            value = loader.construct_document(node)
            check_size(value, "a document")
            yield node, value, doubled
    finally:
        loader.dispose()


def _doubled(root: Any) -> Iterator[tuple[str, int]]:
    seen, waiting = {id(root)}, [root]
    while waiting:
        node = waiting.pop()
        keys: set[str] = set()
        for item in node.value if node.id in {"mapping", "sequence"} else ():
            for inner in item if node.id == "mapping" else (item,):
                if id(inner) not in seen:
                    seen.add(id(inner))
                    waiting.append(inner)
            if node.id == "mapping" and item[0].id == "scalar":
                if item[0].value in keys and item[0].value != "<<":
                    yield item[0].value[:60], item[0].start_mark.line + 1
                keys.add(item[0].value)


def _place(source: str, lines: list[str], node: Any) -> Place:
    """Where Helm says which template a document comes from, that is its place."""
    line = node.start_mark.line
    for above in reversed(lines[max(line - 3, 0) : line]):
        if found := _SOURCE.match(above):
            return Place(found[1], 1)
        if not above.startswith("#"):
            break
    return Place(source, line + 1)


def _sentence(source: str, text: str, error: Exception) -> str:
    if isinstance(error, InvalidArguments):
        return f"{source}: {error}"
    mark = getattr(error, "problem_mark", None)
    place = f"{source}:{mark.line + 1}" if mark is not None else source
    why = getattr(error, "problem", None) or "it cannot be read"
    hint = " Render templates first, as with `helm template`." if _TEMPLATE in text else ""
    return f"{place}: this is no YAML or JSON: {why}.{hint}"


def _is_typed(value: dict[str, Any]) -> bool:
    return all(isinstance(value.get(name), str) and value[name] for name in ("apiVersion", "kind"))


def _malformed(value: dict[str, Any]) -> str:
    """Why an API server would not know what it is, or ""."""
    for name in ("apiVersion", "kind"):
        if not isinstance(value.get(name), str) or not value[name]:
            return f"an object lacks {name}."
    metadata = value.get("metadata")
    names = [metadata.get(name) for name in ("name", "generateName")] if isinstance(metadata, dict) else []
    if not any(isinstance(name, str) and name for name in names):
        return f"a {value['kind'][:60]} lacks metadata.name."
    if not isinstance(metadata.get("namespace") or "", str):  # type: ignore[union-attr]  # a mapping, as it has names
        return f"metadata.namespace of a {value['kind'][:60]} is no text."
    try:
        canonical_json(value)
    except (ValueError, TypeError, RecursionError):
        return "an object holds what JSON does not: a number beyond 2**53, a key that is no text, or binary data."
    return ""


def _kind_of(value: Any) -> str:
    return {list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}.get(
        type(value), "something else"
    )
