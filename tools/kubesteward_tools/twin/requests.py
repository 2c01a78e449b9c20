"""One request of the Kubernetes API, from path to response: routing, RBAC, the verb, and refusals as Status bodies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from kubesteward_tools.twin import listing, managers, reviews, scale, versions
from kubesteward_tools.twin.api import APPLY_PATCH, Api, Managed, patched
from kubesteward_tools.twin.eviction import evict
from kubesteward_tools.twin.fieldsets import Path
from kubesteward_tools.twin.managers import Manager
from kubesteward_tools.twin.rbac import Access, can
from kubesteward_tools.twin.route import Request, Response, Route, no_such_resource, parse
from kubesteward_tools.twin.status import (
    ApiError,
    FieldError,
    bad_request,
    conflict,
    forbidden,
    invalid,
    method_not_allowed,
    not_supported,
    required,
    unsupported_media_type,
)
from kubesteward_tools.twin.validation import fields
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object

_PATCH_TYPES = (
    "application/json-patch+json",
    "application/merge-patch+json",
    "application/strategic-merge-patch+json",
    APPLY_PATCH,
)


_IMMORTAL = {"default", "kube-system", "kube-public"}


def handle(api: Api, request: Request) -> Response:
    """Answer it; whatever is refused is a Response too."""
    if versions.is_old(request):
        return versions.downgraded(handle(api, versions.upgraded(request)))
    api.warnings = []
    try:
        route = parse(request.path)
        authorize(api, request, route)
        _check_options(request)
        verb = _meant(request, route)
        if verb not in _VERBS:
            raise method_not_allowed()
        status, body = _VERBS[verb](api, request, route)
    except ApiError as error:
        return Response(error.code, error.as_status(), tuple(api.warnings))
    return Response(status, body, tuple(api.warnings))


def _meant(request: Request, route: Route) -> str:
    """Of a whole collection, get is list and delete is deletecollection."""
    if route.name:
        return request.verb
    return {"get": "list", "delete": "deletecollection"}.get(request.verb, request.verb)


def authorize(api: Api, request: Request, route: Route) -> None:
    """Raises ApiError 403, worded as the real authorizer's."""
    kind, user = route.kind, request.user
    namespace = route.name if kind.resource == "namespaces" else route.namespace
    verb = _meant(request, route)
    access = Access(verb, kind.group, kind.plural, namespace, route.name, route.subresource)
    decision = can(api.store, user, access)
    if decision.allowed:
        return
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    what = f'{kind.resource} "{route.name}"' if route.name else kind.resource
    message = (
        f'{what} is forbidden: User "{user.name}" cannot {verb} resource "{access.full_resource}" '
        f'in API group "{kind.group}" {where}'
    )
    details = {"name": route.name, "group": kind.group, "kind": kind.plural}
    reason = f": {decision.reason}" if decision.reason else ""
    raise ApiError(403, "Forbidden", message + reason, details={key: value for key, value in details.items() if value})


def _check_options(request: Request) -> None:
    dry_run = request.query.get("dryRun")
    if dry_run not in {None, "", "All"}:
        kind = {"create": "Create", "update": "Update", "patch": "Patch", "delete": "Delete"}.get(request.verb, "List")
        raise invalid(f"{kind}Options.meta.k8s.io", "", [not_supported("dryRun", [dry_run], ["All"])])


def _is_dry(request: Request) -> bool:
    body = request.body if isinstance(request.body, dict) else {}
    in_body = request.verb in {"delete", "deletecollection"} and body.get("dryRun") == ["All"]
    return request.query.get("dryRun") == "All" or in_body


def _body(request: Request) -> Object:
    if not isinstance(request.body, dict):
        raise bad_request("the body of the request must be a JSON object")
    if not isinstance(request.body.get("metadata") or {}, dict):
        raise bad_request("json: cannot unmarshal the object: metadata must be an object")
    return request.body


def _get(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    obj = api.get(route.kind.resource, route.namespace, route.name)
    if route.subresource == "scale":
        return 200, scale.read(obj)
    if route.subresource not in {"", "status", "resize", "ephemeralcontainers"}:
        raise no_such_resource()
    return 200, obj


def _list(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    items = listing.select(api.store, route.kind, route.namespace, request.query)
    return 200, listing.page(route.kind, items, api.store.revision, request.query)


def _create(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    body, kind, dry = _body(request), route.kind, _is_dry(request)
    if kind.verbs == ("create",):
        return 201, reviews.answer(api.store, kind.kind, body, request.user)
    if route.subresource == "eviction":
        if (body.get("metadata") or {}).get("name") != route.name:
            raise bad_request("name in URL does not match name in Eviction object")
        return 201, evict(api, route.namespace, route.name, body, dry_run=dry)
    if route.subresource == "binding":
        return 201, _bind(api, route, body)
    if route.subresource or route.name:
        raise no_such_resource()
    _check_new(route, body)
    body = _decoded(api, request, route, body)
    return 201, api.create(kind.resource, route.namespace, body, user=request.user, dry_run=dry)


def _check_new(route: Route, body: Object) -> None:
    """Raises ApiError 400 for an object of another version, 500 for one that was there before."""
    found, expected = body.get("apiVersion"), route.kind.api_version
    if found is not None and found != expected:
        raise bad_request(f"the API version in the data ({found}) does not match the expected API version ({expected})")
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and metadata.get("resourceVersion"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")


def _bind(api: Api, route: Route, body: Object) -> Object:
    pod = api.get("pods", route.namespace, route.name)
    if pod["spec"].get("nodeName"):
        raise conflict(
            route.kind, route.name, f'pod {route.name} is already assigned to node "{pod["spec"]["nodeName"]}"'
        )
    bound = {**pod, "spec": {**pod["spec"], "nodeName": body["target"]["name"]}}
    api.bind(route.namespace, route.name, bound)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}


def _update(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    body, kind = _body(request), route.kind
    if route.subresource == "scale":
        old = api.get(kind.resource, route.namespace, route.name)
        wanted = _read(api, request, 'Scale in version "v1" cannot be handled as a Scale', fields.SCALE, body)
        return 200, _write_scale(api, request, route, scale.written(old, wanted))
    if route.subresource == "finalize":
        return 200, api.finalize(route.name, body)
    body = _decoded(api, request, route, body)
    if kind.resource != "pods" and not (body.get("metadata") or {}).get("name"):
        raise bad_request("the name of the object must be set")
    uid = (body.get("metadata") or {}).get("uid")
    old = api.get(kind.resource, route.namespace, route.name)
    if uid and uid != old["metadata"].get("uid"):
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata'].get('uid')}"
        raise conflict(kind, route.name, why)
    new = api.update(
        kind.resource,
        route.namespace,
        route.name,
        body,
        user=request.user,
        subresource=route.subresource,
        dry_run=_is_dry(request),
        managed=_written(api, request, route),
    )
    return 200, new


def _write_scale(api: Api, request: Request, route: Route, new: Object) -> Object:
    after = api.update(
        route.kind.resource,
        route.namespace,
        route.name,
        new,
        user=request.user,
        dry_run=_is_dry(request),
        managed=_written(api, request, route),
    )
    return scale.read(after)


def _written(api: Api, request: Request, route: Route) -> Managed:
    """What a write that is no apply makes of the object's managers."""
    manager = Manager(request.query.get("fieldManager") or request.user.name, "Update", route.subresource)
    old = api.get(route.kind.resource, route.namespace, route.name)
    return lambda new: managers.after_update(old, new, manager, api.clock.timestamp)


def _patch(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    kind, content_type = route.kind, request.content_type.partition(";")[0].strip()
    if content_type not in _PATCH_TYPES:
        raise unsupported_media_type()
    if content_type == APPLY_PATCH:
        _check_apply(request)
        _check_declared(route, request.body)
    if route.subresource == "scale":
        old = api.get(kind.resource, route.namespace, route.name)
        wanted = _merged(api, request, fields.SCALE, patched(scale.read(old), request.body, content_type))
        return 200, _write_scale(api, request, route, scale.written(old, wanted))
    if content_type == APPLY_PATCH:
        return _apply(api, request, route)
    old = api.get(kind.resource, route.namespace, route.name)
    asked = patched(old, request.body, content_type)
    if content_type in _PATCH_TYPES[:2]:
        _check_kind(kind, asked)
    new = _merged(api, request, fields.type_of(kind), asked)
    return 200, api.update(
        kind.resource,
        route.namespace,
        route.name,
        new,
        user=request.user,
        subresource=route.subresource,
        dry_run=_is_dry(request),
        managed=_written(api, request, route),
    )


def _check_kind(kind: ResourceType, obj: Object) -> None:
    """Raises ApiError 422 when a patch has made something else of the object."""
    if not isinstance(obj, dict):
        return
    found = obj.get("kind"), obj.get("apiVersion")
    if None in found:
        raise _unfit(obj, "Object 'Kind' is missing" if found[0] is None else "Object 'apiVersion' is missing")
    if found != (kind.kind, kind.api_version):
        raise _unfit(obj, f'no kind "{found[0]}" is registered for version "{found[1]}"')


def _apply(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    """Server-side apply. Raises ApiError 409 where it would change what others manage, unless it is forced."""
    kind, body, user, dry = route.kind, _body(request), request.user, _is_dry(request)
    if body.get("kind") != kind.kind or body.get("apiVersion") != kind.api_version:
        raise bad_request(f"an applied object must say that it is a {kind.kind} of {kind.api_version}")
    manager = Manager(request.query["fieldManager"], "Apply", route.subresource)
    old = api.store.get(Key(kind.resource, route.namespace, route.name))
    taken: list[Path] = []

    def managed(_: Object) -> managers.Entries:
        now = api.clock.timestamp
        return managers.after_apply(old, body, manager, taken, version=kind.api_version, now=now)

    if old is None:
        return 201, api.create(kind.resource, route.namespace, body, user=user, dry_run=dry, managed=managed)
    base = managers.given_up(old, body, manager) if managers.tracked(old) else old
    new = _merged(api, request, fields.type_of(kind), patched(base, body, APPLY_PATCH))
    found = managers.conflicts(old, new, body, manager)
    if found and request.query.get("force") != "true":
        raise managers.refusal(found, kind.api_version)
    taken += [path for paths in found.values() for path in paths]
    sub = route.subresource
    after = api.update(
        kind.resource, route.namespace, route.name, new, user=user, subresource=sub, dry_run=dry, managed=managed
    )
    return 200, after


def _decoded(api: Api, request: Request, route: Route, body: Object) -> Object:
    """A whole object as the server reads it. Raises ApiError 400."""
    kind = route.kind
    what = f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}'
    return _read(api, request, what, fields.type_of(kind), body)


def _read(api: Api, request: Request, what: str, type_name: str, body: Object) -> Object:
    try:
        kept, unknown = fields.known(body, type_name)
    except fields.WrongType as error:
        raise bad_request(f"{what}: {error}") from None
    if unknown and request.query.get("fieldValidation") == "Strict":
        raise bad_request(f"{what}: strict decoding error: {', '.join(fields.paths(unknown))}")
    _warn(api, request, unknown)
    return kept


def _merged(api: Api, request: Request, type_name: str, obj: Object) -> Object:
    """A patched object as the server reads it. Raises ApiError 422."""
    try:
        kept, unknown = fields.known(obj, type_name)
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


def _check_declared(route: Route, body: Object) -> None:
    """Server-side apply takes no field that the schema does not declare, whatever `fieldValidation` says (KEP-555)."""
    try:
        _, unknown = fields.known(body, fields.type_of(route.kind))
    except fields.WrongType as error:
        raise bad_request(str(error)) from None
    if unknown:
        kind = route.kind
        what = f"{route.namespace}/{route.name}; {kind.api_version}, Kind={kind.kind}"
        listed = ", ".join(f".{path}: field not declared in schema" for path in unknown)
        raise ApiError(500, "", f"failed to create typed patch object ({what}): {listed}")


def _check_apply(request: Request) -> None:
    if not request.query.get("fieldManager"):
        raise invalid("PatchOptions.meta.k8s.io", "", [required("fieldManager", "is required for apply patch")])
    metadata = _body(request).get("metadata")
    if isinstance(metadata, dict) and metadata.get("managedFields") is not None:
        raise bad_request("metadata.managedFields must be nil")


def _delete(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    options = dict(request.body) if isinstance(request.body, dict) else {}
    for name in ("propagationPolicy", "gracePeriodSeconds"):
        if name in request.query:
            options[name] = int(request.query[name]) if name == "gracePeriodSeconds" else request.query[name]
    kind = route.kind
    if kind.resource == "namespaces" and route.name in _IMMORTAL:
        raise forbidden(kind, route.name, "this namespace may not be deleted")
    after = api.delete(kind.resource, route.namespace, route.name, options=options, dry_run=_is_dry(request))
    if "deletionTimestamp" in after["metadata"] or kind.resource == "pods":
        return 200, after
    details = {"name": route.name, "group": kind.group, "kind": kind.plural, "uid": after["metadata"].get("uid", "")}
    shown = {key: value for key, value in details.items() if value}
    return 200, {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": shown}


def _delete_collection(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    items = listing.select(api.store, route.kind, route.namespace, request.query)
    options = request.body if isinstance(request.body, dict) else {}
    for obj in items:
        metadata = obj["metadata"]
        resource, namespace = route.kind.resource, metadata.get("namespace", "")
        api.delete(resource, namespace, metadata["name"], options=options, dry_run=_is_dry(request))
    return 200, listing.page(route.kind, items, api.store.revision, {})


_VERBS: dict[str, Callable[[Api, Request, Route], tuple[int, Any]]] = {
    "get": _get,
    "list": _list,
    "create": _create,
    "update": _update,
    "patch": _patch,
    "delete": _delete,
    "deletecollection": _delete_collection,
}
