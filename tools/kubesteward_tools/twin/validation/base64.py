"""Values of Secrets and binary values of ConfigMaps are base64, or the API server cannot read the object (core/v1)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.world.kinds import ResourceType

_FIELDS = {"secrets": "data", "configmaps": "binaryData"}
_WRONG = re.compile(r"[^A-Za-z0-9+/\r\n=]")


def wrong(kind: ResourceType, body: dict[str, Any]) -> str:
    """What Go's decoder says of the first value that is none, or ""."""
    values = body.get(_FIELDS.get(kind.resource, ""))
    found = (_at(value) for value in values.values() if isinstance(value, str)) if isinstance(values, dict) else ()
    return next((f"illegal base64 data at input byte {at}" for at in found if at is not None), "")


def _at(value: str) -> int | None:
    """The offset of what is wrong (encoding/base64's CorruptInputError), None where nothing is."""
    return min(_faults(value), default=None)


def _faults(value: str) -> Iterator[int]:
    if found := _WRONG.search(value):
        yield len(value[: found.start()].encode())
    text = value.replace("\r", "").replace("\n", "")
    content = text.rstrip("=")
    if "=" in content:
        yield content.index("=")
    padding, rest = len(text) - len(content), len(content) % 4
    if padding != (-rest) % 4 or rest == 1:
        yield len(content) - rest if padding == 0 else len(content)
