"""Which nodes are alike: those of one pool do the same work, and only they can be compared."""

from __future__ import annotations

import re
from collections.abc import Mapping

_POOL = re.compile(r"(?:^|[/-])(?:node-?pool|node-?group|agent-?pool|instance-?group|machine-?pool)(?:-name)?$")
"""Ends of the labels by which providers and autoscalers tell pools."""
_TYPE = "node.kubernetes.io/instance-type"
_ROLE = "node-role.kubernetes.io/"


def pool_of(labels: Mapping[str, str]) -> tuple[str, ...]:
    """By the labels of a node: its pool's name, else its machine's type; and its roles."""
    named = [f"{name}={value}" for name, value in sorted(labels.items()) if _POOL.search(name)]
    roles = [name for name in sorted(labels) if name.startswith(_ROLE)]
    return (*(named or [labels.get(_TYPE, "")]), *roles)
