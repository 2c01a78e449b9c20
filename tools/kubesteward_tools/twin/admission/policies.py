"""ValidatingAdmissionPolicies: expressions that judge a write. API doc: "Validating Admission Policy" (KEP-3488)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.admission.expressions import Scope, conditions_hold, view
from kubesteward_tools.twin.admission.matching import is_exempt, matched
from kubesteward_tools.twin.admission.parameters import parameters
from kubesteward_tools.twin.cel import Failed, Undecided
from kubesteward_tools.twin.status import ApiError, forbidden
from kubesteward_tools.world.store import Object, Store

POLICIES = "validatingadmissionpolicies.admissionregistration.k8s.io"
BINDINGS = "validatingadmissionpolicybindings.admissionregistration.k8s.io"
_MUTATING = ("mutatingadmissionpolicies", "mutatingadmissionpolicys")
"""Their plural, and what becomes of it where the kind is not known to the reader of a store."""
_CODES = {"Forbidden": 403, "Unauthorized": 401, "RequestEntityTooLarge": 413}
_LONGEST_MESSAGE = 5 * 1024


@dataclass(frozen=True, slots=True)
class _Denial:
    """`binding` is "" where the policy itself is at fault; `certain` whatever the binding's actions are."""

    policy: str
    binding: str
    message: str
    reason: str = "Invalid"

    def text(self) -> str:
        by = f" with binding '{self.binding}'" if self.binding else ""
        return f"ValidatingAdmissionPolicy '{self.policy}'{by} denied request: {self.message}"


def unevaluated(attempt: Attempt) -> None:
    """MutatingAdmissionPolicies are named and not evaluated (KEP-3962)."""
    if is_exempt(attempt) or attempt.operation == "DELETE":
        return
    for plural in _MUTATING:
        for policy in attempt.store.objects(f"{plural}.admissionregistration.k8s.io"):
            try:
                covered = matched(policy["spec"].get("matchConstraints"), attempt)
            except Undecided:
                covered = True
            if covered:
                name, what = policy["metadata"]["name"], attempt.kind.plural
                attempt.unknown.append(f"MutatingAdmissionPolicy {name} may change or refuse {what}; not evaluated")


def judge(attempt: Attempt) -> None:
    """Raises ApiError for the first denial. What cannot be decided goes to `attempt.unknown`."""
    policies = attempt.store.objects(POLICIES)
    if not policies or is_exempt(attempt):
        return
    denials = [denial for policy in policies for denial in _policy(policy, attempt)]
    if denials:
        raise _refusal(attempt, denials[0])


def _refusal(attempt: Attempt, denial: _Denial) -> ApiError:
    error = forbidden(attempt.kind, attempt.name, denial.text(), [{"message": denial.text()}])
    error.reason, error.code = denial.reason, _CODES.get(denial.reason, 422)
    return error


def _policy(policy: Object, attempt: Attempt) -> Iterator[_Denial]:
    name = policy["metadata"]["name"]
    for binding in bindings_of(attempt.store, name):
        bound = binding["metadata"]["name"]
        try:
            if not _covers(policy, binding, attempt):
                continue
            found = parameters(policy, binding, attempt)
        except Failed as error:
            if _fails(policy):
                yield _Denial(name, bound, f"failed to configure binding: {error}")
            continue
        except Undecided as error:
            _note(attempt, policy, binding, str(error))
            continue
        for item in found:
            yield from _evaluation(policy, binding, item, attempt)


def bindings_of(store: Store, policy: str) -> list[Object]:
    return [item for item in store.objects(BINDINGS) if item["spec"].get("policyName") == policy]


def _covers(policy: Object, binding: Object, attempt: Attempt) -> bool:
    constraints = policy["spec"].get("matchConstraints") or {}
    if not constraints.get("resourceRules"):
        return False
    return matched(constraints, attempt) and matched(binding["spec"].get("matchResources"), attempt)


def _fails(policy: Object) -> bool:
    return str(policy["spec"].get("failurePolicy", "Fail")) != "Ignore"


def _note(attempt: Attempt, policy: Object, binding: Object, why: str) -> None:
    """Only who could refuse is of interest."""
    if "Deny" in (binding["spec"].get("validationActions") or ()):
        name, what = policy["metadata"]["name"], f"{attempt.kind.plural}"
        attempt.unknown.append(f"ValidatingAdmissionPolicy {name} may refuse {what}; {why}")


def _evaluation(policy: Object, binding: Object, params: Object | None, attempt: Attempt) -> Iterator[_Denial]:
    """What one binding with one parameter object makes of the attempt, after its own actions."""
    name, bound, actions = policy["metadata"]["name"], binding["metadata"]["name"], binding["spec"]["validationActions"]
    try:
        failures = list(_failures(policy, binding, params, attempt))
    except Undecided as error:
        _note(attempt, policy, binding, str(error))
        return
    for message, reason in failures:
        if "Deny" in actions:
            yield _Denial(name, bound, message, reason)
        if "Warn" in actions:
            told = f"Validation failed for ValidatingAdmissionPolicy '{name}' with binding '{bound}': {message}"
            if told not in attempt.warnings:
                attempt.warnings.append(told)


def _failures(policy: Object, binding: Object, params: Object | None, attempt: Attempt) -> Iterator[tuple[str, str]]:
    """Message and reason of each validation that does not hold."""
    spec, data = policy["spec"], view(attempt)
    if spec.get("paramKind"):
        data["params"] = params
    try:
        if not conditions_hold(Scope(attempt, data), spec.get("matchConditions") or ()):
            return
    except Failed as error:
        if _fails(policy):
            yield str(error), "Invalid"
        return
    scope = Scope(attempt, data, spec.get("variables") or ())
    yield from _validations(policy, binding, spec.get("validations") or (), scope, attempt)


def _validations(
    policy: Object, binding: Object, validations: Sequence[dict[str, Any]], scope: Scope, attempt: Attempt
) -> Iterator[tuple[str, str]]:
    for item in validations:
        try:
            if scope.evaluate(item["expression"]) is not True:
                yield _message(item, scope), str(item.get("reason") or "Invalid")
        except Failed as error:
            if _fails(policy):
                yield str(error), "Invalid"
        except Undecided as error:
            _note(attempt, policy, binding, str(error))


def _message(item: dict[str, Any], scope: Scope) -> str:
    """Its own expression, its text, or what failed."""
    found = ""
    if item.get("messageExpression"):
        try:
            value = scope.evaluate(item["messageExpression"], can_ask=False)
            found = value.strip() if isinstance(value, str) else ""
        except (Failed, Undecided):
            found = ""
    if len(found) > _LONGEST_MESSAGE or "\n" in found:
        found = ""
    return found or str(item.get("message", "")).strip() or f"failed expression: {item['expression'].strip()}"
