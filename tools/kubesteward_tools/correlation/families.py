"""In which way something fails, and which things can make others fail in which ways.

A ConfigMap cannot keep an image from being pulled, and a registry cannot make a process crash: what a dependency cannot
do it does not explain, however many failures hang on it.
"""

from __future__ import annotations

import re
from typing import Literal

Family = Literal[
    "crash", "memory", "unready", "pull", "config", "start", "schedule", "volume", "sandbox", "lost", "create", "reach",
    "node",
]  # fmt: skip
"""`lost`: the node does not answer for the pod. `create`: the pod was never made. `reach`: a log tells of a peer that
cannot be reached. `node`: a node itself."""

Kind = Literal[
    "node", "zone", "image", "registry", "config", "account", "claim", "class", "service", "workload", "policy",
    "admission", "capacity", "rollout",
]  # fmt: skip
"""`config`: a ConfigMap or Secret. `class`: a StorageClass. `workload`: whoever serves others. `admission`: a quota or
webhook that refuses pods. `zone`: what nodes have in common."""

_REASONS: dict[str, Family] = {
    **dict.fromkeys(("ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"), "pull"),
    **dict.fromkeys(("ImageInspectError", "RegistryUnavailable", "SignatureValidationFailed"), "pull"),
    "CreateContainerConfigError": "config",
    **dict.fromkeys(("CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"), "start"),
    "OOMKilled": "memory",
    **dict.fromkeys(("CrashLoopBackOff", "Error", "Failed", "DeadlineExceeded"), "crash"),
    **dict.fromkeys(("NodeLost", "Evicted", "NodeShutdown", "Shutdown", "Terminated", "NodeAffinity"), "lost"),
    **dict.fromkeys(("Unknown", "Terminating", "ContainerStatusUnknown"), "lost"),
}  # fmt: skip
_RUNS: frozenset[Family] = frozenset({"crash", "unready", "reach"})
_PLACED: frozenset[Family] = _RUNS | {"lost", "sandbox", "volume", "start", "node"}

EXPLAINS: dict[Kind, frozenset[Family]] = {
    "node": _PLACED,
    "zone": _PLACED | {"pull"},
    "image": frozenset({"pull", "crash", "memory", "unready", "start"}),
    "registry": frozenset({"pull"}),
    "config": frozenset({"config", "volume", "crash", "unready", "start"}),
    "account": frozenset({"create", "crash", "unready"}),
    "claim": frozenset({"volume", "schedule", "crash", "start"}),
    "class": frozenset({"volume", "schedule"}),
    "service": _RUNS,
    "workload": _RUNS,
    "policy": _RUNS,
    "admission": frozenset({"create"}),
    "capacity": frozenset({"schedule"}),
    "rollout": frozenset({"pull", "crash", "memory", "unready", "config", "start"}),
}

DEPTH: tuple[Kind, ...] = (
    "admission", "config", "claim", "image", "workload", "service", "policy", "account", "node", "class", "registry",
    "capacity", "rollout", "zone",
)  # fmt: skip
"""Of two that explain the same, the earlier is nearer to the failures and said first."""


_WORD = re.compile(r"[A-Za-z0-9][\w:/.,+-]{0,63}")


def plain(reason: str, otherwise: str) -> str:
    """The reason, which is one word; `otherwise` where somebody has written sentences there: it is not told as data."""
    return reason if _WORD.fullmatch(reason) else otherwise


def family(reason: str) -> Family:
    """Of the word that kubectl shows for a pod, or a terminated container's reason; "unready" for what is none."""
    word = reason.removeprefix("Init:")
    return "crash" if word.startswith(("ExitCode:", "Signal:")) else _REASONS.get(word, "unready")
