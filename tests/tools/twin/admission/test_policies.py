"""ValidatingAdmissionPolicies, feature by feature as the documentation has them."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.twin.admission.policies import (
    DEPLOYMENTS,
    GROUP,
    Object,
    a_cluster,
    binding,
    delete,
    denied,
    deployment,
    guarded,
    patch,
    policy,
    rule,
    write,
)

from kubesteward_tools.twin.identity import User
from kubesteward_tools.world.store import Key

AT_MOST_3 = {"expression": "object.spec.replicas <= 3", "message": "at most 3 replicas"}
DEVELOPER = User("dora", ("developers", "system:authenticated"))
EDITORS = {
    "metadata": {"name": "developers-edit"},
    "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "edit"},
    "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "Group", "name": "developers"}],
}


def creation(a_policy: Object, a_binding: Object | None = None, obj: Object | None = None) -> str:
    """What a creation of a Deployment with five replicas is refused for, "" when it is not."""
    return denied(write(guarded(a_policy, a_binding), DEPLOYMENTS, obj or deployment(replicas=5)))


def test_a_denial_is_worded_and_coded_as_the_api_server_does() -> None:
    response = write(guarded(policy(AT_MOST_3)), DEPLOYMENTS, deployment(replicas=5))
    text = "ValidatingAdmissionPolicy 'limits' with binding 'everywhere' denied request: at most 3 replicas"

    assert response.status == 422
    assert response.body["reason"] == "Invalid"
    assert response.body["message"] == f'deployments.apps "web" is forbidden: {text}'
    assert response.body["details"] == {
        "name": "web",
        "group": "apps",
        "kind": "deployments",
        "causes": [{"message": text}],
    }


@pytest.mark.parametrize(("reason", "code"), [("Forbidden", 403), ("Invalid", 422), ("RequestEntityTooLarge", 413)])
def test_the_reason_of_a_validation_decides_the_code(reason: str, code: int) -> None:
    response = write(guarded(policy({**AT_MOST_3, "reason": reason})), DEPLOYMENTS, deployment(replicas=5))

    assert (response.status, response.body["reason"]) == (code, reason)


@pytest.mark.parametrize(
    ("validation", "message"),
    [
        ({"messageExpression": "'has ' + string(object.spec.replicas)", "message": "x"}, "has 5"),
        ({"messageExpression": "object.spec.nope", "message": "too many"}, "too many"),
        ({"messageExpression": "'two\\nlines'", "message": "too many"}, "too many"),
        ({}, "failed expression: object.spec.replicas <= 3"),
    ],
)
def test_the_message_is_its_expression_s_its_text_or_the_expression_that_failed(
    validation: Object, message: str
) -> None:
    assert message == creation(policy({"expression": "object.spec.replicas <= 3", **validation}))


def test_the_first_validation_that_does_not_hold_is_named() -> None:
    assert creation(policy("true", "1 == 2", AT_MOST_3)) == "failed expression: 1 == 2"


@pytest.mark.parametrize(
    ("match", "refused"),
    [
        ({}, True),
        ({"namespaceSelector": {"matchLabels": {"tier": "prod"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "shop"}}}, True),
        ({"namespaceSelector": {"matchLabels": {"tier": "test"}}}, False),
        ({"objectSelector": {"matchLabels": {"app": "web"}}}, False),
        ({"objectSelector": {"matchExpressions": [{"key": "app", "operator": "DoesNotExist"}]}}, True),
        ({"resourceRules": [rule("*", "*", "*")]}, True),
        ({"resourceRules": [rule("deployments", "apps", "UPDATE")]}, False),
        ({"resourceRules": [rule("deployments", "")]}, False),
        ({"resourceRules": [rule("deployments", "apps", resourceNames=["web"])]}, True),
        ({"resourceRules": [rule("deployments", "apps", resourceNames=["api"])]}, False),
        ({"resourceRules": [rule("*", "apps", scope="Cluster")]}, False),
        ({"resourceRules": [rule("*", "apps", scope="Namespaced")]}, True),
        ({"resourceRules": [rule("*/scale", "apps")]}, False),
        ({"resourceRules": [{**rule(), "apiVersions": ["v1beta1"]}]}, False),
        ({"excludeResourceRules": [rule("deployments", "apps", "CREATE")]}, False),
    ],
)
@pytest.mark.parametrize("where", ["policy", "binding"])
def test_a_policy_judges_what_its_constraints_and_its_binding_both_match(
    match: dict[str, Any], refused: bool, where: str
) -> None:
    if where == "policy":
        said = creation(policy(AT_MOST_3, match=match))
    else:
        said = creation(policy(AT_MOST_3), binding(matchResources=match))

    assert bool(said) is refused


def test_cluster_scoped_objects_pass_every_namespace_selector_and_namespaces_are_judged_by_their_own_labels() -> None:
    match = {"namespaceSelector": {"matchLabels": {"tier": "prod"}}}
    cluster = guarded(policy("false", rules=[rule("*", "*", "CREATE")], match=match))
    node: Object = {"metadata": {"name": "n9"}}

    assert write(cluster, "/api/v1/nodes", node).status == 422
    assert write(cluster, "/api/v1/namespaces", {"metadata": {"name": "a", "labels": {"tier": "prod"}}}).status == 422
    assert write(cluster, "/api/v1/namespaces", {"metadata": {"name": "b"}}).status == 201


def test_a_rule_for_deployments_does_not_cover_their_scale_and_a_rule_for_the_scale_sees_a_scale() -> None:
    for resource, refused in (("deployments", False), ("deployments/scale", True), ("deployments/*", True)):
        checks = "object.kind == 'Scale' ? object.spec.replicas <= 3 : true"
        cluster = guarded(policy(checks, rules=[rule(resource)]))
        write(cluster, DEPLOYMENTS, deployment())
        response = patch(cluster, f"{DEPLOYMENTS}/web/scale", {"spec": {"replicas": 5}})

        assert (response.status == 422) is refused


@pytest.mark.parametrize(
    ("conditions", "policy_on_failure", "said"),
    [
        (["true"], "Fail", "at most 3 replicas"),
        (["false"], "Fail", ""),
        (["object.spec.nope", "false"], "Fail", ""),
        (["object.spec.nope"], "Fail", "expression 'object.spec.nope' resulted in error: no such key: nope"),
        (["object.spec.nope"], "Ignore", ""),
    ],
)
def test_match_conditions_that_do_not_hold_leave_the_policy_out(
    conditions: list[str], policy_on_failure: str, said: str
) -> None:
    named = [{"name": f"c{at}", "expression": text} for at, text in enumerate(conditions)]

    assert said == creation(policy(AT_MOST_3, matchConditions=named, failurePolicy=policy_on_failure))


def test_an_error_denies_or_is_ignored_as_the_failure_policy_says() -> None:
    broken = "object.metadata.labels['team'] == 'x'"

    assert creation(policy(broken)) == f"expression '{broken}' resulted in error: no such key: labels"
    assert creation(policy(broken, failurePolicy="Ignore")) == ""


def test_variables_build_on_each_other_and_wait_until_they_are_used() -> None:
    variables = [
        {"name": "broken", "expression": "object.spec.nope"},
        {"name": "wanted", "expression": "object.spec.replicas"},
        {"name": "twice", "expression": "variables.wanted * 2"},
    ]
    lazy = "variables.twice == 10 || variables.broken"

    assert creation(policy(lazy, variables=variables)) == ""
    assert creation(policy("variables.broken == 1", variables=variables)) == (
        "expression 'variables.broken == 1' resulted in error: "
        'composited variable "broken" fails to evaluate: no such key: nope'
    )


@pytest.mark.parametrize(
    "expression",
    [
        "request.operation == 'CREATE' && request.name == 'web' && request.namespace == 'shop' && !request.dryRun",
        "request.kind.kind == 'Deployment' && request.resource.resource == 'deployments'",
        "request.requestKind.group == 'apps' && request.requestResource.version == 'v1'",
        "!has(request.subResource) && request.options.kind == 'CreateOptions'",
        "request.userInfo.username == 'kubesteward-admin' && 'system:masters' in request.userInfo.groups",
        "oldObject == null && params == null",
        "namespaceObject.metadata.labels['tier'] == 'prod' && namespaceObject.status.phase == 'Active'",
        "object.spec.template.spec.restartPolicy == 'Always'",
        "authorizer.group('').resource('secrets').namespace('shop').check('list').allowed()",
        "authorizer.requestResource.check('create').allowed()",
    ],
)
def test_expressions_see_the_request_and_the_object_as_it_will_be_stored(expression: str) -> None:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}

    assert creation(policy(expression, paramKind=kind)) == ""


def test_an_update_sees_both_objects_and_a_delete_only_the_old_one() -> None:
    shrinks = "request.operation == 'DELETE' ? object == null && oldObject.spec.replicas < 2 : true"
    halves = "oldObject == null || object == null || object.spec.replicas * 2 >= oldObject.spec.replicas"
    cluster = guarded(policy(shrinks, halves, rules=[rule("deployments", "apps", "*")]))
    write(cluster, DEPLOYMENTS, deployment(replicas=4))

    assert patch(cluster, f"{DEPLOYMENTS}/web", {"spec": {"replicas": 1}}).status == 422
    assert denied(delete(cluster, f"{DEPLOYMENTS}/web")) == f"failed expression: {shrinks}"
    assert patch(cluster, f"{DEPLOYMENTS}/web", {"spec": {"replicas": 2}}).status == 200


def test_who_asks_is_who_the_authorizer_judges() -> None:
    check = "authorizer.group('apps').resource('deployments').namespace('shop').check('delete').allowed()"
    nodes = "!authorizer.group('').resource('nodes').check('delete').allowed()"
    cluster = guarded(policy(check, nodes))
    cluster.api.create("rolebindings.rbac.authorization.k8s.io", "shop", EDITORS)

    assert write(cluster, DEPLOYMENTS, deployment(), DEVELOPER).status == 201
    assert denied(write(cluster, DEPLOYMENTS, deployment("api"))) == f"failed expression: {nodes}"


def with_parameters(reference: Object, *maps: Object) -> str:
    kind = {"apiVersion": "v1", "kind": "ConfigMap"}
    checks = {"expression": "object.spec.replicas <= int(params.data.max)", "messageExpression": "params.data.max"}
    cluster = guarded(policy(checks, paramKind=kind), binding(paramRef=reference))
    for item in maps:
        cluster.api.create("configmaps", "shop", item)
    return denied(write(cluster, DEPLOYMENTS, deployment(replicas=5)))


def limits(name: str, most: str, **labels: str) -> Object:
    return {"metadata": {"name": name, "labels": labels}, "data": {"max": most}}


def test_parameters_are_found_by_name_in_the_namespace_of_the_request_or_the_one_that_is_named() -> None:
    for more in ({}, {"namespace": "shop"}):
        reference = {"name": "limits", "parameterNotFoundAction": "Deny", **more}

        assert with_parameters(reference, limits("limits", "3")) == "3"
        assert with_parameters(reference, limits("limits", "5")) == ""


def test_every_parameter_that_a_selector_finds_has_to_be_content() -> None:
    reference = {"selector": {"matchLabels": {"limits": "yes"}}, "parameterNotFoundAction": "Allow"}
    found = (limits("a", "9", limits="yes"), limits("b", "4", limits="yes"), limits("c", "1"))

    assert with_parameters(reference, *found) == "4"


def test_parameters_that_are_not_there_deny_or_leave_the_binding_out() -> None:
    missing = "failed to configure binding: no params found for policy binding with `Deny` parameterNotFoundAction"

    assert with_parameters({"name": "limits", "parameterNotFoundAction": "Deny"}) == missing
    assert with_parameters({"name": "limits", "parameterNotFoundAction": "Allow"}) == ""


def test_a_warning_is_given_and_an_audit_is_silent() -> None:
    warned = write(guarded(policy(AT_MOST_3), binding("Warn", "Audit")), DEPLOYMENTS, deployment(replicas=5))
    audited = write(guarded(policy(AT_MOST_3), binding("Audit")), DEPLOYMENTS, deployment(replicas=5))
    text = "Validation failed for ValidatingAdmissionPolicy 'limits' with binding 'everywhere': at most 3 replicas"

    assert (warned.status, warned.warnings) == (201, (text,))
    assert (audited.status, audited.warnings) == (201, ())


def test_a_policy_without_a_binding_judges_nothing() -> None:
    cluster = a_cluster()
    write(cluster, f"{GROUP}/validatingadmissionpolicies", policy("false"))

    assert write(cluster, DEPLOYMENTS, deployment()).status == 201


def test_a_dry_run_is_judged_too() -> None:
    cluster = guarded(policy("request.dryRun"))

    assert write(cluster, DEPLOYMENTS, deployment(), dryRun="All").status == 201
    assert write(cluster, DEPLOYMENTS, deployment()).status == 422


def test_nothing_locks_the_policies_themselves() -> None:
    cluster = guarded(policy("false", rules=[rule("*", "*", "*")]))

    assert delete(cluster, f"{GROUP}/validatingadmissionpolicybindings/everywhere").status == 200


def test_pods_that_a_controller_may_not_create_are_its_failure() -> None:
    mapped = policy({"expression": "has(object.spec.priorityClassName)", "message": "no"}, rules=[rule("pods", "")])
    cluster = guarded(mapped)

    assert write(cluster, DEPLOYMENTS, deployment()).status == 201
    cluster.engine.settle()

    assert cluster.store.objects("pods", "shop") == []
    events = [item["message"] for item in cluster.store.objects("events", "shop") if item["reason"] == "FailedCreate"]
    assert "ValidatingAdmissionPolicy 'limits' with binding 'everywhere' denied request: no" in events[0]


def test_pods_that_a_controller_may_not_delete_stay() -> None:
    cluster = guarded(policy({"expression": "false", "message": "kept"}, rules=[rule("pods", "", "DELETE")]))
    write(cluster, DEPLOYMENTS, deployment())
    cluster.engine.settle()
    patch(cluster, f"{DEPLOYMENTS}/web", {"spec": {"replicas": 1}})
    cluster.engine.settle()

    assert cluster.store.count("pods", "shop") == 2
    assert "FailedDelete" in {item["reason"] for item in cluster.store.objects("events", "shop")}


def test_an_eviction_is_a_creation_of_an_eviction_and_no_delete() -> None:
    for resource, operation, refused in (("pods/eviction", "CREATE", True), ("pods", "DELETE", False)):
        cluster = guarded(policy("object.kind != 'Eviction'", rules=[rule(resource, "", operation)]))
        write(cluster, DEPLOYMENTS, deployment(replicas=1))
        cluster.engine.settle()
        pod = cluster.store.objects("pods", "shop")[0]["metadata"]["name"]
        body = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}}
        response = write(cluster, f"/api/v1/namespaces/shop/pods/{pod}/eviction", body)

        assert (response.status == 422) is refused


def test_quota_is_not_asked_for_what_a_policy_refuses() -> None:
    cluster = guarded(policy({"expression": "false", "message": "policy first"}, rules=[rule("pods", "")]))
    quota = {"metadata": {"name": "none"}, "spec": {"hard": {"pods": "0"}}}
    cluster.api.create("resourcequotas", "shop", quota)
    pod = {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "c", "image": "i"}]}}

    assert denied(write(cluster, "/api/v1/namespaces/shop/pods", pod)) == "policy first"


def test_what_cannot_be_decided_is_let_through_and_named() -> None:
    two = "object.spec.template.spec.containers.all(i, c, c.name != '')"
    cluster = guarded(policy(two))

    assert write(cluster, DEPLOYMENTS, deployment()).status == 201
    assert cluster.api.unknown == [
        "ValidatingAdmissionPolicy limits may refuse deployments; comprehensions over two variables cannot be evaluated"
    ]


def test_the_values_of_a_mirrored_secret_are_unknown() -> None:
    cluster = guarded(policy("object.data.token != 'x'", rules=[rule("secrets", "")]))
    mirrored = {"apiVersion": "v1", "kind": "Secret", "type": "Opaque", "data": {"token": "hmac:0123"}}
    key = Key("secrets", "shop", "s")
    cluster.store.put(key, {**mirrored, "metadata": {"name": "s", "namespace": "shop", "resourceVersion": "1"}})
    patch(cluster, "/api/v1/namespaces/shop/secrets/s", {"metadata": {"labels": {"a": "b"}}})

    assert cluster.api.unknown == [
        "ValidatingAdmissionPolicy limits may refuse secrets; the contents of Secrets are not read"
    ]


def test_a_mutating_policy_is_named_and_not_evaluated() -> None:
    cluster = a_cluster()
    key = Key("mutatingadmissionpolicies.admissionregistration.k8s.io", "", "sidecars")
    cluster.store.put(
        key, {"metadata": {"name": "sidecars"}, "spec": {"matchConstraints": {"resourceRules": [rule()]}}}
    )
    write(cluster, DEPLOYMENTS, deployment())

    assert cluster.api.unknown == ["MutatingAdmissionPolicy sidecars may change or refuse deployments; not evaluated"]


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("request.userInfo.username.startsWith('system:serviceaccount:')", "it depends on who the controllers are"),
        ("authorizer.requestResource.check('bypass').allowed()", "the rights of controllers are not known"),
    ],
)
def test_who_the_controllers_are_to_the_api_server_is_not_guessed(expression: str, why: str) -> None:
    cluster = guarded(policy(expression, rules=[rule("pods", "", "CREATE")]))
    write(cluster, DEPLOYMENTS, deployment())
    cluster.engine.settle()

    assert why in cluster.api.unknown[0]


def test_what_no_controller_is_needs_no_guess() -> None:
    cluster = guarded(policy("request.userInfo.username != 'dora'", rules=[rule("pods", "", "CREATE")]))
    write(cluster, DEPLOYMENTS, deployment())
    cluster.engine.settle()

    assert cluster.api.unknown == []
    assert cluster.store.count("pods", "shop") == 2
