"""A plan: the calls of a whole set of manifests in their order, or of one change, and the rehearsal of all of it.

Manifests are applied as `kubectl apply` applies them: in the order of the documents, fields of the manifest set, and
fields that were in the last applied manifest and are in this one no more taken away. Names that are to be generated
are created.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kubesteward_policies.change import APPLY_PATCH, ApiCall, Change
from kubesteward_policies.ref import Ref
from kubesteward_tools.cluster.mending import defined
from kubesteward_tools.errors import InvalidArguments, UnknownKind
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.plans.documents import Document
from kubesteward_tools.plans.gaps import filled
from kubesteward_tools.plans.privacy import without_secrets
from kubesteward_tools.proposals.objects import STRICT
from kubesteward_tools.twin import fieldsets, resources
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key, Object, Store

if TYPE_CHECKING:
    from kubesteward_tools.twin.rehearsal import Rehearsal
    from kubesteward_tools.world.world import World

MANAGER = "kubectl-client-side-apply"
_QUERY = (("fieldManager", MANAGER), ("force", "true"), STRICT)
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_SHOWN = 5
_NOT_SAVED = " If it is a custom resource, save its CustomResourceDefinition with the bundle."


@dataclass(frozen=True, slots=True)
class Plan:
    """`documents` are those of `change.calls`, in their order, empty where there are none. `unknowns` say what of the
    plan is not rehearsed at all."""

    change: Change
    documents: tuple[Document, ...] = ()
    unknowns: tuple[str, ...] = ()


async def of_manifests(world: World, documents: Sequence[Document], namespace: str = "", home: str = "") -> Plan:
    """One plan for all. `namespace` must be that of every object; `home` is that of objects which name none.

    Raises:
        InvalidArguments: a kind that the cluster does not serve, or another namespace than `namespace`; says all.
    """
    own = defined(document.body for document in documents)
    steps, unknowns, problems = list[tuple[Document, ApiCall]](), list[str](), list[str]()
    for document in documents:
        try:
            kind = await kind_of(world, document, own)
            space = _space(document, kind, namespace, home)
        except (UnknownKind, InvalidArguments) as error:
            saved = "" if world.writable or isinstance(error, InvalidArguments) else _NOT_SAVED
            problems.append(f"{document.place}: {error}{saved}")
            continue
        if why := _not_simulated(document, kind):
            unknowns.append(why)
        else:
            await world.ensure(kind.resource, namespace=space)
            steps.append((document, _call(world.cluster, document, kind, space)))
    if problems:
        raise InvalidArguments("\n".join(problems[:20]))
    return Plan(
        _change(world, documents, [call for _, call in steps]), tuple(item for item, _ in steps), tuple(unknowns)
    )


def _change(world: World, documents: Sequence[Document], calls: list[ApiCall]) -> Change:
    first = documents[0]
    target = calls[0].target if calls else Ref(world.cluster, "", str(first.body["kind"]), "", "")
    more = f" and {len(documents) - 1} more" if len(documents) > 1 else ""
    return Change("apply_manifest", target, tuple(calls), f"Apply {first.label}{more}")


async def kind_of(world: World, document: Document, own: dict[tuple[str, str], ResourceType]) -> ResourceType:
    """Also kinds that the plan itself defines, and other versions of those that the cluster serves."""
    version, name = document.body["apiVersion"], document.body["kind"]
    group = version.rpartition("/")[0]
    if (group, name) in own:
        return own[group, name]
    try:
        return await world.known(f"{version}/{name}")
    except UnknownKind:
        found = next((item for item in world.kinds.all() if (item.group, item.kind) == (group, name)), None)
        if found is None:
            raise
        return found


def _space(document: Document, kind: ResourceType, namespace: str, home: str) -> str:
    if not kind.namespaced:
        return ""
    own = str(document.body["metadata"].get("namespace") or "")
    if own and namespace and own != namespace:
        raise InvalidArguments(f"{document.label} is in another namespace than {namespace!r}.", todo="Leave -n out.")
    return own or namespace or home or "default"


def _not_simulated(document: Document, kind: ResourceType) -> str:
    known = resources.by_kind(kind.group, kind.kind)
    if known is None:  # a custom resource: its definition knows its versions
        return ""
    if document.body["apiVersion"] != known.api_version:
        written = document.body["apiVersion"]
        return f"{document.label} ({document.place}): {written} is not simulated, only {known.api_version} is"
    return ""


def _call(cluster: str, document: Document, kind: ResourceType, space: str) -> ApiCall:
    metadata = {name: value for name, value in document.body["metadata"].items() if name != "namespace"}
    body = {**document.body, "metadata": {**metadata, **({"namespace": space} if space else {})}}
    name = str(metadata.get("name") or "")
    target = Ref(cluster, kind.group, kind.kind, space, name or str(metadata.get("generateName")))
    if not name:
        return ApiCall("create", kind.path(space), target, body, query=(STRICT,))
    return ApiCall("patch", kind.path(space, name), target, body, APPLY_PATCH, _QUERY)


@dataclass(frozen=True, slots=True)
class Prepared:
    """All that a rehearsal needs, so that it can be played without the cluster. `strangers` are objects of which
    nobody knows what was applied before, `gaps` what is assumed of a bundle, `kinds` what the cluster serves."""

    plan: Plan
    store: Store
    now: float
    unseen: tuple[str, ...]
    strangers: tuple[str, ...]
    gaps: tuple[str, ...] = ()
    kinds: tuple[ResourceType, ...] = ()

    @property
    def summary(self) -> str:
        return self.plan.change.summary

    def rehearse(self) -> Rehearsal:
        """One rehearsal of all calls in their order."""
        from kubesteward_tools.twin.rehearse import rehearse

        calls = self.plan.change.calls
        found = rehearse(self.store, calls, now=self.now, unseen=self.unseen, kinds=self.kinds)
        return without_secrets(_with(found, self.plan, [*self.gaps, *_kept(self.strangers)]), self.plan.change)


async def prepare(world: World, plan: Plan, now: float, *, whole: bool = False) -> Prepared:
    """See all that the twin has to know, on a fork that nobody else writes to. `now` is in epoch seconds; `whole` says
    that nothing was left out of what the world was made from.

    Raises:
        InvalidArguments: a bundle lacks what a rehearsal cannot do without.
    """
    from kubesteward_tools.world.world import TWIN_RESOURCES

    await world.ensure_for_rehearsal()
    unseen = tuple(kind for kind in world.forbidden if kind in TWIN_RESOURCES)
    fork = world.store.fork()
    gaps = () if whole or world.writable else tuple(filled(fork))
    strangers = [_told(item.target) for item in plan.change.calls if not _remember(fork, world.key(item.target), item)]
    kinds = tuple(world.kinds.all())
    return Prepared(plan, fork, moment(world, now), unseen, tuple(strangers), gaps, kinds)


def _remember(fork: Store, key: Key, call: ApiCall) -> bool:
    """Say in `managedFields` what the last apply set, so that the twin takes away what this one leaves out.

    False where the object is there and nobody knows what was applied.
    """
    obj = fork.get(key)
    if obj is None or call.content_type != APPLY_PATCH:
        return True
    last = _last_applied(obj)
    if last is None:
        return False
    entry = {"manager": MANAGER, "operation": "Apply", "apiVersion": obj["apiVersion"], "fieldsType": "FieldsV1"}
    owned = [{**entry, "fieldsV1": fieldsets.render(fieldsets.fields_of(last))}]
    fork.put(key, {**obj, "metadata": {**obj["metadata"], "managedFields": owned}})
    return True


def _last_applied(obj: Object) -> dict[str, Any] | None:
    try:
        found = json.loads((obj["metadata"].get("annotations") or {})[_LAST_APPLIED])
        fieldsets.fields_of(found)
    except (KeyError, ValueError, TypeError, AttributeError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _with(found: Rehearsal, plan: Plan, assumed: Sequence[str]) -> Rehearsal:
    """Never safe where something of the plan was not rehearsed."""
    assumptions = [*plan.unknowns, *found.assumptions, *_cut_short(found, plan), *assumed]
    verdict = "unknown" if plan.unknowns and found.verdict != "blocked" else found.verdict
    return found.model_copy(update={"verdict": verdict, "assumptions": tuple(assumptions)})


def _cut_short(found: Rehearsal, plan: Plan) -> Iterator[str]:
    if left := len(plan.change.calls) - len(found.admission):
        yield f"the rehearsal ends with the call that is refused: {left} after it were not rehearsed"


def _kept(strangers: Sequence[str]) -> Iterator[str]:
    if strangers:
        more = f" and {len(strangers) - _SHOWN} more" if len(strangers) > _SHOWN else ""
        yield f"fields that the manifest leaves out stay as they are in {', '.join(strangers[:_SHOWN])}{more}"


def _told(target: Ref) -> str:
    return f"{target.kind.lower()} {target.path}"
