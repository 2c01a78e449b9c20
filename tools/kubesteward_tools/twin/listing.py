"""Lists: selected, sorted, and cut into pages with a token that says where to go on."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from kubesteward_tools.twin import selectors
from kubesteward_tools.twin.status import ApiError, bad_request
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object, Store


def select(store: Store, kind: ResourceType, namespace: str, query: Mapping[str, str]) -> list[Object]:
    """The objects that the query's label and field selectors let through.

    Raises:
        ApiError: 400 for a selector that cannot be read.
    """
    keep = predicate(query)
    found = store.objects(kind.resource, (namespace or None) if kind.namespaced else "")
    return [obj for obj in found if keep(obj)]


def predicate(query: Mapping[str, str]) -> Any:
    """A function of an object. Raises ApiError 400 for a selector that cannot be read."""
    try:
        by_labels = selectors.parse_label_selector(query.get("labelSelector", ""))
        by_fields = selectors.parse_field_selector(query.get("fieldSelector", ""))
    except ValueError as error:
        raise bad_request(str(error)) from None
    return lambda obj: by_labels(obj["metadata"].get("labels") or {}) and by_fields(obj)


def page(kind: ResourceType, items: list[Object], revision: int, query: Mapping[str, str]) -> Object:
    """A List object; `limit` and `continue` as in the API's chunking.

    All pages carry the resourceVersion of the first, so that whoever watches from it misses nothing of what moved
    between two pages.

    Raises:
        ApiError: 400 for a limit or a token that cannot be read.
    """
    revision, after = _position(query.get("continue", ""), revision)
    rest = [obj for obj in items if _place(obj) > after] if after else items
    limit = _limit(query.get("limit", ""))
    chunk = rest[:limit] if limit else rest
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if len(chunk) < len(rest):
        metadata["continue"] = _token(revision, _place(chunk[-1]))
        metadata["remainingItemCount"] = len(rest) - len(chunk)
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": chunk}


def _place(obj: Object) -> tuple[str, ...]:
    return obj["metadata"].get("namespace", ""), obj["metadata"]["name"]


def _limit(text: str) -> int:
    try:
        return max(int(text or 0), 0)
    except ValueError:
        raise bad_request(f"limit: Invalid value: {text!r}: must be a number") from None


def _token(revision: int, last: tuple[str, ...]) -> str:
    return base64.urlsafe_b64encode(json.dumps([revision, *last]).encode()).decode()


def _position(token: str, revision: int) -> tuple[int, tuple[str, ...]]:
    if not token:
        return revision, ()
    try:
        first, namespace, name = json.loads(base64.urlsafe_b64decode(token))
        return int(first), (str(namespace), str(name))
    except (ValueError, TypeError, binascii.Error):
        raise ApiError(400, "BadRequest", "continue key is not valid: ask again from the start") from None
