"""One proposed action in the words of a tool's arguments, and the change that it stands for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, get_args

from kubesteward_policies.change import Change
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.lookup.targets import Found, find
from kubesteward_tools.proposals import nodes, objects, rollouts, workloads

if TYPE_CHECKING:
    from kubesteward_tools.twin.rehearsal import Rehearsal
    from kubesteward_tools.world.world import World

Action = Literal[
    "apply", "scale", "restart", "rollback", "pause", "resume", "set_image", "patch", "delete", "evict", "cordon",
    "uncordon", "drain"
]  # fmt: skip

_TYPES: dict[str, type] = {
    "replicas": int,
    "expected_replicas": int,
    "image": str,
    "container": str,
    "patch_type": str,
    "revision": int,
    "propagation": str,
    "grace_seconds": int,
    "force": bool,
    "delete_emptydir_data": bool,
    "force_conflicts": bool,
    "prune": str,
    "prune_count": int,
}
_REQUIRED = {"scale": ("replicas",), "set_image": ("image",), "patch": ("patch",)}
_OPTIONAL = {
    "apply": ("force_conflicts", "prune", "prune_count"),
    "scale": ("expected_replicas",),
    "rollback": ("revision",),
    "set_image": ("container",),
    "patch": ("patch_type",),
    "delete": ("propagation", "grace_seconds"),
    "evict": ("grace_seconds",),
    "drain": ("force", "delete_emptydir_data"),
}
_LEAST = {"replicas": 0, "expected_replicas": 0, "revision": 0, "prune_count": 0, "grace_seconds": 1}
_WORDS: dict[str, tuple[str, ...]] = {
    "patch_type": get_args(objects.PatchType),
    "propagation": get_args(objects.Propagation),
}


@dataclass(frozen=True, slots=True)
class Proposal:
    """`params` belong to the action: replicas, image, patch and so on; `manifest` to apply alone."""

    action: str
    kind: str = ""
    name: str = ""
    namespace: str = ""
    params: Mapping[str, Any] | None = None
    manifest: str = ""

    @property
    def arguments(self) -> dict[str, Any]:
        """As simulate_impact takes it, without what is not set."""
        every = {name: getattr(self, name) for name in self.__slots__}
        return {name: dict(value) if name == "params" else value for name, value in every.items() if value}

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Proposal:
        """Raises InvalidArguments for fields that are unknown or of another type."""
        fields = f"It has: {', '.join(cls.__slots__)}."
        if "action" not in given:
            raise InvalidArguments("a proposed action lacks 'action'.", todo=fields)
        for key, value in given.items():
            if key not in cls.__slots__:
                raise InvalidArguments(f"a proposed action has no {key[:40]!r}.", todo=fields)
            if not isinstance(value, dict if key == "params" else str):
                raise InvalidArguments(f"{key!r} of a proposed action is malformed.", todo=fields)
        return cls(**given)


async def change_for(world: World, proposal: Proposal, now: float) -> Change:
    """The exact calls.

    Raises:
        SteadyError: the target or a parameter is not right; says which and what to do.
    """
    if proposal.action not in get_args(Action):
        raise InvalidArguments(
            f"there is no action {proposal.action[:40]!r}.", todo=f"One of {', '.join(get_args(Action))}."
        )
    params = _checked(proposal)
    if proposal.action == "apply":
        if not proposal.manifest:
            raise InvalidArguments("apply needs a manifest.", todo="Give YAML in manifest.")
        from kubesteward_tools.proposals import manifests

        return await manifests.apply(world, proposal.manifest, proposal.namespace, **params)
    if proposal.manifest:
        raise InvalidArguments("a manifest belongs to action=apply.", todo="Leave one of them out.")
    kind = proposal.kind or ("Node" if proposal.action in {"cordon", "uncordon", "drain"} else "")
    if not kind or not proposal.name:
        raise InvalidArguments(f"{proposal.action} needs kind and name.", todo="Name the object.")
    found = await find(world, kind, proposal.name, proposal.namespace)
    if proposal.action == "drain":
        await world.ensure("pods")
    if proposal.action == "rollback":
        return await rollouts.rollback(found, **params)
    return _MAKERS[proposal.action](found, params, now)


def _checked(proposal: Proposal) -> dict[str, Any]:
    params = dict(proposal.params or {})
    required, optional = _REQUIRED.get(proposal.action, ()), _OPTIONAL.get(proposal.action, ())
    allowed = (*required, *optional)
    unknown, missing = params.keys() - set(allowed), set(required) - params.keys()
    if unknown or missing:
        why = f"lacks {sorted(missing)[0]!r}" if missing else f"takes no {sorted(unknown)[0][:40]!r}"
        raise InvalidArguments(f"params: {proposal.action} {why}.", todo=f"It takes: {', '.join(allowed) or 'none'}.")
    for key, value in params.items():
        _check_value(key, value)
    return params


def _check_value(key: str, value: Any) -> None:
    wanted = _TYPES.get(key)
    if wanted is not None and (not isinstance(value, wanted) or (wanted is int and isinstance(value, bool))):
        raise InvalidArguments(f"params: {key} must be of type {wanted.__name__}.", todo="Write it so.")
    if key in _LEAST and not _LEAST[key] <= value <= workloads.MOST_REPLICAS:
        raise InvalidArguments(f"params: {key} is out of range.", todo=f"{_LEAST[key]} to {workloads.MOST_REPLICAS}.")
    if key in _WORDS and value not in _WORDS[key]:
        raise InvalidArguments(f"params: no such {key}.", todo=f"One of {', '.join(_WORDS[key])}.")


_MAKERS: dict[str, Callable[[Found, dict[str, Any], float], Change]] = {
    "scale": lambda found, params, _: workloads.scale(found, params["replicas"], params.get("expected_replicas")),
    "restart": lambda found, _, now: workloads.restart(found, now),
    "set_image": lambda found, params, _: workloads.set_image(found, params["image"], params.get("container", "")),
    "patch": lambda found, params, _: objects.patch(found, params["patch"], params.get("patch_type", "strategic")),
    "pause": lambda found, _, __: rollouts.pause(found),
    "resume": lambda found, _, __: rollouts.pause(found, on=False),
    "delete": lambda found, params, _: objects.delete(found, **params),
    "evict": lambda found, params, _: nodes.evict(found, **params),
    "cordon": lambda found, _, __: nodes.cordon(found),
    "uncordon": lambda found, _, __: nodes.cordon(found, on=False),
    "drain": lambda found, params, _: nodes.drain(found, **params),
}


async def rehearsed(world: World, change: Change, now: float) -> Rehearsal:
    """What would come of it. Runs beside the event loop, on a fork that nobody else writes to."""
    from kubesteward_tools.plans.gaps import filled
    from kubesteward_tools.proposals.patience import within
    from kubesteward_tools.twin.custom.behind import behind
    from kubesteward_tools.twin.rehearse import rehearse
    from kubesteward_tools.world.world import TWIN_RESOURCES

    await world.ensure_for_rehearsal()
    await world.ensure(*behind(change.calls))
    unseen = [kind for kind in world.forbidden if kind in TWIN_RESOURCES]
    fork = world.store.fork()
    gaps = () if world.writable else tuple(filled(fork))
    ask_twin = partial(rehearse, unseen=unseen, kinds=world.kinds.all(), paced=True, between=within())
    found = await asyncio.to_thread(ask_twin, fork, change.calls, now=moment(world, now))
    return found.model_copy(update={"assumptions": (*found.assumptions, *gaps)}) if gaps else found
