"""The shapes of lists and watch events, read only as deep as each step needs. Loads msgspec."""

from __future__ import annotations

from typing import Any

import msgspec


class Metadata(msgspec.Struct, rename={"resource_version": "resourceVersion"}):
    name: str = ""
    namespace: str = ""
    resource_version: str = ""


class Head(msgspec.Struct):
    """Of an object: what it is called and which version it has."""

    metadata: Metadata


class Page(msgspec.Struct):
    """Of a list: its objects as they came."""

    metadata: dict[str, Any]
    items: list[msgspec.Raw] | None = None


class WatchEvent(msgspec.Struct):
    type: str
    object: msgspec.Raw


HEAD = msgspec.json.Decoder(Head)
PAGE = msgspec.json.Decoder(Page)
EVENT = msgspec.json.Decoder(WatchEvent)
OBJECT = msgspec.json.Decoder(dict[str, Any])
