"""The world model: what is known about each cluster, indexed and with its age."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World


def load(objects: Iterable[dict[str, Any]], cluster: str = "") -> World:
    """A world of just these objects, as the API serves them or as manifests have them; Lists are opened.

    Nothing can be asked of a server, and what is not among the objects is not there. What is no object is left out.
    """
    from kubesteward_tools.cluster.bundle import of_objects

    return of_objects(objects).world(cluster)
