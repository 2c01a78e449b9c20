"""Answers who can and can-i, with the chain of bindings, from the RBAC objects of the world."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.arguments import NAME, Cluster, Namespace
from kubesteward_tools.lookup.scope import Scope, one, seen
from kubesteward_tools.lookup.shown import sentence
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_tools.permissions.grants import Grant
    from kubesteward_tools.twin.identity import User
    from kubesteward_tools.twin.rbac import Access
    from kubesteward_tools.world.store import Store
    from kubesteward_tools.world.world import World

_RBAC = tuple(
    f"{plural}.rbac.authorization.k8s.io" for plural in ("clusterrolebindings", "rolebindings", "clusterroles", "roles")
)
_SHOWN = 40
_VERBS = frozenset(
    {
        *(
            "get",
            "list",
            "watch",
            "create",
            "update",
            "patch",
            "delete",
            "deletecollection",
            "*",
            "head",
            "post",
            "put",
        ),
        *("bind", "escalate", "impersonate", "approve", "sign", "attest", "use", "options"),
    }
)
"""Those of requests, and those that admission and controllers ask for besides."""
_WHO = "alice, Group:devs, sa:NAMESPACE/NAME; default: who can"


@tool(Tier.ANALYSE, title="Explain permissions")
async def explain_permissions(
    desk: Desk,
    *,
    subject: Annotated[str, Field(max_length=2 * NAME, description=_WHO)] = "",
    verb: Annotated[str, Field(min_length=1, max_length=64)],
    resource: Annotated[str, Field(min_length=1, max_length=NAME, description="e.g. pods/exec")],
    name: str = "",
    namespace: Namespace = "",
    cluster: Cluster = "",
) -> Answer:
    """RBAC can-i and who-can, with the chain of bindings. Without namespace: everywhere."""
    from kubesteward_tools.lookup.targets import check_namespace
    from kubesteward_tools.permissions.grants import grants
    from kubesteward_tools.twin.identity import user_of

    world = await one(desk, cluster)
    scope = Scope([world], namespace)
    await seen(scope, (*_RBAC, "serviceaccounts"))
    await check_namespace(world, namespace)
    access, notes = await _access(world, verb.lower(), resource, namespace, name)
    if not subject:
        return _who(scope, access, grants(world.store, access), notes)
    user = user_of(_subject(subject, namespace))
    nobody = user.name.startswith("system:serviceaccount:") or not any(user.groups)
    if not user.name.rpartition(":")[2] and nobody:
        raise InvalidArguments(f"{subject[:80]!r} names nobody.", todo=f"Write {_WHO}.")
    return _may(scope, access, user, subject, world.store, told=notes + _account(world, user.name))


async def _access(world: World, verb: str, resource: str, namespace: str, name: str) -> tuple[Access, list[str]]:
    """A kind as people write it ("deploy") becomes its plural and group. What no server asks for is asked all the
    same, as rules may name it, and told."""
    from kubesteward_tools.errors import UnknownKind
    from kubesteward_tools.twin.rbac import Access

    notes = [] if verb in _VERBS else [f"The API server asks for no verb {verb[:40]!r}."]
    if resource.startswith("/"):
        return Access.of(verb, resource), notes
    kind, _, subresource = resource.partition("/")
    try:
        found = await world.known(kind)
    except UnknownKind:
        unknown = [] if kind == "*" else [f"{world.cluster} serves no {kind[:80]!r}."]
        return Access.of(verb, resource, namespace, name), [*notes, *unknown]
    space = namespace if found.namespaced else ""
    return Access(verb, found.group, found.plural, space, name, subresource), notes


def _account(world: World, name: str) -> list[str]:
    """Rules may name an account before there is one."""
    from kubesteward_tools.world.store import Key

    if not name.startswith("system:serviceaccount:") or "serviceaccounts" in world.forbidden:
        return []
    space, _, account = name.removeprefix("system:serviceaccount:").partition(":")
    there = world.store.get(Key("serviceaccounts", space, account)) is not None
    return [] if there else [f"There is no service account {account!r} in namespace {space!r}."]


def _subject(text: str, namespace: str) -> str:
    """An account without a namespace is one of the namespace asked about."""
    for prefix in ("sa:", "serviceaccount:", "ServiceAccount:"):
        if text.startswith(prefix):
            space, slash, name = text.removeprefix(prefix).rpartition("/")
            return f"system:serviceaccount:{space if slash else namespace or 'default'}:{name}"
    text = f"Group:{text[6:]}" if text.startswith("group:") else text
    return text[5:] if text.lower().startswith("user:") else text


def _question(access: Access) -> str:
    what = access.path or f"{access.full_resource}{f'.{access.group}' if access.group else ''}"
    where = f" in {access.namespace}" if access.namespace else ""
    return sentence(f"{access.verb} {what}{f' {access.name}' if access.name else ''}{where}", 400)


def _who(scope: Scope, access: Access, found: list[Grant], notes: list[str]) -> Answer:
    subjects = list(dict.fromkeys(f"{item.subject_kind} {item.subject}" for item in found))
    many = "1 subject" if len(subjects) == 1 else f"{len(subjects) or 'no'} subjects"
    lines = [*scope.lines(), f"{many} may {_question(access)} (system:masters may do everything):", *notes]
    shown = [sentence(item.chain, 400) for item in found[:_SHOWN]]
    more = [f"... {len(found) - len(shown)} more chains; name a subject to see its own"] if len(found) > _SHOWN else []
    data = {
        "scope": scope.data(),
        "question": _question(access),
        "subjects": [sentence(item) for item in subjects[: 2 * _SHOWN]],
        "total": len(subjects),
        "chains": shown,
        "notes": notes,
    }
    return Answer("\n".join([*lines, *shown, *more]), data)


def _may(scope: Scope, access: Access, user: User, subject: str, store: Store, *, told: list[str]) -> Answer:
    from kubesteward_tools.permissions.grants import dangling, elsewhere, grants
    from kubesteward_tools.twin.rbac import permits

    decision = permits(store, user, access)
    found = grants(store, access, user)
    notes = list(told)
    if not decision.allowed:
        notes += _why_not(found, elsewhere(store, access, user), dangling(store, user, access.namespace))
    reason = "member of system:masters, whom no rule holds" if user.is_superuser else ""
    known = f"{sentence(subject, 300)} {'may' if decision.allowed else 'may not'} {_question(access)}"
    shown = [sentence(item.chain, 400) for item in found[:_SHOWN]]
    lines = [*scope.lines(), f"{known}{f': {reason}' if reason else ''}.", *shown, *notes]
    if not access.path and not user.name.startswith("system:serviceaccount:") and user.name and not decision.allowed:
        lines.append("Groups that an authenticator adds are not known here; ask with Group:NAME too.")
    data = {
        "scope": scope.data(),
        "question": _question(access),
        "subject": sentence(subject, 300),
        "allowed": decision.allowed,
        "chains": shown,
        "notes": notes,
    }
    return Answer("\n".join(lines), data)


def _why_not(found: list[Grant], spaces: list[str], lost: list[str]) -> list[str]:
    notes = ["The chains above only allow objects of certain names."] if found else []
    if spaces:
        notes.append(f"Allowed only in: {', '.join(spaces[:20])}.")
    notes += [f"Binding {sentence(item)}." for item in lost[:10]]
    return notes or ["No binding leads to a role that allows it."]
