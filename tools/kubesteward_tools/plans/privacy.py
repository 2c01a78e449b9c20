"""Values of the Secrets that a plan writes are in no report: not as they are, and not as the API server quotes them."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterator
from typing import Any

from kubesteward_policies.change import Change
from kubesteward_tools.text.likeness import REDACTED
from kubesteward_tools.text.redact import redact
from kubesteward_tools.twin.rehearsal import Rehearsal

_SHORTEST = 4
"""Characters: shorter values are parts of words."""
_NAMES = {"object", "rule", "call", "severity", "verdict", "reason", "pod"}
"""Fields with names of objects, kinds and rules. A value that happens to be one of those is no secret there."""


def without_secrets(rehearsal: Rehearsal, change: Change) -> Rehearsal:
    """The same rehearsal with redacted texts."""
    values = sorted(set(_values(change)), key=len, reverse=True)
    return Rehearsal.model_validate(_clean(rehearsal.model_dump(), "", values))


def _values(change: Change) -> Iterator[str]:
    for call in change.calls:
        if call.target.kind == "Secret":
            yield from (text for text in _texts(_content(call.body)) if len(text) >= _SHORTEST)


def _content(body: Any) -> list[Any]:
    """What of a manifest, a patch or a list of patch operations may hold values."""
    if isinstance(body, list):
        return [item.get("value") for item in body if isinstance(item, dict)]
    return [body.get("data"), body.get("stringData")] if isinstance(body, dict) else []


def _texts(value: Any) -> Iterator[str]:
    """Each text, and what it is in base64 or decoded from it."""
    if isinstance(value, dict | list):
        for item in value.values() if isinstance(value, dict) else value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value
        yield base64.b64encode(value.encode()).decode()
        try:
            yield base64.b64decode(value, validate=True).decode()
        except (binascii.Error, ValueError):
            return
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield str(value)


def _clean(value: Any, field: str, values: list[str]) -> Any:
    if isinstance(value, str):
        return value if field in _NAMES else _without(redact(value), values)
    if isinstance(value, dict):
        return {key: _clean(item, key, values) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_clean(item, field, values) for item in value]
    return value


def _without(text: str, values: list[str]) -> str:
    for value in values:
        text = text.replace(value, REDACTED)
    return text
