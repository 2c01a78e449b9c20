"""The steps of a plan: each the exact calls on the cluster as the steps before would leave it, and its rehearsal."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubesteward_policies.change import Change
from kubesteward_policies.immutable import Surroundings, secret_values
from kubesteward_tools.errors import InvalidArguments, SteadyError
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.proposals.proposal import Proposal, change_for
from kubesteward_tools.text.redact import redact_object
from kubesteward_tools.world.store import Key, Store

if TYPE_CHECKING:
    from kubesteward_tools.twin.rehearsal import Rehearsal
    from kubesteward_tools.world.world import World

Given = Mapping[str, Any]
MOST_STEPS = 20


@dataclass(frozen=True, slots=True)
class Drafted:
    """`rehearsal` is None where nobody asked for it. `undoing` says how to go back."""

    given: Given
    change: Change
    rehearsal: Rehearsal | None
    undoing: str


async def draft(world: World, proposals: Sequence[Given], at: float, *, rehearse: bool = True) -> list[Drafted]:
    """`at` (epoch seconds) goes into what the calls say about time, so that the same plan has the same calls later.

    Raises:
        InvalidArguments: a step cannot be made; says which and why.
    """
    if not 0 < len(proposals) <= MOST_STEPS:
        raise InvalidArguments(f"a plan has 1 to {MOST_STEPS} steps.", todo="Divide it.")
    if redact_object(list(proposals)) != list(proposals):
        todo = "Put it into a Secret by hand and refer to that."
        raise InvalidArguments("a step carries what looks like a password or a token; plans are kept.", todo=todo)
    await world.ensure_for_rehearsal()
    here, now, found = world, moment(world, at), list[Drafted]()
    for number, given in enumerate(proposals, 1):
        try:
            change = await change_for(here, Proposal.of(given), at)
        except SteadyError as error:
            raise InvalidArguments(f"step {number}: {error.message}", todo=error.todo) from None
        _check_secrets(change, number)
        _check_known(world, here, change, number)
        undoing = _undoing(here, str(given["action"]), change)
        rehearsal, left, now = await asyncio.to_thread(_played, here, change, now, number, rehearse=rehearse)
        found.append(Drafted(given, change, rehearsal, undoing))
        here = _standing(world, left)
    return found


def _standing(world: World, store: Store) -> World:
    """The same cluster with other contents; what the original lists and watches goes on into the original."""
    other = copy.copy(world)
    other.store = store
    return other


def _check_secrets(change: Change, number: int) -> None:
    """What the gate would deny is not kept as a plan either."""
    for call in change.calls:
        broken = secret_values(call, Surroundings())
        if broken is not None or redact_object(call.body) != call.body:
            why = broken.reason if broken else "it carries what looks like a password or a token"
            todo = broken.remedy if broken else "Put it into a Secret by hand and refer to that."
            raise InvalidArguments(f"step {number}: {why}.", todo=todo)


def _check_known(world: World, here: World, change: Change, number: int) -> None:
    """Pods that an earlier step makes have names that nobody knows yet."""
    for call in change.calls:
        key = Key("pods", call.target.namespace, call.target.name)
        if call.target.kind == "Pod" and world.store.get(key) is None and here.store.get(key) is not None:
            todo = "End the plan before this step, and plan the rest once it is executed."
            raise InvalidArguments(f"step {number} concerns pods that earlier steps make anew.", todo=todo)


def _played(
    here: World, change: Change, now: float, number: int, *, rehearse: bool
) -> tuple[Rehearsal | None, Store, float]:
    from kubesteward_tools.twin.rehearse import rehearse as play
    from kubesteward_tools.twin.sequence import left_by
    from kubesteward_tools.world.world import TWIN_RESOURCES

    kinds = tuple(here.kinds.all())
    unseen = [kind for kind in here.forbidden if kind in TWIN_RESOURCES]
    found = None
    if rehearse:
        found = play(here.store, change.calls, now=now, seed=number, unseen=unseen, kinds=kinds, paced=True)
    return found, *left_by(here.store, change.calls, now=now, seed=number, kinds=kinds)


def ordered(world: World, proposals: Sequence[Given]) -> tuple[list[Given], list[str]]:
    """Where several nodes are drained, all of them are cordoned first: else the pods of one would move to the next.

    The second part says so.
    """
    drained = [item for item in proposals if item.get("action") == "drain"]
    if len(drained) < 2 or any(item.get("action") == "uncordon" for item in proposals):
        return list(proposals), []
    first = next(place for place, item in enumerate(proposals) if item.get("action") == "drain")
    cordoned = {item.get("name") for item in proposals[:first] if item.get("action") == "cordon"}
    names = [str(item.get("name")) for item in drained[1:] if item.get("name") not in cordoned]
    names = [name for name in dict.fromkeys(names) if not _closed(world, name)]
    added = [{"action": "cordon", "kind": "Node", "name": name} for name in names]
    note = f"{', '.join(names)} cordoned first, so that the pods of {drained[0].get('name')} do not move there"
    return [*proposals[:first], *added, *proposals[first:]], [note] if names else []


def _closed(world: World, node: str) -> bool:
    return bool(((world.store.get(Key("nodes", "", node)) or {}).get("spec") or {}).get("unschedulable"))


def _undoing(here: World, action: str, change: Change) -> str:
    target = change.target
    spec = (here.store.get(here.key(target)) or {}).get("spec") or {}
    words = {
        "scale": f"scale {target} back to {spec.get('replicas', 1)}",
        "restart": f"restore the template of {target}, which rolls its pods again",
        "set_image": f"restore the image of {target}",
        "delete": f"create {target} again from the snapshot, without what it held",
        "evict": "none: the pod's controller makes another one",
        "cordon": f"uncordon {target}",
        "uncordon": f"cordon {target}",
        "drain": f"uncordon {target}; evicted pods do not move back by themselves",
    }
    return words.get(action, f"restore the fields of {target} from the snapshot, delete what is new")


def together(plan_id: str, steps: Sequence[Change]) -> Change:
    """One change of all steps."""
    calls = tuple(call for step in steps for call in step.calls)
    said = "; ".join(f"{number}. {step.summary}" for number, step in enumerate(steps, 1))
    sizes = tuple(len(step.calls) for step in steps)
    return Change("execute_plan", steps[0].target, calls, f"Execute {plan_id}: {said}", steps=sizes)
