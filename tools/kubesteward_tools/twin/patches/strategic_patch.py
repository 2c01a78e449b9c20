"""Strategic merge patch: lists merge by the keys that the API types declare (patchStrategy and patchMergeKey tags).

Directives: `$patch: replace|delete|merge`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`.
API doc: contributors/devel/sig-api-machinery/strategic-merge-patch.
"""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.status import ApiError

# The merge key of each list, by the path of field names that leads to it ("*" stands for any); the longest match wins.
_MERGE_KEYS: dict[str, str] = {
    "containers": "name",
    "initContainers": "name",
    "ephemeralContainers": "name",
    "volumes": "name",
    "env": "name",
    "volumeMounts": "mountPath",
    "volumeDevices": "devicePath",
    "imagePullSecrets": "name",
    "hostAliases": "ip",
    "topologySpreadConstraints": "topologyKey",
    "resourceClaims": "name",
    "schedulingGates": "name",
    "ownerReferences": "uid",
    "secrets": "name",
    "taints": "",
    "containers.ports": "containerPort",
    "initContainers.ports": "containerPort",
    "ports": "port",
    "conditions": "type",
    "addresses": "type",
    "loadBalancer.ingress": "",
}
_PRIMITIVE_LISTS = {"finalizers", "podCIDRs"}
_DIRECTIVES = ("$setElementOrder/", "$deleteFromPrimitiveList/")


def apply(obj: Any, patch: dict[str, Any]) -> dict[str, Any]:
    """The patched copy of `obj`."""
    result = _merge_map(obj if isinstance(obj, dict) else {}, patch, ())
    return result if result is not None else {}


def _merge_map(old: dict[str, Any], patch: dict[str, Any], path: tuple[str, ...]) -> dict[str, Any] | None:
    """None when the patch says that the map goes away."""
    directive = patch.get("$patch")
    plain = {key: value for key, value in patch.items() if not key.startswith("$")}
    if directive == "delete":
        return None
    if directive is not None and directive not in ("replace", "merge"):
        raise ApiError(500, "", f"unknown patch type found: {directive}")
    if directive == "replace":
        replaced: dict[str, Any] = _without_nulls(plain)
        return replaced
    result = dict(old)
    if "$retainKeys" in patch:
        result = {key: value for key, value in result.items() if key in patch["$retainKeys"]}
    for key, doomed in _directed(patch, "$deleteFromPrimitiveList/"):
        result[key] = [item for item in result.get(key) or [] if item not in doomed]
    for key, value in plain.items():
        _merge_field(result, key, value, (*path, key))
    for key, order in _directed(patch, "$setElementOrder/"):
        if isinstance(result.get(key), list):
            result[key] = _ordered(result[key], order, merge_key((*path, key)))
    return result


def _directed(patch: dict[str, Any], directive: str) -> list[tuple[str, Any]]:
    return [(key.removeprefix(directive), value) for key, value in patch.items() if key.startswith(directive)]


def _merge_field(result: dict[str, Any], key: str, value: Any, path: tuple[str, ...]) -> None:
    old = result.get(key)
    if value is None:
        result.pop(key, None)
    elif isinstance(value, dict):
        merged = _merge_map(old if isinstance(old, dict) else {}, value, path)
        if merged is None:
            result.pop(key, None)
        else:
            result[key] = merged
    elif isinstance(value, list):
        result[key] = _merge_list(old if isinstance(old, list) else [], value, path)
    else:
        result[key] = value


def merge_key(path: tuple[str, ...]) -> str:
    """The field that identifies an element of the list at `path`, "" where the list is replaced as a whole."""
    if len(path) > 1 and (found := _MERGE_KEYS.get(".".join(path[-2:]))) is not None:
        return found
    return _MERGE_KEYS.get(path[-1], "")


def _merge_list(old: list[Any], patch: list[Any], path: tuple[str, ...]) -> list[Any]:
    if path[-1] in _PRIMITIVE_LISTS:
        return old + [item for item in patch if item not in old]
    key = merge_key(path)
    if not key or any(not isinstance(item, dict) for item in patch):
        return [_without_nulls(item) for item in patch]
    if any(item.get("$patch") == "replace" for item in patch):
        return [_without_nulls(item) for item in patch if item.get("$patch") != "replace"]
    result, new = list(old), list[Any]()
    for item in patch:
        _merge_element(result, new, item, key, path)
    return new + result


def _merge_element(result: list[Any], new: list[Any], item: dict[str, Any], key: str, path: tuple[str, ...]) -> None:
    """Elements that the object did not have come first, as the real server puts them."""
    if key not in item and (result or new):
        shown = " ".join(f"{name}:{value}" for name, value in item.items())
        raise ApiError(500, "", f"map: map[{shown}] does not contain declared merge key: {key}")
    at = next((n for n, old in enumerate(result) if old.get(key) == item.get(key)), None)
    merged = _merge_map(result[at] if at is not None else {}, item, path)
    if at is not None and merged is None:
        del result[at]
    elif at is not None:
        result[at] = merged
    elif merged is not None:
        new.append(merged)


def _ordered(items: list[Any], order: list[Any], key: str) -> list[Any]:
    """Named elements in the order given; the rest keep their place relative to what follows them."""
    rank = {(item.get(key) if isinstance(item, dict) else item): n for n, item in enumerate(order)}

    def name(item: Any) -> Any:
        return item.get(key) if isinstance(item, dict) else item

    named = sorted((item for item in items if name(item) in rank), key=lambda item: rank[name(item)])
    supply = iter(named)
    return [next(supply) if name(item) in rank else item for item in items]


def _without_nulls(value: Any) -> Any:  # a map for a map, a list for a list
    if isinstance(value, dict):
        return {
            key: _without_nulls(item) for key, item in value.items() if item is not None and not key.startswith("$")
        }
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
