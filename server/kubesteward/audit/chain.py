"""The chain itself: pure functions over records."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

from kubesteward_policies.digest import canonical_json

GENESIS = "0" * 64


def link(previous: str, record: Mapping[str, Any]) -> tuple[str, str]:
    """The canonical text (RFC 8785) of a record and the hash that binds it to what came before."""
    text = canonical_json(dict(record)).decode()
    return text, hash_of(previous, text)


def hash_of(previous: str, text: str) -> str:
    return hashlib.sha256(f"{previous}\n{text}".encode()).hexdigest()
