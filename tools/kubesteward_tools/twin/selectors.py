"""Label and field selectors, in both of their forms: objects in specs and text in queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

Labels = Mapping[str, str]
LabelPredicate = Callable[[Labels], bool]
FieldPredicate = Callable[[Mapping[str, Any]], bool]

_REQUIREMENT = re.compile(
    r"\s*(?:(?P<absent>!)\s*(?P<not_key>[^\s=!,()]+)|(?P<key>[^\s=!,()<>]+)\s*"
    r"(?:(?P<op>==|=|!=|>|<)\s*(?P<value>[^\s,()]*)|\s(?P<set>in|notin)\s*\((?P<values>[^()]*)\))?)\s*(?:,|$)"
)


def matches(selector: Mapping[str, Any] | None, labels: Labels | None) -> bool:
    """Whether a LabelSelector matches. None matches nothing, an empty selector everything (metav1.LabelSelector)."""
    if selector is None:
        return False
    found = labels or {}
    for key, value in (selector.get("matchLabels") or {}).items():  # asked too often for a generator
        if found.get(key) != value:
            return False
    expressions = selector.get("matchExpressions")
    return not expressions or all(_expression(item, found) for item in expressions)


def matches_labels(wanted: Labels | None, labels: Labels | None) -> bool:
    """A Service's or node's plain selector. Empty or None matches nothing: such a Service selects no pods."""
    found = labels or {}
    return bool(wanted) and all(found.get(key) == value for key, value in (wanted or {}).items())


def _expression(item: Mapping[str, Any], labels: Labels) -> bool:
    key, values = item["key"], item.get("values") or ()
    return {
        "In": lambda: labels.get(key) in values,
        "NotIn": lambda: labels.get(key) not in values,
        "Exists": lambda: key in labels,
        "DoesNotExist": lambda: key not in labels,
    }[item["operator"]]()


def parse_label_selector(text: str) -> LabelPredicate:
    """The predicate of a query's labelSelector, such as `app in (a, b),tier!=web,!old`.

    Raises:
        ValueError: with a sentence that names the part that cannot be read.
    """
    at, tests = 0, list[LabelPredicate]()
    while at < len(text):
        match = _REQUIREMENT.match(text, at)
        if match is None or match.end() == at:
            raise ValueError(
                f"unable to parse requirement: found {text[at:]!r}, expected: key, key=value, key in (a, b)"
            )
        tests.append(_requirement(match))
        at = match.end()
    return lambda labels: all(test(labels) for test in tests)


def _requirement(match: re.Match[str]) -> LabelPredicate:
    key, operator, value = match["key"], match["op"], match["value"]
    if match["absent"]:
        absent = match["not_key"]
        return lambda labels: absent not in labels
    if match["set"]:
        values = frozenset(item.strip() for item in match["values"].split(","))
        wanted = match["set"] == "in"
        return lambda labels: (labels.get(key) in values) == wanted
    if operator in {"=", "=="}:
        return lambda labels: labels.get(key) == value
    if operator == "!=":
        return lambda labels: labels.get(key) != value
    if operator in {">", "<"}:
        return _comparison(key, operator, value)
    return lambda labels: key in labels


def _comparison(key: str, operator: str, value: str) -> LabelPredicate:
    if not re.fullmatch(r"-?\d+", value):
        raise ValueError(f"for {operator!r} operators the value must be an integer: {value!r}")
    limit, sign = int(value), 1 if operator == ">" else -1

    def compare(labels: Labels) -> bool:
        try:
            return sign * int(labels[key]) > sign * limit
        except (KeyError, ValueError):
            return False

    return compare


class Requirement(NamedTuple):
    """One part of a field selector: the field at `path` has this value, or (not `equal`) another one."""

    path: str
    value: str
    equal: bool

    def test(self, obj: Mapping[str, Any]) -> bool:
        return (_field(obj, self.path) == self.value) == self.equal


def field_requirements(text: str) -> list[Requirement]:
    """The parts of a query's fieldSelector, such as `status.phase!=Running,spec.nodeName=n1`.

    Raises:
        ValueError: with a sentence that names the part that cannot be read.
    """
    found = list[Requirement]()
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        match = re.fullmatch(r"([^=!]+)(==|=|!=)(.*)", part)
        if match is None:
            raise ValueError(f"invalid field selector: {part!r}; write field=value or field!=value")
        found.append(Requirement(match[1].strip(), match[3].strip(), match[2] != "!="))
    return found


def parse_field_selector(text: str) -> FieldPredicate:
    """The predicate of a query's fieldSelector.

    Raises:
        ValueError: with a sentence that names the part that cannot be read.
    """
    wanted = field_requirements(text)
    return lambda obj: all(item.test(obj) for item in wanted)


def _at(obj: Mapping[str, Any], path: str) -> Any:
    at: Any = obj
    for step in path.split("."):
        at = at.get(step) if isinstance(at, Mapping) else None
    return at


def _field(obj: Mapping[str, Any], path: str) -> str:
    at = _at(obj, path)
    if isinstance(at, bool):
        return str(at).lower()
    return "" if at is None else str(at)


def has_field(obj: Mapping[str, Any], path: str) -> bool:
    """Whether there is a plain value at the path."""
    at = _at(obj, path)
    return at is not None and not isinstance(at, Mapping | list)


def describe(selector: Mapping[str, Any] | None) -> str:
    """The selector as kubectl prints it: `app=web,tier in (a,b)`, `<none>` when it is empty."""
    if not selector:
        return "<none>"
    parts = [f"{key}={value}" for key, value in sorted((selector.get("matchLabels") or {}).items())]
    words = {"In": "{k} in ({v})", "NotIn": "{k} notin ({v})", "Exists": "{k}", "DoesNotExist": "!{k}"}
    parts += [
        words[item["operator"]].format(k=item["key"], v=",".join(sorted(item.get("values") or ())))
        for item in selector.get("matchExpressions") or ()
    ]
    return ",".join(parts) or "<none>"
