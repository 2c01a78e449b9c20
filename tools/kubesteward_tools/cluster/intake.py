"""What happens to an object before it is stored: bulk goes, and Secret values go first of all."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Any

from kubesteward_tools.world.store import Object

_KEY = secrets.token_bytes(32)
"""Hashes of Secret values can be compared within this process and mean nothing outside it."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def trimmed(obj: Object, kind: str, api_version: str) -> Object:
    """A copy with kind and apiVersion, without managedFields; of a Secret only the key names and keyed hashes stay."""
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    new = {**obj, "kind": kind, "apiVersion": api_version, "metadata": metadata}
    if kind == "Secret" and api_version == "v1":
        new = _without_values(new)
    return new


def _without_values(secret: Object) -> Object:
    annotations = secret["metadata"].get("annotations") or {}
    metadata = dict(secret["metadata"])
    if annotations:
        metadata["annotations"] = {key: value for key, value in annotations.items() if not _is_copy(key, value)}
    kept = {key: value for key, value in secret.items() if key not in {"data", "stringData"}}
    values = {**(secret.get("data") or {}), **(secret.get("stringData") or {})}
    return {**kept, "metadata": metadata, "data": {key: _hash(value) for key, value in values.items()}}


def _is_copy(annotation: str, value: Any) -> bool:
    """Whether it may hold the whole Secret: appliers keep what they applied, as JSON or as gzip in base64."""
    return annotation == _LAST_APPLIED or str(value).lstrip().startswith(("{", "H4sI"))


def _hash(value: Any) -> str:
    return "hmac:" + hmac.new(_KEY, str(value).encode(), hashlib.sha256).hexdigest()[:16]
