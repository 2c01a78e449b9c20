"""Admission webhooks on a write: who is to be asked, and what becomes of the answer.

API doc: "Dynamic Admission Control". A `Caller` brings the answers; without one only the state of a webhook's Service
speaks (`calling.by_state`).
"""

from __future__ import annotations

import base64
import binascii
import copy
import json
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.admission.calling import Unasked, Unreachable, by_state
from kubesteward_tools.twin.admission.expressions import ALWAYS, Scope, conditions_hold, view
from kubesteward_tools.twin.admission.matching import is_exempt, matched
from kubesteward_tools.twin.admission.reviewing import objects_of, request_of
from kubesteward_tools.twin.cel import Failed, Undecided
from kubesteward_tools.twin.patches import json_patch
from kubesteward_tools.twin.status import ApiError, bad_request, forbidden
from kubesteward_tools.world.store import Object

MUTATING = "mutatingwebhookconfigurations.admissionregistration.k8s.io"
VALIDATING = "validatingwebhookconfigurations.admissionregistration.k8s.io"
_HARMLESS = {"None", "NoneOnDryRun"}

Hook = dict[str, Any]


def mutate(attempt: Attempt) -> None:
    """Asks the mutating webhooks in order of their configurations' names, and `IfNeeded` ones again where another one
    has changed the object since.

    Raises:
        ApiError: one says no, or gives no answer and fails closed.
    """
    seen = list[tuple[Hook, Object]]()
    for hook in _relevant(attempt, MUTATING):
        _mutate(attempt, hook)
        seen.append((hook, copy.deepcopy(attempt.obj) if hook.get("reinvocationPolicy") == "IfNeeded" else {}))
    for hook, left in seen:
        if left and left != attempt.obj:
            _mutate(attempt, hook)


def _mutate(attempt: Attempt, hook: Hook) -> None:
    answer = _ask(attempt, hook, "refuse or change")
    if not answer.get("patch") or attempt.subresource or attempt.operation == "DELETE":
        return  # a patch of a view is a patch of something that is not here
    try:
        changed = json_patch.apply(attempt.obj, json.loads(base64.b64decode(answer["patch"], validate=True)))
    except (ApiError, ValueError, binascii.Error):
        raise _failed(hook, "received a patch that cannot be applied") from None
    attempt.obj.clear()
    attempt.obj.update(changed)


def validate(attempt: Attempt) -> None:
    """Raises ApiError when a validating webhook says no, or gives no answer and fails closed."""
    for hook in _relevant(attempt, VALIDATING):
        _ask(attempt, hook, "refuse")


def presume(attempt: Attempt, configurations: str) -> None:
    """As if it were asked, but by the state alone: whoever writes here does not wait. Raises ApiError."""
    attempt.caller = by_state
    for hook in _relevant(attempt, configurations):
        _ask(attempt, hook, "refuse")


def _relevant(attempt: Attempt, configurations: str) -> Iterator[Hook]:
    """The webhooks that a request has to pass."""
    found = attempt.store.objects(configurations)
    if not found or is_exempt(attempt):
        return
    for configuration in sorted(found, key=lambda item: str(item["metadata"]["name"])):
        for hook in configuration.get("webhooks") or ():
            if _is_asked(attempt, hook):
                yield hook


def _is_asked(attempt: Attempt, hook: Hook) -> bool:
    try:
        if not hook.get("rules") or not matched(hook, attempt):
            return False
        data = {name: value for name, value in view(attempt).items() if name in ALWAYS | {"authorizer"}}
        return conditions_hold(Scope(attempt, data), hook.get("matchConditions") or ())
    except Failed as error:
        if fails_closed(hook):
            raise forbidden(attempt.kind, attempt.name, str(error)) from None
        return False
    except Undecided as error:
        attempt.unknown.append(f"admission webhook {hook['name']} may refuse {attempt.kind.plural}; {error}")
        return False


def fails_closed(hook: Hook) -> bool:
    return bool(hook.get("failurePolicy", "Fail") == "Fail")


def _ask(attempt: Attempt, hook: Hook, power: str) -> Object:
    """The response, {} where there is none and the request goes on without."""
    if attempt.dry_run and hook.get("sideEffects") not in _HARMLESS:
        raise bad_request(f'admission webhook "{hook["name"]}" does not support dry run')
    review = _review(attempt)
    try:
        answer = _verified(attempt.caller(attempt.store, hook, review), review["request"]["uid"])
    except Unreachable as error:
        if fails_closed(hook):
            raise _failed(hook, str(error)) from None
        return {}
    except Unasked:
        attempt.unknown.append(f"admission webhook {hook['name']} may {power} {attempt.kind.plural}; it is not asked")
        return {}
    attempt.warnings += [str(text) for text in answer.get("warnings") or ()]
    if not answer["allowed"]:
        raise _denied(hook, answer.get("status") or {})
    return answer


def _review(attempt: Attempt) -> Object:
    new, old = objects_of(attempt)
    request = {**request_of(attempt), "uid": attempt.names.uid(), "object": new, "oldObject": old}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "request": request}


def _verified(review: Object, uid: str) -> Object:
    """The response in a review. Raises Unreachable, as the API server takes a wrong answer for none."""
    answer = review.get("response")
    if not isinstance(answer, dict) or not isinstance(answer.get("allowed"), bool):
        raise Unreachable("webhook response was absent")
    if answer.get("uid") != uid:
        wrong = f'expected response.uid="{uid}", got "{answer.get("uid", "")}"'
        raise Unreachable(f"received invalid webhook response: {wrong}")
    if answer.get("patch") and answer.get("patchType") != "JSONPatch":
        raise Unreachable(f'received invalid webhook response: invalid response.patchType="{answer.get("patchType")}"')
    return answer


def _failed(hook: Hook, why: str) -> ApiError:
    text = f'failed calling webhook "{hook["name"]}": {why}'
    return ApiError(500, "InternalError", f"Internal error occurred: {text}", causes=[{"message": text}])


def _denied(hook: Hook, status: Object) -> ApiError:
    """The webhook's own status with the server's words before it; never a code of success."""
    denied = f'admission webhook "{hook["name"]}" denied the request'
    said = status.get("message") or status.get("reason")
    message = f"{denied}: {said}" if said else f"{denied} without explanation"
    code = status.get("code")
    return ApiError(
        code if isinstance(code, int) and code >= 400 else 400,
        str(status.get("reason") or ""),
        message,
        details=dict(status.get("details") or {}),
    )
