"""Every call the change makes, asked of the API server beforehand. KubeSteward lends nobody rights of its own."""

from __future__ import annotations

from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.change import ApiCall
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.twin.route import parse
from kubesteward_tools.twin.status import ApiError

STAGE = "rights"


async def rights(case: Case) -> Verdict:
    if not case.world.writable:
        return allow(STAGE, "rights.bundle", "nothing is sent to a server")
    for call in case.change.calls:
        attributes = _attributes(call)
        try:
            allowed, _ = await case.world.can_i(attributes)
        except SteadyError as error:
            return deny(STAGE, "rights.unanswered", error.message, error.todo)
        if not allowed:
            resource = attributes["resource"] + (f"/{attributes['subresource']}" if attributes["subresource"] else "")
            reason = f"you may not {attributes['verb']} {resource} in {attributes['namespace'] or 'the cluster'}"
            rule = f"apiGroups: [{attributes['group']!r}], resources: [{resource!r}], verbs: [{attributes['verb']!r}]"
            return deny(STAGE, "rights.missing", reason, f"A Role needs the rule {rule}.")
    return allow(STAGE, "rights.ok", "the API server allows every call")


def _attributes(call: ApiCall) -> dict[str, str]:
    parts = call.path.strip("/").split("/")
    try:
        route = parse(call.path)
    except ApiError:  # a custom resource: the path speaks for itself
        rest = parts[5:] if "namespaces" in parts else parts[3:]
        return {
            "verb": call.verb,
            "group": parts[1],
            "resource": rest[0],
            "namespace": call.target.namespace,
            "name": call.target.name,
            "subresource": rest[2] if len(rest) > 2 else "",
        }
    return {
        "verb": call.verb,
        "group": route.kind.group,
        "resource": route.kind.plural,
        "namespace": route.namespace,
        "name": route.name,
        "subresource": route.subresource,
    }
