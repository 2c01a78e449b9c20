"""JSONPath as printer columns of CustomResourceDefinitions write it: fields, indexes, wildcards and equality filters.

API doc: additionalPrinterColumns; Kubernetes docs, "JSONPath Support".
"""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any

_STEP = re.compile(
    r"\.(?P<field>(?:\\.|[^.\[\\])+)"
    r"|\[\?\(@\.(?P<key>[^=!\s]+)\s*==\s*(?P<quote>[\"'])(?P<value>.*?)(?P=quote)\)\]"
    r"|\[(?P<name>'[^']*'|\"[^\"]*\")\]"
    r"|\[(?P<index>-?\d+|\*)\]"
)
_Step = tuple[str, Any]


def found(path: str, obj: Any) -> list[Any]:
    """All that stands at the path; nothing for a path that cannot be read."""
    places = [obj]
    for kind, what in _steps(path):
        places = [item for place in places for item in _below(place, kind, what)]
    return places


@cache
def _steps(path: str) -> tuple[_Step, ...]:
    steps: list[_Step] = []
    at = 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return (("field", ""),)
        steps.append(_step(match))
        at = match.end()
    return tuple(steps)


def _step(match: re.Match[str]) -> _Step:
    if match["field"] is not None:
        return ("field", re.sub(r"\\(.)", r"\1", match["field"]))
    if match["name"] is not None:
        return ("field", match["name"][1:-1])
    if match["key"] is not None:
        return ("filter", (match["key"].split("."), match["value"]))
    return ("index", match["index"])


def _below(place: Any, kind: str, what: Any) -> list[Any]:
    if kind == "field":
        return [place[what]] if isinstance(place, dict) and what in place else []
    if not isinstance(place, list):
        return []
    if kind == "filter":
        return [item for item in place if _at(item, what[0]) == what[1]]
    if what == "*":
        return place
    return place[int(what) :][:1] if -len(place) <= int(what) < len(place) else []


def _at(value: Any, steps: list[str]) -> Any:
    for step in steps:
        value = value.get(step) if isinstance(value, dict) else None
    return value


def text(value: Any) -> Any:
    """A value as a cell shows it."""
    return json.dumps(value, separators=(",", ":")) if isinstance(value, dict | list) else value
