"""Of which clusters and namespaces nobody outside the premises is told: `prod-eu;*/payments`, with `*` and `?`.

What leaves is text, and text does not say where each word of it is from. So a name is taken for what it stands for
wherever it is a word of its own: too much stays at home rather than too little.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

_FORM = "write CLUSTER or CLUSTER/NAMESPACE, separated by semicolons; * and ? stand for letters"
_NAMESPACE = re.compile(r"[a-z0-9*?-]+")
_ESCAPED = re.compile(r"\\+[nrtbf]|\\+u00[0-9a-f]{2}", re.I)
"""As line ends and the like stand in JSON; the letter in them is none of the word that follows."""


class PlacesInvalid(ValueError):
    """A text of places cannot be used; says which entry and why."""


@dataclass(frozen=True, slots=True)
class Place:
    """Patterns of a cluster's and of a namespace's name; the whole cluster where the latter is `*`."""

    cluster: str
    namespace: str

    @property
    def words(self) -> str:
        return f"cluster {self.cluster}" if self.namespace == "*" else f"namespace {self.namespace} of {self.cluster}"


@cache
def places(text: str) -> tuple[Place, ...]:
    """Raises PlacesInvalid: an entry is none. The last slash parts cluster and namespace."""
    return tuple(map(_place, filter(None, map(str.strip, text.split(";")))))


def _place(entry: str) -> Place:
    cluster, slash, namespace = (part.strip() for part in entry.rpartition("/"))
    if not slash:
        cluster, namespace = namespace, "*"
    if not cluster or not _NAMESPACE.fullmatch(namespace):
        raise PlacesInvalid(f"{entry[:80]!r} is no place: {_FORM}")
    return Place(cluster, namespace)


def asked_of(known: Iterable[Place], cluster: str, namespace: str) -> Place | None:
    """The place that a question is about. One about a whole cluster is about every namespace in it."""
    here = [item for item in known if _covers(item, cluster)]
    return next((item for item in here if not namespace or fnmatchcase(namespace.lower(), item.namespace)), None)


def mentioned(known: Iterable[Place], cluster: str, text: str) -> Place | None:
    """The place that a text from a cluster speaks of: a namespace of that cluster by its name, another cluster's by
    the names of both.
    """
    plain = _ESCAPED.sub(" ", text).lower()
    return next((item for item in known if _speaks(item, cluster, plain)), None)


def _speaks(place: Place, cluster: str, text: str) -> bool:
    if not (_covers(place, cluster) or _word(place.cluster.lower()).search(text)):
        return False
    return place.namespace == "*" or _word(place.namespace).search(text) is not None


def _covers(place: Place, cluster: str) -> bool:
    """Several clusters at once, `@all` or `a,b`, may be any of them, and so may one that nobody has named."""
    return not cluster or cluster.startswith("@") or "," in cluster or fnmatchcase(cluster, place.cluster)


@cache
def _word(pattern: str) -> re.Pattern[str]:
    inside = re.escape(pattern).replace(r"\*", "[a-z0-9-]*").replace(r"\?", "[a-z0-9-]")
    return re.compile(rf"(?<![a-z0-9-]){inside}(?![a-z0-9-])")
