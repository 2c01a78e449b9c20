"""Bodies as the server reads them: the fields that a kind has, of the right types, and what becomes of others."""

from __future__ import annotations

import json
from typing import Any

from kubesteward_tools.twin.api import Api
from kubesteward_tools.twin.custom import writes
from kubesteward_tools.twin.route import Request, Route
from kubesteward_tools.twin.status import ApiError, FieldError, bad_request, invalid
from kubesteward_tools.twin.validation import base64, fields
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Object

SCALE = ResourceType("autoscaling", "v1", "Scale", "", True)


def decoded(api: Api, request: Request, route: Route, body: Object) -> Object:
    """A whole object as the server reads it. Raises ApiError 400."""
    kind = route.kind
    what = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
    version = body.get("apiVersion", kind.api_version)
    if api.kinds.is_custom(kind) and version != kind.api_version:
        why = f"the API version in the data ({version}) does not match the expected API version ({kind.api_version})"
        raise bad_request(why)
    if request.verb == "create" and (why := base64.wrong(kind, body)):  # a mirror's Secrets hold hashes
        raise bad_request(f"{what}: {why}")
    return read(api, request, what, kind, body)


def _known(api: Api, kind: ResourceType, obj: Any) -> tuple[Object, list[str]]:
    """The object without the fields that its kind does not have, and these. Raises fields.WrongType."""
    if kind is SCALE:
        return fields.known(obj, fields.SCALE)
    if api.kinds.is_custom(kind):
        return writes.known(api.definition(kind), kind, obj)
    return fields.known(obj, fields.type_of(kind))


def read(api: Api, request: Request, what: str, kind: ResourceType, body: Object) -> Object:
    try:
        kept, unknown = _known(api, kind, body)
    except fields.WrongType as error:
        raise bad_request(f"{what}: {error}") from None
    if unknown and request.query.get("fieldValidation") == "Strict":
        raise bad_request(f"{what}: strict decoding error: {', '.join(fields.paths(unknown))}")
    _warn(api, request, unknown)
    return kept


def merged(api: Api, request: Request, kind: ResourceType, obj: Object) -> Object:
    """A patched object as the server reads it. Raises ApiError 422."""
    try:
        kept, unknown = _known(api, kind, obj)
    except fields.WrongType as error:
        raise _unfit(obj, str(error)) from None
    if unknown and request.query.get("fieldValidation") == "Strict":
        raise _unfit(obj, f"strict decoding error: {', '.join(fields.paths(unknown))}")
    _warn(api, request, unknown)
    return kept


def _unfit(obj: Object, why: str) -> ApiError:
    shown = json.dumps(json.dumps(obj, separators=(",", ":")))
    return invalid("", "", [FieldError("FieldValueInvalid", "patch", f"Invalid value: {shown}: {why}")])


def _warn(api: Api, request: Request, unknown: list[str]) -> None:
    """As the server does unless it is told otherwise; the fields are dropped in any case."""
    if request.query.get("fieldValidation", "Warn") == "Warn":
        api.warnings += fields.paths(unknown)


def check_declared(api: Api, route: Route, body: Object) -> None:
    """Server-side apply takes no field that the schema does not declare, whatever `fieldValidation` says (KEP-555)."""
    try:
        _, unknown = _known(api, route.kind, body)
    except fields.WrongType as error:
        raise bad_request(str(error)) from None
    if why := base64.wrong(route.kind, body):
        raise bad_request(why)
    if unknown:
        kind = route.kind
        what = f"{route.namespace}/{route.name}; {kind.api_version}, Kind={kind.kind}"
        listed = ", ".join(f".{path}: field not declared in schema" for path in unknown)
        raise ApiError(500, "", f"failed to create typed patch object ({what}): {listed}")
