"""A monitoring system knows everybody's workloads and is asked with the server's own token. Who is acted for is told
only of what the API server would let them list.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping

from kubesteward_tools.errors import AskDifferently, Forbidden
from kubesteward_tools.world.metrics.readings import Monitor, Question, Reading

MOST = 20
"""Namespaces that are asked about one by one."""

CanI = Callable[[Mapping[str, str]], Awaitable[tuple[bool, str]]]


class Guarded:
    """A `Monitor` behind access reviews."""

    def __init__(self, monitor: Monitor, can_i: CanI) -> None:
        self._monitor = monitor
        self._can_i = can_i

    async def read(self, question: Question) -> Reading:
        """Raises Forbidden where a review says no, AskDifferently where too many would be needed."""
        plural = question.level if question.level in {"nodes", "persistentvolumeclaims"} else "pods"
        spaces = _spaces(question)
        if not await self._may_list(plural, ""):
            if plural == "nodes" or not spaces:
                raise Forbidden(f"{plural} may not be listed across the cluster.", todo="Name a namespace.")
            if len(spaces) > MOST:
                raise AskDifferently("that is about too many namespaces.", todo=f"Name at most {MOST}.")
            allowed = await asyncio.gather(*(self._may_list(plural, space) for space in spaces))
            if not all(allowed):
                where = spaces[allowed.index(False)]
                raise Forbidden(
                    f"{plural} may not be listed in {where!r}.", todo="Ask for the right, or look elsewhere."
                )
        return await self._monitor.read(question)

    async def close(self) -> None:
        """The monitor is everybody's."""

    async def _may_list(self, plural: str, namespace: str) -> bool:
        allowed, _ = await self._can_i({"verb": "list", "group": "", "resource": plural, "namespace": namespace})
        return allowed


def _spaces(question: Question) -> list[str]:
    if question.level == "namespaces":
        return sorted(question.names or ())
    return [question.namespace] if question.namespace else []
