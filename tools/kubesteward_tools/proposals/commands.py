"""A command in a container as a change: one call whose query is the command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from kubesteward_policies.change import ApiCall, Change
from kubesteward_policies.commands import EXEC
from kubesteward_tools.errors import AskDifferently, InvalidArguments
from kubesteward_tools.lookup.targets import Found, near_names
from kubesteward_tools.proposals.workloads import path_of
from kubesteward_tools.world.store import Object

_DEFAULT = "kubectl.kubernetes.io/default-container"
_LISTS = (
    ("containers", "containerStatuses"),
    ("initContainers", "initContainerStatuses"),
    ("ephemeralContainers", "ephemeralContainerStatuses"),
)


def run(found: Found, command: Sequence[str], container: str = "") -> Change:
    """The call that `kubectl exec` makes, without standard input and without a terminal.

    Raises:
        InvalidArguments: no such container. AskDifferently: it does not run.
    """
    chosen = _container(found, container)
    if not _running(found.obj, chosen):
        phase = (found.obj.get("status") or {}).get("phase", "unknown")
        why = f"container {chosen!r} of {found.label} is not running (the pod is {phase})."
        raise AskDifferently(why, todo="Its logs may tell more: get_logs, also with previous=true.")
    query = (("command", argument) for argument in command)
    flags = (("container", chosen), ("stdout", "true"), ("stderr", "true"))
    call = ApiCall("create", path_of(found, EXEC), found.ref, None, query=(*query, *flags))
    return Change("exec_in_pod", found.ref, (call,), f"Run `{shlex.join(command)}` in {found.label} ({chosen})")


def _container(found: Found, wanted: str) -> str:
    """As kubectl chooses: the one that an annotation names, else the first."""
    names = [item["name"] for field, _ in _LISTS for item in found.obj["spec"].get(field) or ()]
    default = (found.obj["metadata"].get("annotations") or {}).get(_DEFAULT, "")
    if wanted and wanted not in names:
        near = near_names(wanted, names)
        todo = f"Did you mean {near[0]!r}?" if near else f"It has: {', '.join(names)}."
        raise InvalidArguments(f"{found.label} has no container {wanted!r}.", todo=todo)
    return wanted or (default if default in names else names[0])


def _running(pod: Object, container: str) -> bool:
    status = pod.get("status") or {}
    found = (item for _, field in _LISTS for item in status.get(field) or () if item.get("name") == container)
    return any("running" in (item.get("state") or {}) for item in found)
