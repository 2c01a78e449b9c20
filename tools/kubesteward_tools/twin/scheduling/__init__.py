"""The scheduler: which nodes can take a pod, and if none can, why, in kube-scheduler's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from kubesteward_tools.twin.scheduling.scheduler import Feasibility

__all__ = ["feasible"]


def feasible(world: Any, pod: Mapping[str, Any]) -> Feasibility:
    """Which nodes of a world can take a pod now, and of each other node why it cannot.

    All of kube-scheduler's filters, in its order and words: cordons, taints, node name, selectors and affinity, host
    ports, resources, volumes and zones, topology spread, affinity between pods.

    Args:
        world: a Store, a World, or a list of Kubernetes objects: nodes, the pods on them, and the claims, volumes,
            storage classes and namespaces that the pod's rules speak of.
        pod: a Pod, a pod template or a bare pod spec. Where it is in the world already, its own room is not counted.

    Returns:
        `nodes`: the names of those that can take it, sorted. `reasons`: by name of each other node, why not, as
        ("Insufficient cpu",). `blocked`: why no node at all could, as a claim that is missing; "" otherwise.
        `as_json()` gives the three as plain JSON.

    Raises:
        ValueError, TypeError: the world cannot be read, or a quantity in it.
    """
    from kubesteward_tools.twin.scheduling import scheduler
    from kubesteward_tools.twin.worlds import pod_of, store_of

    return scheduler.everywhere(store_of(world), pod_of(pod))
