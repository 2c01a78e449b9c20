"""The public half of what a TLS Secret holds: until when a certificate is valid, for whom, by whom. Never a key.

A Secret's values are dropped before it is stored; of one that holds certificates these lines stay beside its hash.
Source: RFC 7468 (PEM), RFC 5280 (validity, names). Loads cryptography, and only where something looks like PEM.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cryptography import x509 as library

_BEGIN = "-----BEGIN CERTIFICATE-----"
_BLOCK = re.compile(rf"{_BEGIN}[A-Za-z0-9+/=\s]{{1,20000}}?-----END CERTIFICATE-----")
_LARGEST = 256 * 1024
_MOST = 200
"""Certificates of one value; a bundle of public authorities has about 150."""
_NAMES = 5
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Certificate:
    """Times in epoch seconds. `names` are the first DNS names; `authority` says whether it may sign others."""

    begins: float
    ends: float
    subject: str
    issuer: str
    names: tuple[str, ...] = ()
    authority: bool = False


def certificates(text: str) -> list[Certificate]:
    """Those in PEM text or in its base64, in order; what cannot be read is passed over."""
    plain = _pem(text)
    if plain is None:
        return []
    found = (_read(match.group()) for match in _BLOCK.finditer(plain))
    return [item for item, _ in zip((one for one in found if one), range(_MOST), strict=False)]


def _pem(text: str) -> str | None:
    if len(text) > _LARGEST:
        return None
    if _BEGIN in text:
        return text
    try:
        plain = base64.b64decode(text, validate=True).decode("utf-8", "replace")
    except (binascii.Error, ValueError):
        return None
    return plain if _BEGIN in plain else None


def _read(block: str) -> Certificate | None:
    from cryptography import x509

    try:
        with warnings.catch_warnings():  # about what the certificate's maker did, which nobody here can change
            warnings.simplefilter("ignore")
            found = x509.load_pem_x509_certificate(block.encode())
            begins, ends = found.not_valid_before_utc.timestamp(), found.not_valid_after_utc.timestamp()
            subject, issuer = _called(found.subject), _called(found.issuer)
    except ValueError:
        return None
    return Certificate(begins, ends, subject, issuer, _dns_names(found), _signs(found))


def _called(name: library.Name) -> str:
    """The common name, or all of the name where there is none."""
    from cryptography.x509.oid import NameOID

    common = name.get_attributes_for_oid(NameOID.COMMON_NAME)
    return (str(common[0].value) if common else name.rfc4514_string())[:_LONGEST]


def _dns_names(found: library.Certificate) -> tuple[str, ...]:
    from cryptography import x509

    try:
        names = found.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return ()
    return tuple(item[:_LONGEST] for item in names.get_values_for_type(x509.DNSName)[:_NAMES])


def _signs(found: library.Certificate) -> bool:
    from cryptography import x509

    try:
        return bool(found.extensions.get_extension_for_class(x509.BasicConstraints).value.ca)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        return False


def kept(value: str) -> str:
    """What stays of a Secret's value: its certificates as one line of JSON, "" where it holds none."""
    found = certificates(value) if looks_like_one(value) else []
    return json.dumps([asdict(item) for item in found[:_NAMES]], separators=(",", ":")) if found else ""


def looks_like_one(value: str) -> bool:
    """Whether reading it is worth the time. In base64, the first line may begin at any of three places of a byte."""
    return _BEGIN in value or any(mark in value for mark in _MARKS)


_MARKS = tuple(
    base64.b64encode(b" " * shift + b"BEGIN CERTIFICATE").decode()[4 if shift else 0 : 20] for shift in range(3)
)


def of_secret(secret: Mapping[str, Any]) -> Iterator[tuple[str, list[Certificate]]]:
    """By key, the certificates that were noted when the Secret was taken in."""
    for key, value in sorted((secret.get("data") or {}).items()):
        _, space, noted = str(value).partition(" ")
        if space and noted.startswith("[{"):
            yield key, [Certificate(**{**item, "names": tuple(item["names"])}) for item in json.loads(noted)]
