"""Until when certificates are valid, as far as objects tell without their secret parts."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from kubesteward_tools.diagnosis.reading import mapping, seconds
from kubesteward_tools.world.store import Object

_NAMES = re.compile(r"not-?after|expir(?:y|es|ation)", re.I)
_PLAIN = re.compile(r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:\.\d+)?(?:Z| ?UTC| ?\+00:?00)?$")


def told(obj: Object) -> float | None:
    """What annotations say of the end of validity, as issuers write it on a Secret; None where none does."""
    stamps = [_time(value) for name, value in sorted(_annotations(obj).items()) if _NAMES.search(name)]
    return min((one for one in stamps if one is not None), default=None)


def _annotations(obj: Object) -> dict[str, Any]:
    return dict(mapping(mapping(obj.get("metadata")).get("annotations")))


def _time(value: object) -> float | None:
    match = _PLAIN.match(str(value).strip())
    return seconds(f"{match[1]}T{match[2]}Z") if match else None


def bundle(encoded: object) -> float | None:
    """When the last certificate of a caBundle (base64 of PEM) ends: as long as one is valid, callers may be."""
    return _latest(encoded) if isinstance(encoded, str) and encoded else None


@lru_cache(maxsize=256)
def _latest(encoded: str) -> float | None:
    try:
        return max(_ends(base64.b64decode(encoded)), default=None)
    except (ValueError, binascii.Error):
        return None


def _ends(pem: bytes) -> Iterator[float]:
    from cryptography import x509  # only where a webhook has a bundle of its own

    for one in x509.load_pem_x509_certificates(pem):
        yield one.not_valid_after_utc.timestamp()
