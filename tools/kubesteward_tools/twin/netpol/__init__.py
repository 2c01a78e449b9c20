"""Who may reach whom by the NetworkPolicies of a cluster, and why."""

from kubesteward_tools.twin.netpol.ends import EVERYWHERE, Outside, Pod, pod_of
from kubesteward_tools.twin.netpol.ports import ALL, NONE, Connections
from kubesteward_tools.twin.netpol.reach import Reach, Side, connections, explain, reachable

__all__ = [
    "ALL",
    "EVERYWHERE",
    "NONE",
    "Connections",
    "Outside",
    "Pod",
    "Reach",
    "Side",
    "connections",
    "explain",
    "pod_of",
    "reachable",
]
