"""One request of the Kubernetes API, from path to response: routing, RBAC, the verb, and refusals as Status bodies."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kubesteward_policies.change import APPLY_PATCH, JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH
from kubesteward_tools.twin import decoding, fieldsets, listing, managers, reviews, scale, versions
from kubesteward_tools.twin.api import Api, Managed
from kubesteward_tools.twin.custom import owning, scaling, writes
from kubesteward_tools.twin.custom.schemas import Schema
from kubesteward_tools.twin.eviction import evict
from kubesteward_tools.twin.fieldsets import Path
from kubesteward_tools.twin.managers import Manager
from kubesteward_tools.twin.patches.patched import patched
from kubesteward_tools.twin.rbac import Access, permits
from kubesteward_tools.twin.route import Request, Response, Route, no_such_resource, parse
from kubesteward_tools.twin.status import (
    ApiError,
    bad_request,
    conflict,
    forbidden,
    invalid,
    method_not_allowed,
    not_supported,
    required,
    unsupported_media_type,
)
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object

_PATCH_TYPES = (JSON_PATCH, MERGE_PATCH, STRATEGIC_PATCH, APPLY_PATCH)
_NOT_STRATEGIC = (
    "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, "
    "application/merge-patch+json, application/apply-patch+yaml"
)


_IMMORTAL = {"default", "kube-system", "kube-public"}


def handle(api: Api, request: Request) -> Response:
    """Answer it; whatever is refused is a Response too."""
    if versions.is_old(request):
        return versions.downgraded(handle(api, versions.upgraded(request)))
    api.warnings = []
    try:
        route = parse(request.path, api.kinds)
        authorize(api, request, route)
        _check_options(request)
        verb = _meant(request, route)
        if verb not in _VERBS:
            raise method_not_allowed()
        status, body = _VERBS[verb](api, request, route)
    except ApiError as error:
        return Response(error.code, error.as_status(), tuple(api.warnings))
    return Response(status, shown(api, route, body), tuple(api.warnings))


def shown(api: Api, route: Route, body: Object) -> Object:
    """An object, or a list of them, in the version that the path names: custom resources are kept in another."""
    definition = api.definition(route.kind)
    if definition is None or body.get("kind") in {"Status", "Scale"}:
        return body
    version = route.kind.version
    if isinstance(body.get("items"), list) and body["kind"] == f"{route.kind.kind}List":
        return {**body, "items": [writes.in_version(definition, version, item) for item in body["items"]]}
    return writes.in_version(definition, version, body)


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
    decision = permits(api.store, user, access)
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
        return 200, _scale_of(api, route, obj)
    if route.subresource not in {"", "status", "resize", "ephemeralcontainers"}:
        raise no_such_resource()
    return 200, obj


def _scale_of(api: Api, route: Route, obj: Object) -> Object:
    definition = api.definition(route.kind)
    return scale.read(obj) if definition is None else scaling.read(obj, definition.scale(route.kind.version))


def _scaled(api: Api, route: Route, obj: Object, wanted: Object) -> Object:
    """The object with the replicas of a Scale."""
    definition = api.definition(route.kind)
    if definition is None:
        return scale.written(obj, wanted)
    return scaling.written(obj, wanted, definition.scale(route.kind.version))


def _current(api: Api, route: Route) -> Object:
    """The object as it is, in the version that the path names."""
    return shown(api, route, api.get(route.kind.resource, route.namespace, route.name))


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
        return 201, evict(api, route.namespace, route.name, body, user=request.user, dry_run=dry)
    if route.subresource == "binding":
        return 201, _bind(api, request, route, body)
    if route.subresource or route.name:
        raise no_such_resource()
    _check_new(route, body)
    body = decoding.decoded(api, request, route, body)
    return 201, api.create(kind.resource, route.namespace, body, user=request.user, dry_run=dry)


def _check_new(route: Route, body: Object) -> None:
    """Raises ApiError 400 for an object of another version, 500 for one that was there before."""
    found, expected = body.get("apiVersion"), route.kind.api_version
    if found is not None and found != expected:
        raise bad_request(f"the API version in the data ({found}) does not match the expected API version ({expected})")
    metadata = body.get("metadata")
    if isinstance(metadata, dict) and metadata.get("resourceVersion"):
        raise ApiError(500, "", "resourceVersion should not be set on objects to be created")


def _bind(api: Api, request: Request, route: Route, body: Object) -> Object:
    pod = api.get("pods", route.namespace, route.name)
    api.ask(route.kind, {"metadata": {}, **body}, pod, request.user, subresource="binding", dry_run=_is_dry(request))
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
        wanted = decoding.read(api, request, 'Scale in version "v1" cannot be handled as a Scale', decoding.SCALE, body)
        return 200, _write_scale(api, request, route, _scaled(api, route, old, wanted))
    if route.subresource == "finalize":
        return 200, api.finalize(route.name, body)
    body = decoding.decoded(api, request, route, body)
    if kind.resource != "pods" and not (body.get("metadata") or {}).get("name"):
        raise bad_request("the name of the object must be set")
    uid = (body.get("metadata") or {}).get("uid")
    old = api.get(kind.resource, route.namespace, route.name)
    if uid and uid != old["metadata"].get("uid"):
        why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {old['metadata'].get('uid')}"
        raise conflict(kind, route.name, why)
    return 200, _stored(api, request, route, body)


def _stored(api: Api, request: Request, route: Route, new: Object) -> Object:
    return api.update(
        route.kind.resource,
        route.namespace,
        route.name,
        new,
        user=request.user,
        subresource=route.subresource,
        dry_run=_is_dry(request),
        managed=_written(api, request, route),
    )


def _write_scale(api: Api, request: Request, route: Route, new: Object) -> Object:
    after = api.update(
        route.kind.resource,
        route.namespace,
        route.name,
        new,
        user=request.user,
        subresource="scale",
        dry_run=_is_dry(request),
        managed=_written(api, request, route),
    )
    return _scale_of(api, route, after)


def _written(api: Api, request: Request, route: Route) -> Managed:
    """What a write that is no apply makes of the object's managers."""
    manager = Manager(request.query.get("fieldManager") or request.user.name, "Update", route.subresource)
    old = api.get(route.kind.resource, route.namespace, route.name)
    fields_of = _fields_of(api, route.kind)
    return lambda new: managers.after_update(old, new, manager, api.clock.timestamp, fields_of)


def _fields_of(api: Api, kind: ResourceType) -> managers.FieldsOf:
    """What of an object of this kind can have an owner."""
    if not api.kinds.is_custom(kind):
        return fieldsets.fields_of
    return owning.fields_by(_schema(api, kind))


def _schema(api: Api, kind: ResourceType) -> Schema:
    definition = api.definition(kind)
    return {} if definition is None else definition.schema(kind.version)


def _patch(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    kind, content_type = route.kind, request.content_type.partition(";")[0].strip()
    if content_type not in _PATCH_TYPES:
        raise unsupported_media_type()
    if content_type == STRATEGIC_PATCH and api.kinds.is_custom(kind):
        raise unsupported_media_type(_NOT_STRATEGIC)
    if content_type == APPLY_PATCH:
        _check_apply(request)
        decoding.check_declared(api, route, request.body)
    if route.subresource == "scale":
        old = api.get(kind.resource, route.namespace, route.name)
        wanted = decoding.merged(
            api, request, decoding.SCALE, patched(_scale_of(api, route, old), request.body, content_type)
        )
        return 200, _write_scale(api, request, route, _scaled(api, route, old, wanted))
    if content_type == APPLY_PATCH:
        return _apply(api, request, route)
    asked = patched(_current(api, route), request.body, content_type)
    if content_type in {JSON_PATCH, MERGE_PATCH}:
        _check_kind(kind, asked)
    new = decoding.merged(api, request, kind, asked)
    return 200, _stored(api, request, route, new)


def _check_kind(kind: ResourceType, obj: Object) -> None:
    """Raises ApiError 422 when a patch has made something else of the object."""
    if not isinstance(obj, dict):
        return
    found = obj.get("kind"), obj.get("apiVersion")
    if None in found:
        raise decoding.unfit(obj, "Object 'Kind' is missing" if found[0] is None else "Object 'apiVersion' is missing")
    if found != (kind.kind, kind.api_version):
        raise decoding.unfit(obj, f'no kind "{found[0]}" is registered for version "{found[1]}"')


def _apply(api: Api, request: Request, route: Route) -> tuple[int, Object]:
    """Server-side apply. Raises ApiError 409 where it would change what others manage, unless it is forced."""
    kind, body, user, dry = route.kind, _body(request), request.user, _is_dry(request)
    if body.get("kind") != kind.kind or body.get("apiVersion") != kind.api_version:
        raise bad_request(f"an applied object must say that it is a {kind.kind} of {kind.api_version}")
    manager = Manager(request.query["fieldManager"], "Apply", route.subresource)
    old = api.store.get(Key(kind.resource, route.namespace, route.name))
    taken: list[Path] = []
    fields_of = _fields_of(api, kind)

    def managed(_: Object) -> managers.Entries:
        now = api.clock.timestamp
        return managers.after_apply(old, body, manager, taken, version=kind.api_version, now=now, fields_of=fields_of)

    if old is None:
        return 201, api.create(kind.resource, route.namespace, body, user=user, dry_run=dry, managed=managed)
    old = _current(api, route)
    base = managers.given_up(old, body, manager, fields_of) if managers.tracked(old) else old
    new = decoding.merged(api, request, kind, _applied(api, kind, base, body))
    found = managers.conflicts(old, new, body, manager, fields_of)
    if found and request.query.get("force") != "true":
        raise managers.refusal(found, kind.api_version)
    taken += [path for paths in found.values() for path in paths]
    sub = route.subresource
    after = api.update(
        kind.resource, route.namespace, route.name, new, user=user, subresource=sub, dry_run=dry, managed=managed
    )
    return 200, after


def _applied(api: Api, kind: ResourceType, base: Object, body: Object) -> Object:
    if not api.kinds.is_custom(kind):
        return patched(base, body, APPLY_PATCH)
    return owning.merged(base, body, _schema(api, kind))


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
    after = api.delete(
        kind.resource, route.namespace, route.name, user=request.user, options=options, dry_run=_is_dry(request)
    )
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
        dry, user = _is_dry(request), request.user
        api.delete(resource, namespace, metadata["name"], user=user, options=options, dry_run=dry)
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
