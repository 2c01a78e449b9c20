"""From objects of the twin to HTTP answers: JSON, Status bodies, warnings, and the forms named by Accept headers."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web

from kubesteward.embedded import custom_columns
from kubesteward.embedded.columns import COLUMNS, PLAIN, Column
from kubesteward.embedded.tables import table
from kubesteward_tools.twin.api import Api
from kubesteward_tools.twin.route import Route
from kubesteward_tools.world.store import Object

JSON = "application/json"


def reply(
    body: dict[str, Any], status: int = 200, warnings: tuple[str, ...] = (), content_type: str = JSON
) -> web.Response:
    response = web.Response(body=msgspec.json.encode(body), status=status, headers={"Content-Type": content_type})
    for text in warnings:
        plain = "".join(character if character.isprintable() else " " for character in text)  # a header is one line
        quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{quoted}"')
    if body.get("kind") == "Status" and (retry := (body.get("details") or {}).get("retryAfterSeconds")):
        response.headers["Retry-After"] = str(retry)
    return response


def form(accept: str) -> str:
    """What a client prefers: "Table", "PartialObjectMetadata", or "" for the objects themselves."""
    first = accept.partition(",")[0]
    if "as=Table" in first:
        return "Table"
    return "PartialObjectMetadata" if "as=PartialObjectMetadata" in first else ""


def shaped(body: Object, api: Api, route: Route, wanted: str, include: str) -> Object:
    """An object or list in the form wanted; a Status stays what it is."""
    if not wanted or body.get("kind") == "Status":
        return body
    listed = isinstance(body.get("items"), list)
    items = body["items"] if listed else [body]
    version = body["metadata"].get("resourceVersion", "")
    metadata = body["metadata"] if listed else {"resourceVersion": version}
    if wanted == "Table":
        return table(route.kind, columns_of(api, route), items, metadata, api.clock.now, include=include)
    partial = [partial_metadata(obj) for obj in items]
    if not listed:
        return partial[0]
    head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1"}
    return {**head, "metadata": metadata, "items": partial}


def partial_metadata(obj: Object) -> Object:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": obj["metadata"]}


def columns_of(api: Api, route: Route) -> tuple[Column, ...]:
    definition = api.definition(route.kind)
    if definition is not None:
        return custom_columns.columns(definition, route.kind.version)
    return COLUMNS.get(route.kind.resource, PLAIN)


def empty_table(api: Api, route: Route, metadata: dict[str, Any]) -> Object:
    """A Table without rows: how a bookmark looks to who watches Tables."""
    return table(route.kind, columns_of(api, route), [], metadata, 0.0)
