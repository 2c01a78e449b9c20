"""Reading objects that may not be what their API says: offline bundles hold null, gaps and wrong types.

All of it runs for each object of a cluster at each event. So exact types are compared, which takes half the time of
isinstance (parsers of JSON and YAML make no subclasses), and loops stand where generators would take thrice as long.
"""

from __future__ import annotations

from typing import Any

from kubesteward_tools.world.store import Object

_NO_MAPPING: Object = {}
_OPERATORS = {"In", "NotIn", "Exists", "DoesNotExist"}


def mapping(value: Any) -> Object:
    """The value if it is an object, otherwise an empty one. For reading only."""
    return value if type(value) is dict else _NO_MAPPING


def mappings(value: Any) -> list[Object]:
    """The objects of a list, for reading only: mostly the list itself. Nothing when it is no list."""
    if type(value) is not list:
        return []
    for item in value:
        if type(item) is not dict:
            return [item for item in value if type(item) is dict]
    return value


def text(value: Any) -> str:
    """The value if it is a string, otherwise an empty one."""
    return value if type(value) is str else ""


def texts(value: Any) -> list[str]:
    """The strings of a list that are not empty."""
    return [item for item in value if item and isinstance(item, str)] if isinstance(value, list) else []


def at(obj: Object, *path: str) -> Object:
    """The object at the end of the path, an empty one when there is none."""
    for step in path:
        obj = mapping(obj.get(step))
    return obj


def port(value: Any) -> str:
    """A port's number or name as a detail: "port 80", "port http"; empty when there is none."""
    return f"port {value}" if value and isinstance(value, str | int) else ""


def label_selector(value: Any) -> Object | None:
    """A LabelSelector that is safe to evaluate, None when it is absent or broken and so selects nothing."""
    if not isinstance(value, dict):
        return None
    labels, expressions = value.get("matchLabels"), value.get("matchExpressions")
    if labels is not None and not _are_labels(labels):
        return None
    if expressions is not None and not (isinstance(expressions, list) and all(map(is_requirement, expressions))):
        return None
    return value


def plain_selector(value: Any) -> Object | None:
    """The LabelSelector of a plain mapping of labels. Empty ones select nothing, as in a Service."""
    return {"matchLabels": value} if value and _are_labels(value) else None


def is_requirement(value: Any) -> bool:
    """Whether it is a requirement on labels. Nodes' Gt and Lt are not: a LabelSelector cannot say them."""
    if not isinstance(value, dict) or not isinstance(value.get("key"), str):
        return False
    operator, values = value.get("operator"), value.get("values")
    return text(operator) in _OPERATORS and (values is None or _are_texts(values))


def _are_labels(value: Any) -> bool:
    if type(value) is not dict:
        return False
    for item in value.values():  # noqa: SIM110 - see above
        if type(item) is not str:
            return False
    return True


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
