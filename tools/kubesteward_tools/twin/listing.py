"""Lists: selected, sorted, and cut into pages with a token that says where to go on."""

from __future__ import annotations

import base64
import binascii
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
    """A List object; `limit` and `continue` as in the API's chunking."""
    start = _start(query.get("continue", ""))
    limit = int(query.get("limit") or 0)
    chunk = items[start : start + limit] if limit else items[start:]
    metadata: dict[str, Any] = {"resourceVersion": str(revision)}
    if start + len(chunk) < len(items):
        metadata["continue"] = base64.urlsafe_b64encode(str(start + len(chunk)).encode()).decode()
        metadata["remainingItemCount"] = len(items) - start - len(chunk)
    return {"kind": f"{kind.kind}List", "apiVersion": kind.api_version, "metadata": metadata, "items": chunk}


def _start(token: str) -> int:
    if not token:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token))
    except (ValueError, binascii.Error):
        raise ApiError(400, "BadRequest", "continue key is not valid: ask again from the start") from None
