"""ValidatingAdmissionPolicies, their bindings, and webhooks (pkg/apis/admissionregistration/validation)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

from kubesteward_tools.twin.cel import Invalid, Undecided, compiled
from kubesteward_tools.twin.status import FieldError, forbidden_field, invalid_value, not_supported, required

_FAILURE_POLICIES, _MATCH_POLICIES = ("Fail", "Ignore"), ("Equivalent", "Exact")
_OPERATIONS = ("*", "CONNECT", "CREATE", "DELETE", "UPDATE")
_ACTIONS = ("Audit", "Deny", "Warn")
_REASONS = ("Forbidden", "Invalid", "RequestEntityTooLarge")
_SIDE_EFFECTS = ("None", "NoneOnDryRun")
_SCOPES = ("*", "Cluster", "Namespaced")
_IDENTIFIER = re.compile(r"[_a-zA-Z][_a-zA-Z0-9]*")
_BASE = frozenset({"object", "oldObject", "request", "namespaceObject"})
_BOTH_ACTIONS = (
    "must not contain both Deny and Warn (repeating the same validation failure information in the API response and "
    "headers serves no purpose)"
)
_NOTHING = "validations or auditAnnotations must contain at least one item"

Errors = Iterator[FieldError]


def policy(obj: dict[str, Any]) -> Errors:
    spec = obj["spec"]
    yield from _one_of("spec.failurePolicy", spec.get("failurePolicy"), _FAILURE_POLICIES)
    if (kind := spec.get("paramKind")) is not None:
        yield from (required(f"spec.paramKind.{part}") for part in ("apiVersion", "kind") if not kind.get(part))
    match = spec.get("matchConstraints")
    if match is None:
        yield required("spec.matchConstraints")
    else:
        yield from _match("spec.matchConstraints", match)
        if not match.get("resourceRules"):
            yield required("spec.matchConstraints.resourceRules")
    yield from _conditions("spec.matchConditions", spec.get("matchConditions") or (), _names(spec) - {"variables"})
    for at, item in enumerate(spec.get("variables") or ()):
        yield from _variable(f"spec.variables[{at}]", item, _names(spec))
    if not spec.get("validations") and not spec.get("auditAnnotations"):
        yield required("spec.validations", _NOTHING)
        yield required("spec.auditAnnotations", _NOTHING)
    for at, item in enumerate(spec.get("validations") or ()):
        yield from _validation(f"spec.validations[{at}]", item, _names(spec))
    for at, item in enumerate(spec.get("auditAnnotations") or ()):
        path = f"spec.auditAnnotations[{at}].valueExpression"
        yield from _expression(path, item.get("valueExpression", ""), _names(spec), ("string", "null"))


def _names(spec: dict[str, Any]) -> frozenset[str]:
    more = {"authorizer"} | ({"params"} if spec.get("paramKind") else set())
    return _BASE | more | ({"variables"} if spec.get("variables") else set())


def _one_of(path: str, value: Any, supported: Sequence[str]) -> Errors:
    if value is None:
        yield required(path)
    elif value not in supported:
        yield not_supported(path, value, supported)


def _match(path: str, match: dict[str, Any]) -> Errors:
    yield from _one_of(f"{path}.matchPolicy", match.get("matchPolicy"), _MATCH_POLICIES)
    for part in ("resourceRules", "excludeResourceRules"):
        for at, rule in enumerate(match.get(part) or ()):
            yield from _rule(f"{path}.{part}[{at}]", rule)


def _rule(path: str, rule: dict[str, Any]) -> Errors:
    operations = rule.get("operations") or []
    if not operations:
        yield required(f"{path}.operations")
    elif len(operations) > 1 and "*" in operations:
        why = "if '*' is present, must not specify other operations"
        yield invalid_value(f"{path}.operations", operations, why)
    for at, item in enumerate(operations):
        if item not in _OPERATIONS:
            yield not_supported(f"{path}.operations[{at}]", item, _OPERATIONS)
    for part in ("apiGroups", "apiVersions", "resources"):
        values = rule.get(part) or []
        if not values:
            yield required(f"{path}.{part}")
        elif part != "resources" and len(values) > 1 and "*" in values:
            yield invalid_value(f"{path}.{part}", values, f"if '*' is present, must not specify other {_words(part)}")
    if rule.get("scope", "*") not in _SCOPES:
        yield not_supported(f"{path}.scope", rule["scope"], _SCOPES)


def _words(part: str) -> str:
    return {"apiGroups": "API groups", "apiVersions": "API versions"}[part]


def _conditions(path: str, conditions: Sequence[dict[str, Any]], names: frozenset[str]) -> Errors:
    seen = set[str]()
    for at, item in enumerate(conditions):
        yield from _expression(f"{path}[{at}].expression", item.get("expression", "").strip(), names, ("bool",))
        name = item.get("name", "")
        if not name:
            yield required(f"{path}[{at}].name")
        elif name in seen:
            yield FieldError("FieldValueDuplicate", f"{path}[{at}].name", f'Duplicate value: "{name}"')
        seen.add(name)


def _variable(path: str, item: dict[str, Any], names: frozenset[str]) -> Errors:
    name = item.get("name", "")
    if not name.strip():
        yield required(f"{path}.name", "name is not specified")
    elif not _IDENTIFIER.fullmatch(name):
        yield invalid_value(f"{path}.name", name, "name is not a valid CEL identifier")
    yield from _expression(f"{path}.expression", item.get("expression", ""), names, (), "expression is not specified")


def _validation(path: str, item: dict[str, Any], names: frozenset[str]) -> Errors:
    needed = "expression is not specified"
    yield from _expression(f"{path}.expression", item.get("expression", ""), names, ("bool",), needed)
    if text := item.get("messageExpression"):
        if text.strip():
            yield from _expression(f"{path}.messageExpression", text, names - {"authorizer"}, ("string",))
        else:
            yield invalid_value(f"{path}.messageExpression", text, "must be non-empty if specified")
    if message := item.get("message"):
        if not message.strip():
            yield invalid_value(f"{path}.message", message, "message must be non-empty if specified")
        elif re.search(r"[\n\r]", message.strip()):
            yield invalid_value(f"{path}.message", message, "message must not contain line breaks")
    if item.get("reason") is not None and item["reason"] not in _REASONS:
        yield not_supported(f"{path}.reason", item["reason"], _REASONS)


def _expression(path: str, text: str, names: frozenset[str], results: Sequence[str], lacking: str = "") -> Errors:
    """What the compiler refuses; what the engine here does not have may well be right."""
    if not text.strip():
        yield required(path, lacking)
        return
    try:
        program = compiled(text, names)
    except Invalid as error:
        yield invalid_value(path, text, f"compilation failed: {error}")
    except Undecided:
        return
    else:
        if results and program.result not in {*results, "dyn"}:
            yield invalid_value(path, text, f"must evaluate to {' or '.join(results)}")


def binding(obj: dict[str, Any]) -> Errors:
    spec = obj["spec"]
    if not spec.get("policyName"):
        yield required("spec.policyName")
    if (reference := spec.get("paramRef")) is not None:
        yield from _reference("spec.paramRef", reference)
    if (match := spec.get("matchResources")) is not None:
        yield from _match("spec.matchResouces", match)  # spelled so by the API server
    yield from _actions("spec.validationActions", spec.get("validationActions") or [])


def _actions(path: str, actions: list[str]) -> Errors:
    for at, item in enumerate(actions):
        if item not in _ACTIONS:
            yield not_supported(f"{path}[{at}]", item, _ACTIONS)
        if item in actions[:at]:
            yield FieldError("FieldValueDuplicate", f"{path}[{at}]", f'Duplicate value: "{item}"')
    if {"Deny", "Warn"} <= set(actions):
        yield invalid_value(path, actions, _BOTH_ACTIONS)
    if not actions:
        yield required(path, "at least one validation action is required")


def _reference(path: str, reference: dict[str, Any]) -> Errors:
    name, selector = reference.get("name"), reference.get("selector")
    if name and selector is not None:
        yield forbidden_field(f"{path}.name", "name and selector are mutually exclusive")
        yield forbidden_field(f"{path}.selector", "name and selector are mutually exclusive")
    elif not name and selector is None:
        yield required(path, "one of name or selector must be specified")
    yield from _one_of(f"{path}.parameterNotFoundAction", reference.get("parameterNotFoundAction"), ("Allow", "Deny"))


def webhooks(obj: dict[str, Any]) -> Errors:
    seen = set[str]()
    for at, hook in enumerate(obj.get("webhooks") or ()):
        path = f"webhooks[{at}]"
        yield from _webhook(path, hook)
        if hook.get("name") in seen:
            yield FieldError("FieldValueDuplicate", f"{path}.name", f'Duplicate value: "{hook["name"]}"')
        seen.add(hook.get("name", ""))


def _webhook(path: str, hook: dict[str, Any]) -> Errors:
    name = hook.get("name", "")
    if not name:
        yield required(f"{path}.name")
    elif name.count(".") < 2:
        yield invalid_value(f"{path}.name", name, "should be a domain with at least three segments separated by dots")
    for at, rule in enumerate(hook.get("rules") or ()):
        yield from _rule(f"{path}.rules[{at}]", rule)
    yield from _one_of(f"{path}.failurePolicy", hook.get("failurePolicy"), _FAILURE_POLICIES)
    yield from _one_of(f"{path}.matchPolicy", hook.get("matchPolicy"), _MATCH_POLICIES)
    yield from _one_of(f"{path}.sideEffects", hook.get("sideEffects"), _SIDE_EFFECTS)
    seconds = hook.get("timeoutSeconds", 10)
    if not 1 <= seconds <= 30:
        why = "the timeout value must be between 1 and 30 seconds"
        yield invalid_value(f"{path}.timeoutSeconds", seconds, why)
    if not hook.get("admissionReviewVersions"):
        yield required(f"{path}.admissionReviewVersions", "must specify one of v1, v1beta1")
    yield from _client(f"{path}.clientConfig", hook.get("clientConfig") or {})
    yield from _conditions(f"{path}.matchConditions", hook.get("matchConditions") or (), _BASE | {"authorizer"})


def _client(path: str, config: dict[str, Any]) -> Errors:
    url, service = config.get("url"), config.get("service")
    if (url is None) == (service is None):
        yield required(path, "exactly one of url or service is required")
    elif url is not None:
        scheme = urlsplit(url).scheme
        if scheme != "https":
            why = "'https' is the only allowed URL scheme"
            yield invalid_value(f"{path}.url", url, f"{why}; desired format: https://host[/path]")
    else:
        yield from (
            required(f"{path}.service.{part}") for part in ("name", "namespace") if not (service or {}).get(part)
        )
