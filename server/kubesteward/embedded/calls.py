"""From an HTTP request of a Kubernetes client to a request of the twin: verbs, bodies, impersonation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from kubesteward.embedded import protobuf
from kubesteward_tools.twin.identity import User, impersonated
from kubesteward_tools.twin.rbac import Access, permits
from kubesteward_tools.twin.route import Request, Route
from kubesteward_tools.twin.status import ApiError, bad_request
from kubesteward_tools.world.store import Store

_WRITES = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def verb(method: str, route: Route, query: Mapping[str, str]) -> str:
    """Kubernetes' verb for an HTTP method."""
    if method == "GET":
        if route.name:
            return "get"
        return "watch" if query.get("watch") in {"1", "true"} else "list"
    found = _WRITES.get(method)
    if found is None:
        raise ApiError(405, "MethodNotAllowed", f"the server does not allow the method {method} here")
    return "deletecollection" if found == "delete" and not route.name else found


def body(data: bytes, content_type: str) -> Any:
    """The JSON value of a body in JSON, YAML or protobuf; None for an empty one.

    Raises:
        ApiError: 400 when it cannot be read.
    """
    if not data:
        return None
    try:
        if content_type.startswith(protobuf.MEDIA_TYPE):
            return _without_empty(protobuf.decode(data))
        if "yaml" in content_type:
            import yaml

            return yaml.safe_load(data)
        return msgspec.json.decode(data)
    except (ValueError, msgspec.DecodeError) as error:
        raise bad_request(f"the body of the request cannot be read: {error}") from None
    except Exception as error:  # yaml has a tree of its own
        if type(error).__module__.startswith("yaml"):
            raise bad_request("error parsing YAML: the body of the request is not YAML") from None
        raise


def is_dry_run(asked: Request, route: Route) -> bool:
    """Whether a request only asks what a write would do; the options may stand in the body of deletes and evictions."""
    if asked.query.get("dryRun") == "All":
        return True
    body = asked.body if isinstance(asked.body, dict) else {}
    if route.subresource == "eviction":
        body = body.get("deleteOptions") or {}
    elif asked.verb not in {"delete", "deletecollection"}:
        return False
    return isinstance(body, dict) and body.get("dryRun") == ["All"]


def _without_empty(value: dict[str, Any]) -> dict[str, Any]:
    """Protobuf sends empty texts where JSON sends nothing."""
    return {key: _without_empty(item) if isinstance(item, dict) else item for key, item in value.items() if item != ""}


def acting_user(store: Store, user: User, headers: Mapping[str, str], groups: list[str]) -> User:
    """The user that the request is made as.

    Raises:
        ApiError: 403 when `user` may not impersonate, 400 for groups without a user.
    """
    name = headers.get("Impersonate-User")
    if not name:
        if groups:
            raise bad_request("requested groups without impersonating a user")
        return user
    wanted = [_impersonating(name)]
    wanted += [Access("impersonate", resource="groups", name=group) for group in groups]
    for access in wanted:
        if not permits(store, user, access).allowed:
            message = (
                f'{access.resource} "{access.name}" is forbidden: User "{user.name}" cannot impersonate resource '
                f'"{access.resource}" in API group "" '
            ) + (f'in the namespace "{access.namespace}"' if access.namespace else "at the cluster scope")
            raise ApiError(403, "Forbidden", message)
    return impersonated(name, tuple(groups))


def _impersonating(name: str) -> Access:
    """Service accounts are a resource of their own, in their namespace (docs: "User impersonation")."""
    parts = name.split(":")
    if parts[:2] == ["system", "serviceaccount"] and len(parts) == 4:
        return Access("impersonate", resource="serviceaccounts", namespace=parts[2], name=parts[3])
    return Access("impersonate", resource="users", name=name)
