"""Policies, bindings and webhooks as they are written: what is filled in, and what is refused with its field."""

from __future__ import annotations

import pytest
from tests.tools.twin.admission.policies import GROUP, Object, a_cluster, binding, policy, rule, write

from kubesteward_tools.twin.cluster import SimulatedCluster


@pytest.fixture(scope="module")
def cluster() -> SimulatedCluster:
    return a_cluster()


def refusals(cluster: SimulatedCluster, plural: str, obj: Object) -> dict[str, str]:
    """Field and message of each cause."""
    response = write(cluster, f"{GROUP}/{plural}", obj)
    return {item["field"]: item["message"] for item in response.body.get("details", {}).get("causes", [])}


def test_a_policy_that_does_not_compile_is_refused_with_the_compiler_s_words(cluster: SimulatedCluster) -> None:
    found = refusals(cluster, "validatingadmissionpolicies", policy("object.spec.replicas <"))
    message = found["spec.validations[0].expression"]

    assert message.startswith(
        'Invalid value: "object.spec.replicas <": compilation failed: ERROR: <input>:1:23: Syntax'
    )
    assert message.endswith(" | object.spec.replicas <\n | ......................^")


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        (policy("1 + 1"), "spec.validations[0].expression", 'Invalid value: "1 + 1": must evaluate to bool'),
        (policy(), "spec.validations", "Required value: validations or auditAnnotations must contain at least one"),
        (policy("params.x"), "spec.validations[0].expression", "undeclared reference to 'params"),
        (policy("variables.x"), "spec.validations[0].expression", "undeclared reference to 'variables"),
        (policy("true", failurePolicy="Maybe"), "spec.failurePolicy", 'Unsupported value: "Maybe"'),
        (policy({"expression": ""}), "spec.validations[0].expression", "Required value: expression is not specified"),
        (policy({"expression": "true", "reason": "Why"}), "spec.validations[0].reason", 'Unsupported value: "Why"'),
        (policy({"expression": "true", "message": "a\nb"}), "spec.validations[0].message", "must not contain line"),
        (
            policy({"expression": "true", "messageExpression": "1"}),
            "spec.validations[0].messageExpression",
            "must evaluate to string",
        ),
        (policy("true", variables=[{"name": "a-b", "expression": "1"}]), "spec.variables[0].name", "not a valid CEL"),
        (
            policy("true", matchConditions=[{"name": "", "expression": "true"}]),
            "spec.matchConditions[0].name",
            "Required value",
        ),
        (
            policy("true", rules=[rule("pods", "", "MOVE")]),
            "spec.matchConstraints.resourceRules[0].operations[0]",
            'Unsupported value: "MOVE": supported values: "*", "CONNECT", "CREATE", "DELETE", "UPDATE"',
        ),
        (policy("true", paramKind={"kind": "ConfigMap"}), "spec.paramKind.apiVersion", "Required value"),
    ],
)
def test_a_wrong_policy_is_refused_field_by_field(
    cluster: SimulatedCluster, wrong: Object, field: str, message: str
) -> None:
    assert message in refusals(cluster, "validatingadmissionpolicies", wrong)[field]


@pytest.mark.parametrize(
    ("wrong", "field", "message"),
    [
        (binding(policyName=""), "spec.policyName", "Required value"),
        (binding("Deny", "Warn"), "spec.validationActions", "must not contain both Deny and Warn"),
        (binding("Deny", "Deny"), "spec.validationActions[1]", 'Duplicate value: "Deny"'),
        (binding(validationActions=[]), "spec.validationActions", "at least one validation action is required"),
        (binding("Stop"), "spec.validationActions[0]", 'supported values: "Audit", "Deny", "Warn"'),
        (binding(paramRef={"name": "a"}), "spec.paramRef.parameterNotFoundAction", "Required value"),
        (binding(paramRef={"parameterNotFoundAction": "Deny"}), "spec.paramRef", "one of name or selector"),
        (
            binding(paramRef={"name": "a", "selector": {}, "parameterNotFoundAction": "Deny"}),
            "spec.paramRef.name",
            "Forbidden: name and selector are mutually exclusive",
        ),
    ],
)
def test_a_wrong_binding_is_refused_field_by_field(
    cluster: SimulatedCluster, wrong: Object, field: str, message: str
) -> None:
    assert message in refusals(cluster, "validatingadmissionpolicybindings", wrong)[field]


@pytest.mark.parametrize(
    ("change", "field", "message"),
    [
        ({"name": "short"}, "webhooks[0].name", "at least three segments"),
        ({"sideEffects": None}, "webhooks[0].sideEffects", "Required value"),
        ({"timeoutSeconds": 31}, "webhooks[0].timeoutSeconds", "between 1 and 30 seconds"),
        ({"clientConfig": {}}, "webhooks[0].clientConfig", "exactly one of url or service is required"),
        (
            {"clientConfig": {"url": "http://x"}},
            "webhooks[0].clientConfig.url",
            "'https' is the only allowed URL scheme",
        ),
        ({"admissionReviewVersions": []}, "webhooks[0].admissionReviewVersions", "must specify one of v1, v1beta1"),
    ],
)
def test_a_wrong_webhook_is_refused_field_by_field(
    cluster: SimulatedCluster, change: Object, field: str, message: str
) -> None:
    right = {"name": "a.example.com", "clientConfig": {"url": "https://x"}, "rules": [rule()], "sideEffects": "None"}
    hooks = [{**right, "admissionReviewVersions": ["v1"], **change}]
    found = refusals(cluster, "validatingwebhookconfigurations", {"metadata": {"name": "h"}, "webhooks": hooks})

    assert message in found[field]


def test_what_is_left_out_takes_its_default(cluster: SimulatedCluster) -> None:
    spec = write(cluster, f"{GROUP}/validatingadmissionpolicies", policy("true")).body["spec"]
    service = {"namespace": "a", "name": "b"}
    known = {"name": "a.example.com", "clientConfig": {"service": service}, "sideEffects": "None", "rules": [rule()]}
    hooks = {"metadata": {"name": "m"}, "webhooks": [{**known, "admissionReviewVersions": ["v1"]}]}
    hook = write(cluster, f"{GROUP}/mutatingwebhookconfigurations", hooks).body["webhooks"][0]

    assert spec["failurePolicy"] == "Fail"
    assert spec["matchConstraints"]["matchPolicy"] == "Equivalent"
    assert spec["matchConstraints"]["resourceRules"][0]["scope"] == "*"
    assert (hook["failurePolicy"], hook["timeoutSeconds"], hook["reinvocationPolicy"]) == ("Fail", 10, "Never")
    assert hook["clientConfig"]["service"]["port"] == 443
