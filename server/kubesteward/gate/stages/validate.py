"""The change is what it says it is: its paths name its targets, which are there, in a cluster that can be written."""

from __future__ import annotations

import json
import re

from kubesteward.execution.snapshot import key_of, versions
from kubesteward.gate.actions import Actions
from kubesteward.gate.case import Case, allow, deny
from kubesteward_policies.change import APPLY_PATCH, ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_policies.verdict import Verdict
from kubesteward_tools.lookup.targets import near_names
from kubesteward_tools.text.likeness import REDACTED

STAGE = "validate"
_SEGMENT = re.compile(r"[A-Za-z0-9][A-Za-z0-9.:_-]*")


async def validate(case: Case) -> Verdict:
    if not case.change.calls:
        return deny(STAGE, "validate.empty", "the change makes no API call")
    if not case.world.writable and not case.dry_run:
        return deny(STAGE, "validate.bundle", "a bundle cannot be changed", "Preview it with dry_run=true.")
    if found := _reverts(case):
        return found
    made = set[Ref]()
    for call in case.change.calls:
        if found := _path(case, call) or _body(call) or (None if call.target in made else _target(case, call)):
            return found
        if call.verb == "create" or call.content_type == APPLY_PATCH:
            made.add(call.target)
    case.versions = versions(case.world, case.change)
    return allow(STAGE, "validate.ok", "the targets exist")


def _reverts(case: Case) -> Verdict | None:
    """What is taken back has been done, and is taken back once."""
    if not case.change.reverts:
        return None
    first = Actions(case.store, case.audit).get(case.change.reverts)
    if first.reverted_by or not first.done:
        reason = f"it was rolled back by {first.reverted_by}" if first.reverted_by else "it has changed nothing"
        return deny(STAGE, "validate.reverted", f"{first.id} is not rolled back: {reason}", "Look at the objects.")
    return None


def _path(case: Case, call: ApiCall) -> Verdict | None:
    """The rules judge the target and the request goes to the path: both must name the same object, and plainly."""
    target = call.target
    kinds = [kind for kind in case.world.kinds.all() if (kind.group, kind.kind) == (target.group, target.kind)]
    if not kinds:
        reason = f"{case.world.cluster!r} serves no {target.kind}" + (f" of {target.group}" if target.group else "")
        return deny(STAGE, "validate.kind", reason, "Check the kind with list_resources.")
    if not all(_SEGMENT.fullmatch(part) for part in call.path.strip("/").split("/")):
        return deny(STAGE, "validate.path", f"{call.path!r} is no path of an object", "Name the object plainly.")
    fitting = set()
    for kind in kinds:
        named = kind.path(target.namespace, target.name)
        fitting |= {f"{named}/{subresource}" for subresource in kind.subresources}
        fitting.add(kind.path(target.namespace) if call.verb == "create" else named)
    if call.path not in fitting or bool(target.namespace) != kinds[0].namespaced:
        return deny(STAGE, "validate.path", f"the path {call.path!r} is not that of {target}", "Propose it anew.")
    return None


def _body(call: ApiCall) -> Verdict | None:
    metadata = call.body.get("metadata") if isinstance(call.body, dict) else None
    name = metadata.get("name") if isinstance(metadata, dict) else None
    if name not in {None, call.target.name}:
        return deny(STAGE, "validate.name", f"the body names {name!r} and not {call.target.name!r}", "Name one object.")
    if REDACTED in json.dumps(call.body):
        reason = f"the body carries {REDACTED}, which stands where a secret was hidden: it would replace the secret"
        return deny(STAGE, "validate.redacted", reason, "Patch only the fields that are to change.")
    return None


def _target(case: Case, call: ApiCall) -> Verdict | None:
    key = key_of(case.world, call.target)
    acts_on_it = call.path.endswith((f"/{call.target.name}/eviction", f"/{call.target.name}/exec"))
    if key is None or (call.verb == "create" and not acts_on_it):
        return None
    if case.world.store.get(key) is not None:
        return None
    if not case.world.sees(key.resource, key.namespace) and key.resource in case.world.forbidden:
        reason = f"{key.resource} may not be listed: {case.world.forbidden[key.resource]}"
        return deny(STAGE, "validate.unseen", reason, "A Role needs the verbs list and watch for it.")
    if call.content_type == APPLY_PATCH:  # applying is creating, too
        return None
    near = near_names(key.name, [found.name for found in case.world.store.keys(key.resource, key.namespace)])[:2]
    remedy = f"Did you mean {' or '.join(near)}?" if near else "Check name and namespace with list_resources."
    return deny(STAGE, "validate.missing", f"there is no {call.target}", remedy)
