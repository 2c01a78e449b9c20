"""How far changes may go without a person: one level for everything, and others for clusters and namespaces.

`prod-eu=1;prod-eu/payments=2;*/dev-*=3`: scopes of a cluster, or of a cluster and a namespace, with `*` and `?`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cache

from kubesteward_policies.change import Change
from kubesteward_policies.ref import Ref
from kubesteward_policies.tiers import Autonomy

_PATTERN = re.compile(r"[*?\[]")
_FORM = "write CLUSTER=LEVEL or CLUSTER/NAMESPACE=LEVEL, separated by semicolons, with levels from 1 to 4"


class ScopesInvalid(ValueError):
    """A text of scopes cannot be used; says which entry and why."""


@dataclass(frozen=True, slots=True)
class Scope:
    """Patterns of a cluster's and of a namespace's name. What lies in no namespace has "" for one."""

    cluster: str
    namespace: str
    level: Autonomy

    def covers(self, cluster: str, namespace: str) -> bool:
        return fnmatchcase(cluster, self.cluster) and fnmatchcase(namespace, self.namespace)

    def yields_to(self, other: Scope) -> bool:
        """Whether the other says more of the cluster or of the namespace, and of neither less."""
        mine = _precision(self.cluster), _precision(self.namespace)
        others = _precision(other.cluster), _precision(other.namespace)
        return mine != others and all(one <= more for one, more in zip(mine, others, strict=True))


@cache
def scopes(text: str) -> tuple[Scope, ...]:
    """The scopes of a text.

    Raises:
        ScopesInvalid: an entry is none, its level is not 1 to 4, or a scope is there twice.
    """
    found: dict[tuple[str, str], Scope] = {}
    for entry in filter(None, map(str.strip, text.split(";"))):
        scope = _scope(entry)
        if (scope.cluster, scope.namespace) in found:
            raise ScopesInvalid(f"{entry[:80]!r} is there twice")
        found[scope.cluster, scope.namespace] = scope
    return tuple(found.values())


def _scope(entry: str) -> Scope:
    """The last slash parts cluster and namespace: a cluster whose name has one is written with `/*` behind it."""
    name, _, level = entry.rpartition("=")
    cluster, slash, namespace = (part.strip() for part in name.rpartition("/"))
    if not slash:
        cluster, namespace = namespace, "*"
    if not cluster or not namespace or level.strip() not in {"1", "2", "3", "4"}:
        raise ScopesInvalid(f"{entry[:80]!r} is no scope: {_FORM}")
    return Scope(cluster, namespace, Autonomy(int(level)))


def level_of(cluster: str, namespace: str, default: Autonomy, known: Iterable[Scope]) -> Autonomy:
    """The level of the most specific scope, the lowest where none of several yields to another."""
    fitting = [item for item in known if item.covers(cluster, namespace)]
    top = [item for item in fitting if not any(item.yields_to(other) for other in fitting)]
    return min((item.level for item in top), default=default)


def level(change: Change, cluster: str, default: Autonomy, known: tuple[Scope, ...]) -> Autonomy:
    """The lowest level of all that a change touches; of what lies in no namespace that of the cluster."""
    spaces = {_namespace(call.target) for call in change.calls} or {_namespace(change.target)}
    return min(level_of(cluster, space, default, known) for space in spaces)


def _namespace(target: Ref) -> str:
    return target.name if target.kind == "Namespace" else target.namespace


def _precision(pattern: str) -> tuple[bool, int]:
    """A name says more than a pattern, and of patterns the one with more letters."""
    exact = not _PATTERN.search(pattern)
    return exact, 0 if exact else len(pattern) - len(_PATTERN.findall(pattern))
