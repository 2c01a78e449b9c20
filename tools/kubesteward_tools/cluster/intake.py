"""What happens to an object before it is stored: bulk goes, and Secret values go first of all.

Payloads are taken apart without being read as a whole: an object that a list brings once more is known by its head.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from kubesteward_tools.world import certificates
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object, Store

if TYPE_CHECKING:
    import msgspec

    from kubesteward_tools.world.payloads import Head, WatchEvent

_KEY = secrets.token_bytes(32)
"""Hashes of Secret values can be compared within this process and mean nothing outside it."""

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


class Intake:
    """The gate of one resource: from the server's bytes into a store."""

    def __init__(self, kind: ResourceType) -> None:
        from kubesteward_tools.world import payloads

        self._kind = kind
        self._secret = _is_secret(kind.kind, kind.api_version)
        self._read = payloads.reader(kind.resource)
        self.decoded: Callable[[msgspec.Raw], Object] = payloads.OBJECT.decode
        self.head: Callable[[bytes | msgspec.Raw], Head] = payloads.HEAD.decode
        self.event: Callable[[bytes], WatchEvent] = payloads.EVENT.decode

    def listed(self, raw: msgspec.Raw, store: Store, *, known: bool) -> Key:
        """Take in an object of a list. Where some are `known` already, it is read only if its version is another."""
        if known:
            metadata = self.head(raw).metadata
            key = Key(self._kind.resource, metadata.namespace, metadata.name)
            facts = store.facts(key)
            if facts is not None and metadata.resource_version and facts.version == metadata.resource_version:
                return key  # computed kinds have no version
        return self._put(raw, store)

    def watched(self, event: WatchEvent, store: Store) -> str:
        """Do what an ADDED, MODIFIED or DELETED event tells. Returns the object's resourceVersion."""
        if event.type == "DELETED":
            obj = trimmed(self._read(event.object), self._kind.kind, self._kind.api_version)
            store.delete(self._key(obj), obj)
            return str(obj["metadata"].get("resourceVersion", ""))
        facts = store.facts(self._put(event.object, store))
        return facts.version if facts else ""

    def _put(self, raw: msgspec.Raw, store: Store) -> Key:
        obj = self._read(raw)
        key = self._key(obj)
        if self._secret:
            store.put(key, trimmed(obj, self._kind.kind, self._kind.api_version))
        else:
            obj["kind"], obj["apiVersion"] = self._kind.kind, self._kind.api_version
            store.put(key, obj, bytes(raw))
        return key

    def _key(self, obj: Object) -> Key:
        metadata = obj["metadata"]
        return Key(self._kind.resource, metadata.get("namespace", ""), metadata["name"])


def trimmed(obj: Object, kind: str, api_version: str) -> Object:
    """A copy with kind and apiVersion, without managedFields; of a Secret only key names, keyed hashes and the dates of
    certificates stay.
    """
    metadata = {key: value for key, value in obj["metadata"].items() if key != "managedFields"}
    new = {**obj, "kind": kind, "apiVersion": api_version, "metadata": metadata}
    if _is_secret(kind, api_version):
        new = _without_values(new)
    return new


def _is_secret(kind: str, api_version: str) -> bool:
    return kind == "Secret" and api_version == "v1"


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
    """Of certificates, which are public, the names and dates stay beside it."""
    text = str(value)
    found = "hmac:" + hmac.new(_KEY, text.encode(), hashlib.sha256).hexdigest()[:16]
    noted = certificates.kept(text)
    return f"{found} {noted}" if noted else found
