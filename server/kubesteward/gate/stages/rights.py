"""Every call the change makes, asked of the API server beforehand. KubeSteward lends nobody rights of its own."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward.execution.snapshot import key_of
from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.change import APPLY_PATCH, ApiCall
from kubesteward_policies.commands import runs_command
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.errors import SteadyError

STAGE = "rights"


async def rights(case: Case) -> Verdict:
    if not case.world.writable:
        return allow(STAGE, "rights.bundle", "nothing is sent to a server")
    asked = {tuple(item.items()) for call in case.change.calls for item in _needed(case, call)}
    for wanted in map(dict, sorted(asked)):
        try:
            allowed, why = await (case.reviewer or case.world).can_i(wanted)
        except SteadyError as error:
            return deny(STAGE, "rights.unanswered", error.message, error.todo)
        case.permissions.append({**{name: text for name, text in wanted.items() if text}, "allowed": allowed})
        if not allowed:
            return _missing(case, wanted, why)
    return allow(STAGE, "rights.ok", "the API server allows every call")


def _missing(case: Case, wanted: dict[str, str], why: str) -> Verdict:
    resource = "/".join(filter(None, (wanted["resource"], wanted["subresource"])))
    where = f"namespace {wanted['namespace']}" if wanted["namespace"] else "the whole cluster"
    who = case.world.who[0] if case.world.who else "KubeSteward's user" + (" for changes" if case.reviewer else "")
    reason = f"{who} may not {wanted['verb']} {resource} in {where}" + (f" ({why})" if why else "")
    role = "Role" if wanted["namespace"] else "ClusterRole"
    rule = f'{{apiGroups: ["{wanted["group"]}"], resources: ["{resource}"], verbs: ["{wanted["verb"]}"]}}'
    todo = f"A {role} bound to {who if case.world.who else 'it'} needs the rule {rule}."
    if case.reviewer is None and not case.world.who:
        todo += " Or name a credential for changes alone: KUBESTEWARD_WRITE_KUBECONFIG, KUBESTEWARD_WRITE_CONTEXT."
    return deny(STAGE, "rights.missing", reason, todo)


def _needed(case: Case, call: ApiCall) -> Iterator[dict[str, str]]:
    """Applying what is not there is creating it, too (API doc: server-side apply). A command is asked for by a GET, as
    every WebSocket is: API servers want `get` for that, and since 1.35 `create` as well (KEP-4006).
    """
    found = _attributes(case, call)
    yield found
    if runs_command(call):
        yield {**found, "verb": "get"}
    key = key_of(case.world, call.target) if call.content_type == APPLY_PATCH else None
    if key is not None and case.world.store.get(key) is None:
        yield {**found, "verb": "create"}


def _attributes(case: Case, call: ApiCall) -> dict[str, str]:
    """ResourceAttributes of a call; `validate` has made sure that the path names the target."""
    target = call.target
    kinds = [kind for kind in case.world.kinds.all() if (kind.group, kind.kind) == (target.group, target.kind)]
    kind = next(kind for kind in kinds if call.path.startswith(kind.path(target.namespace)))
    subresource = call.path.removeprefix(kind.path(target.namespace, target.name)).strip("/")
    created = call.path == kind.path(target.namespace)
    return {
        "verb": call.verb,
        "group": kind.group,
        "version": kind.version,
        "resource": kind.plural,
        "subresource": "" if created else subresource,
        "namespace": target.namespace,
        "name": target.name,
    }
