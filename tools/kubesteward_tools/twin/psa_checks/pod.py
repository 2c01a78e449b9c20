"""Reading a pod's spec as the standards do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

Spec = dict[str, Any]


class Violation(NamedTuple):
    """`reason` is what a namespace's summary shows, `detail` names the containers and fields."""

    reason: str
    detail: str


def containers(spec: Spec) -> Iterator[Spec]:
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        yield from spec.get(kind) or ()


def context(holder: Spec) -> Spec:
    return holder.get("securityContext") or {}


def is_windows(spec: Spec) -> bool:
    return (spec.get("os") or {}).get("name") == "windows"


def isolates_users(spec: Spec) -> bool:
    """The pod runs in a user namespace of its own, which relaxes some checks."""
    return spec.get("hostUsers") is False


def named(kind: str, names: list[str]) -> str:
    """`container "a"`, `containers "a", "b"`."""
    return f"{kind}{'s' if len(names) > 1 else ''} " + ", ".join(f'"{name}"' for name in names)


def must(names: list[str], what: str, *, pod_may: bool = False) -> str:
    prefix = "pod or " if pod_may else ""
    return f"{prefix}{named('container', names)} must {what}"
