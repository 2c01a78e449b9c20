"""Which Services a piece of configuration names: URLs, host:port pairs and cluster DNS names in free text.

Source: the Kubernetes DNS specification (service.namespace.svc.zone; pods of a headless Service put their own name in
front). Each character is looked at a fixed number of times, without patterns, and long text is cut.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

LONGEST = 4096
"""Characters of one text that are read."""

CERTAIN, LIKELY, POSSIBLE = 0.9, 0.7, 0.5
"""Full cluster DNS name; name.namespace with a scheme or port; bare name with a scheme or port."""

_SPACES = str.maketrans(dict.fromkeys(",;\"'`|()[]{}<>\\", " "))

_STORES = "abfs abfss arn az data docker file git gs jar oci s3 sqlite unix wasb wasbs"
_VAULTS = "awskms azurekms gcpkms hashivault inproc k8s memory secret spiffe"
_NOT_HOSTS = frozenset(f"{_STORES} {_VAULTS}".split())
"""Schemes after which no host of a network stands."""

_GENERIC = "biz cloud com edu gov info internal invalid local localdomain mil net onion org tech xyz"
_COUNTRIES = "ai at au be br ca ch cn co cz de dk es eu fi fr in io ir it jp kr ly me nl no nz pl pt ru se sh so to tr"
_INTERNET = frozenset(f"{_GENERIC} {_COUNTRIES} tv ua uk us".split())
"""Last labels of two that are a domain of the internet, or of a home network, rather than a namespace."""

_SENSITIVE = ("PASS", "SECRET", "TOKEN", "CREDENTIAL", "KEY", "AUTH")
_PLACES = ("_HOST", "_HOSTNAME", "_ADDR", "_ADDRESS", "_SERVER", "_SERVICE", "_ENDPOINT", "_URL", "_URI", "_UPSTREAM")


class Host(NamedTuple):
    """A Service that is named, and how sure that is (0..1)."""

    service: str
    namespace: str
    confidence: float


def is_sensitive(name: str) -> bool:
    """Whether a variable or flag of this name may hold a credential, of which user:1234 must not become a host."""
    upper = name.upper().replace("-", "_")
    return any(word in upper for word in _SENSITIVE) and not upper.endswith(_PLACES)


def hosts(value: str, namespace: str, *, sensitive: bool = False) -> Iterator[Host]:
    """The Services that a text names; those without a namespace are in `namespace`.

    Of a `sensitive` text no bare name with a port is taken: it may be a user and a password.
    """
    for word in value[:LONGEST].translate(_SPACES).split():
        if "://" in word:
            found = _of_url(word, namespace)
        elif ":" in word or ".svc" in word:
            flag, _, rest = word.rpartition("=")
            found = _of_pair(rest, namespace)
            if found is not None and found.confidence <= POSSIBLE and (sensitive or is_sensitive(flag)):
                continue
        else:
            continue
        if found is not None:
            yield found


def host(name: str, namespace: str, *, addressed: bool) -> Host | None:
    """The Service of one DNS name. Short names count when they are `addressed`: with a scheme or a port."""
    labels = name.lower().rstrip(".").split(".")
    if not all(map(_is_label, labels)):
        return None
    if "svc" in labels[2:]:
        zone = labels.index("svc", 2)
        return _checked(labels[zone - 2], labels[zone - 1], CERTAIN)
    if not addressed or len(labels) > 2:
        return None
    if len(labels) == 1:
        return None if labels == ["localhost"] else _checked(labels[0], namespace, POSSIBLE)
    if labels[1] in _INTERNET:
        return None
    if _is_ordinal(labels[0]):
        return _checked(labels[1], namespace, POSSIBLE)
    return _checked(labels[0], labels[1], LIKELY)


def _of_url(word: str, namespace: str) -> Host | None:
    before, _, rest = word.partition("://")
    if before.rpartition("=")[2].lower() in _NOT_HOSTS:
        return None
    authority = _authority(rest).rpartition("@")[2]
    return host(authority.partition(":")[0], namespace, addressed=True)


def _of_pair(word: str, namespace: str) -> Host | None:
    name, colon, number = _authority(word).partition(":")
    if colon and not _is_port(number):
        return None
    return host(name, namespace, addressed=bool(colon))


def _authority(rest: str) -> str:
    for end in "/?#":
        rest = rest.partition(end)[0]
    return rest


def _checked(service: str, namespace: str, confidence: float) -> Host | None:
    """Names of Services begin with a letter; so an address in numbers is none."""
    return Host(service, namespace, confidence) if service[0].isalpha() else None


def _is_label(label: str) -> bool:
    """Whether it can be a label of a DNS name (RFC 1123)."""
    plain = label.replace("-", "")
    return len(label) <= 63 and plain.isascii() and plain.isalnum() and label[0] != "-" != label[-1]


def _is_ordinal(label: str) -> bool:
    """Whether it looks like a pod of a StatefulSet: kafka-0 in kafka-0.kafka."""
    return label.rpartition("-")[2].isdigit()


def _is_port(number: str) -> bool:
    """A port of two digits or more: a single one is rather the tag of an image."""
    return 2 <= len(number) <= 5 and number.isascii() and number.isdigit() and int(number) <= 65535
