"""Custom resources in the twin: what a definition makes the API server do with its objects."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.tools.twin.definitions import (
    CRDS,
    JSON,
    NOW,
    SPEC,
    WIDGETS,
    ask,
    cluster_with,
    definition,
    version,
    widget,
)

from kubesteward_policies.change import ApiCall
from kubesteward_policies.ref import Ref
from kubesteward_tools.twin.custom import writes
from kubesteward_tools.twin.custom.definitions import Definition
from kubesteward_tools.twin.rehearse import rehearse
from kubesteward_tools.world.kinds import ResourceType
from kubesteward_tools.world.store import Key

APPLY = "application/apply-patch+yaml"
WIDGET_CRD = f"{CRDS}/widgets.example.com"


def conditions(obj: dict[str, Any]) -> dict[str, tuple[str, str]]:
    return {item["type"]: (item["status"], item["reason"]) for item in obj["status"]["conditions"]}


def test_a_definition_is_in_force_at_once() -> None:
    cluster = cluster_with()
    found = ask(cluster, "get", WIDGET_CRD).body

    assert conditions(found) == {
        "NamesAccepted": ("True", "NoConflicts"),
        "Established": ("True", "InitialNamesAccepted"),
    }
    assert found["status"]["storedVersions"] == ["v1"]
    assert found["status"]["acceptedNames"]["listKind"] == "WidgetList"
    assert ask(cluster, "list", WIDGETS).body["kind"] == "WidgetList"


def test_names_that_are_taken_are_not_accepted_until_they_are_free() -> None:
    names = {"plural": "gizmos", "kind": "Widget"}
    cluster = cluster_with(definition(), definition(plural="gizmos", names=names))

    late = ask(cluster, "get", f"{CRDS}/gizmos.example.com").body
    assert conditions(late) == {"NamesAccepted": ("False", "SingularConflict"), "Established": ("False", "NotAccepted")}
    assert ask(cluster, "list", "/apis/example.com/v1/gizmos").status == 404

    ask(cluster, "delete", WIDGET_CRD)
    cluster.engine.settle()
    assert ask(cluster, "list", "/apis/example.com/v1/gizmos").status == 200


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"metadata": {"name": "other.example.com"}}, "metadata.name"),
        ({"spec": {"scope": "Everywhere"}}, "spec.scope"),
        ({"spec": {"group": "short"}}, "spec.group"),
        ({"spec": {"versions": []}}, "spec.versions"),
        ({"spec": {"versions": [version(storage=False)]}}, "spec.versions"),
        ({"spec": {"versions": [version(), version(storage=False)]}}, "spec.versions"),
        ({"spec": {"versions": [version(schema=None)]}}, "spec.versions[0].schema.openAPIV3Schema"),
        (
            {"spec": {"versions": [version(spec={"properties": {}})]}},
            "spec.versions[0].schema.openAPIV3Schema.properties[spec].type",
        ),
        (
            {"spec": {"versions": [version(spec={"type": "array"})]}},
            "spec.versions[0].schema.openAPIV3Schema.properties[spec].items",
        ),
        (
            {"spec": {"versions": [version(spec={"type": "integer", "default": "one"})]}},
            "spec.versions[0].schema.openAPIV3Schema.properties[spec].default",
        ),
        ({"spec": {"conversion": {"strategy": "Webhook"}}}, "spec.conversion.webhook.clientConfig"),
        (
            {"spec": {"versions": [version(subresources={"scale": {"specReplicasPath": ".status.x"}})]}},
            "spec.versions[0].subresources.scale.specReplicasPath",
        ),
    ],
)
def test_a_definition_that_is_wrong_is_refused_with_the_field(change: dict[str, Any], field: str) -> None:
    wrong = definition()
    wrong = {
        **wrong,
        "metadata": change.get("metadata", wrong["metadata"]),
        "spec": {**wrong["spec"], **change.get("spec", {})},
    }
    refused = ask(cluster_with(), "create", CRDS, wrong)

    assert refused.status == 422
    assert field in [cause["field"] for cause in refused.body["details"]["causes"]]


@pytest.mark.parametrize(
    ("spec", "cause"),
    [
        ({"size": 11}, "spec.size: Invalid value: 11: spec.size in body should be less than or equal to 10"),
        ({"size": "big"}, 'spec.size: Invalid value: "string": spec.size in body must be of type integer: "string"'),
        ({"size": None}, "spec.size: Required value"),
        ({"colour": "green"}, 'spec.colour: Unsupported value: "green": supported values: "red", "blue"'),
        ({"note": "abcdef"}, "spec.note: Too long: may not be more than 5 bytes"),
        ({"note": "A"}, "spec.note: Invalid value: \"A\": spec.note in body should match '^[a-z]*$'"),
        ({"tags": ["a", "a"]}, 'spec.tags[1]: Duplicate value: "a"'),
        ({"parts": [{"name": "a"}, {"name": "a"}]}, 'spec.parts[1]: Duplicate value: {"name":"a"}'),
        (
            {"port": True},
            'spec.port: Invalid value: "boolean": spec.port in body must be of type integer,string: "boolean"',
        ),
        (
            {"labels": {"a": 1}},
            'spec.labels.a: Invalid value: "integer": spec.labels.a in body must be of type string: "integer"',
        ),
    ],
)
def test_an_object_that_does_not_fit_its_schema_is_refused_in_the_servers_words(
    spec: dict[str, Any], cause: str
) -> None:
    refused = ask(cluster_with(), "create", WIDGETS, widget(**spec))

    assert (refused.status, refused.body["message"]) == (422, f'Widget.example.com "w" is invalid: {cause}')


@pytest.mark.parametrize(
    ("schema", "good", "bad"),
    [
        ({"oneOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1}, {"a": 1, "b": 2}),
        ({"anyOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 2}, {}),
        ({"allOf": [{"required": ["a"]}, {"required": ["b"]}]}, {"a": 1, "b": 2}, {"a": 1}),
        ({"not": {"required": ["b"]}}, {"a": 1}, {"b": 1}),
    ],
)
def test_conditions_on_several_fields_hold(schema: dict[str, Any], good: dict[str, Any], bad: dict[str, Any]) -> None:
    numbers = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}, **schema}
    cluster = cluster_with(definition(version(spec=numbers)))

    assert ask(cluster, "create", WIDGETS, {**widget("good"), "spec": good}).status == 201
    assert ask(cluster, "create", WIDGETS, {**widget("bad"), "spec": bad}).status == 422


def test_unknown_fields_are_dropped_named_or_refused_as_was_asked_for() -> None:
    cluster = cluster_with()
    plain = ask(cluster, "create", WIDGETS, widget("plain", depth=2, free={"x": 1}))
    quiet = ask(cluster, "create", WIDGETS, widget("quiet", depth=2), fieldValidation="Ignore")
    strict = ask(cluster, "create", WIDGETS, widget("strict", depth=2), fieldValidation="Strict")

    assert plain.body["spec"] == {"size": 1, "colour": "red", "free": {"x": 1}}
    assert plain.warnings == ('unknown field "spec.depth"',)
    assert quiet.warnings == ()
    assert (strict.status, strict.body["message"]) == (
        400,
        'Widget in version "v1" cannot be handled as a Widget: strict decoding error: unknown field "spec.depth"',
    )


def test_a_null_takes_the_default_goes_or_stays_as_the_schema_says() -> None:
    made = ask(cluster_with(), "create", WIDGETS, widget(colour=None, note=None, replicas=None))

    assert made.body["spec"] == {"size": 1, "colour": "red", "note": None}


def test_a_generation_counts_changes_of_content_alone() -> None:
    cluster = cluster_with(widget())
    one = f"{WIDGETS}/w"

    def generation(path: str, body: dict[str, Any]) -> Any:
        return ask(cluster, "patch", path, body).body["metadata"]["generation"]

    assert generation(one, {"metadata": {"labels": {"a": "b"}}}) == 1
    assert generation(one, {"spec": {"depth": 3}}) == 1
    assert generation(f"{one}/status", {"status": {"replicas": 3}, "spec": {"size": 9}}) == 1
    assert generation(one, {"spec": {"size": 2}, "status": {"replicas": 9}}) == 2
    found = ask(cluster, "get", one).body
    assert (found["spec"]["size"], found["status"]) == (2, {"replicas": 3})


def test_without_a_subresource_the_status_is_a_field_like_any_other() -> None:
    cluster = cluster_with(definition(version(subresources={})), widget())
    after = ask(cluster, "patch", f"{WIDGETS}/w", {"status": {"phase": "Done"}}).body

    assert (after["status"], after["metadata"]["generation"]) == ({"phase": "Done"}, 2)
    assert ask(cluster, "patch", f"{WIDGETS}/w/status", {"status": {}}).status == 404


def test_every_served_version_shows_the_same_objects() -> None:
    old = version("v1beta1", storage=False)
    cluster = cluster_with(definition(version(), old))
    path = "/apis/example.com/v1beta1/namespaces/default/widgets"

    made = ask(cluster, "create", path, widget(api="example.com/v1beta1"))
    assert (made.status, made.body["apiVersion"]) == (201, "example.com/v1beta1")
    stored = cluster.store.get(Key("widgets.example.com", "default", "w"))
    assert stored is not None
    assert stored["apiVersion"] == "example.com/v1"
    assert [item["apiVersion"] for item in ask(cluster, "list", WIDGETS).body["items"]] == ["example.com/v1"]
    assert ask(cluster, "patch", f"{path}/w", {"spec": {"size": 1}}).body["metadata"]["generation"] == 1
    assert ask(cluster, "create", path, widget("x")).status == 400
    assert ask(cluster, "list", "/apis/example.com/v2/widgets").status == 404


def test_a_strategic_merge_patch_is_for_built_in_kinds_alone() -> None:
    cluster = cluster_with(widget())
    refused = ask(cluster, "patch", f"{WIDGETS}/w", {"spec": {}}, "application/strategic-merge-patch+json")
    changed = ask(cluster, "patch", f"{WIDGETS}/w", [{"op": "add", "path": "/spec/tags", "value": ["a"]}], JSON)

    assert (refused.status, refused.body["reason"]) == (415, "UnsupportedMediaType")
    assert changed.body["spec"]["tags"] == ["a"]


def test_replicas_are_where_the_definition_says() -> None:
    cluster = cluster_with(widget(replicas=2))
    scaled = ask(cluster, "patch", f"{WIDGETS}/w/scale", {"spec": {"replicas": 5}}).body

    assert (scaled["kind"], scaled["spec"]) == ("Scale", {"replicas": 5})
    assert ask(cluster, "get", f"{WIDGETS}/w").body["spec"]["replicas"] == 5


def test_an_apply_owns_elements_of_keyed_lists_and_sets_and_lists_without_a_type_as_a_whole() -> None:
    cluster = cluster_with()

    def apply(who: str, **spec: Any) -> Any:
        return ask(cluster, "patch", f"{WIDGETS}/w", widget(**spec), APPLY, fieldManager=who)

    assert apply("one", parts=[{"name": "a", "count": 2}], tags=["x"]).status == 201
    after = apply("two", parts=[{"name": "b"}], tags=["y"]).body
    assert [item["name"] for item in after["spec"]["parts"]] == ["a", "b"]
    assert after["spec"]["tags"] == ["x", "y"]
    clash = apply("two", parts=[{"name": "a", "count": 3}])
    assert clash.body["message"] == ('Apply failed with 1 conflict: conflict with "one": .spec.parts[name="a"].count')
    gone = apply("one", parts=[], tags=["x"]).body
    assert [item["name"] for item in gone["spec"]["parts"]] == ["b"]


def test_what_was_let_in_before_a_schema_became_stricter_can_still_be_changed_elsewhere() -> None:
    cluster = cluster_with(widget(size=9))
    narrow = {**SPEC, "properties": {**SPEC["properties"], "size": {"type": "integer", "maximum": 5}}}
    ask(cluster, "patch", WIDGET_CRD, {"spec": {"versions": [version(spec=narrow)]}})

    assert ask(cluster, "patch", f"{WIDGETS}/w", {"spec": {"colour": "blue"}}).status == 200
    assert ask(cluster, "patch", f"{WIDGETS}/w", {"spec": {"size": 8}}).status == 422


def with_rule(rule: str, **more: Any) -> dict[str, Any]:
    return definition(version(spec={**SPEC, "x-kubernetes-validations": [{"rule": rule, **more}]}))


def test_a_value_that_may_never_change_does_not() -> None:
    cluster = cluster_with(with_rule("self == oldSelf", message="spec is immutable"), widget())
    refused = ask(cluster, "patch", f"{WIDGETS}/w", {"spec": {"size": 2}})

    assert refused.body["message"] == 'Widget.example.com "w" is invalid: spec: Invalid value: spec is immutable'
    assert ask(cluster, "patch", f"{WIDGETS}/w", {"metadata": {"labels": {"a": "b"}}}).status == 200


UNDECIDED = "!format.dns1123Label().validate('w').hasValue()"


def test_a_rule_that_cannot_be_evaluated_is_never_taken_to_hold() -> None:
    cluster = cluster_with(with_rule(UNDECIDED), widget())
    found = rehearsed(cluster, "patch", f"{WIDGETS}/w", {"spec": {"size": 2}})

    assert found.verdict == "unknown"
    assert f"Widget w: spec: the rule {UNDECIDED!r} is not evaluated" in found.assumptions


def rehearsed(cluster: Any, verb: str, path: str, body: Any = None, **more: Any) -> Any:
    call = ApiCall(verb, path, Ref("c", "example.com", "Widget", "default", "w"), body, "application/merge-patch+json")
    return rehearse(cluster.store, [call], now=NOW + 60, **more)


def test_nobody_knows_what_the_controller_of_a_custom_resource_does() -> None:
    found = rehearsed(cluster_with(widget()), "patch", f"{WIDGETS}/w", {"spec": {"size": 2}})

    assert (found.verdict, found.admission[0].code) == ("unknown", 200)
    assert any("what its controller makes of the change is not known" in text for text in found.assumptions)


def test_a_conversion_by_webhook_is_named_as_unknown() -> None:
    webhook = {"clientConfig": {"url": "https://x.example"}, "conversionReviewVersions": ["v1"]}
    conversion = {"strategy": "Webhook", "webhook": webhook}
    cluster = cluster_with(definition(version(), version("v2", storage=False), conversion=conversion), widget())
    found = rehearsed(cluster, "patch", WIDGETS.replace("/v1/", "/v2/") + "/w", {"spec": {"size": 2}})

    assert found.verdict == "unknown"
    assert any("its webhook converts" in text for text in found.assumptions)


def test_the_end_of_a_definition_is_the_loss_of_its_objects() -> None:
    cluster = cluster_with(widget("a"), widget("b"))
    found = rehearsed(cluster, "delete", WIDGET_CRD)

    assert found.verdict == "blocked"
    (lost,) = [item for item in found.findings if item.rule == "data.lost"]
    assert lost.message == "customresourcedefinition widgets.example.com would take 2 Widget objects along"
    assert cluster.store.count("widgets.example.com") == 2


def test_a_deleted_definition_waits_for_its_objects_and_takes_no_new_ones() -> None:
    held = widget("held")
    held["metadata"]["finalizers"] = ["example.com/hold"]
    cluster = cluster_with(widget(), held)

    marked = ask(cluster, "delete", WIDGET_CRD).body
    cluster.engine.settle()
    assert marked["metadata"]["finalizers"] == ["customresourcecleanup.apiextensions.k8s.io"]
    assert [item["metadata"]["name"] for item in ask(cluster, "list", WIDGETS).body["items"]] == ["held"]
    assert ask(cluster, "create", WIDGETS, widget("new")).status == 405

    ask(cluster, "patch", f"{WIDGETS}/held", {"metadata": {"finalizers": None}})
    cluster.engine.settle()
    assert ask(cluster, "get", WIDGET_CRD).status == 404
    assert ask(cluster, "list", WIDGETS).status == 404


def test_a_namespace_takes_its_custom_resources_along() -> None:
    cluster = cluster_with(widget())
    ask(cluster, "delete", "/api/v1/namespaces/default")
    cluster.engine.settle()

    assert cluster.store.count("widgets.example.com") == 0


def test_a_version_that_is_served_no_more_and_objects_that_fit_no_more_are_found() -> None:
    cluster = cluster_with(definition(version(), version("v1beta1", storage=False)), widget(size=9))
    narrow = {**SPEC, "properties": {**SPEC["properties"], "size": {"type": "integer", "maximum": 5}}}
    found = rehearsed(cluster, "patch", WIDGET_CRD, {"spec": {"versions": [version(spec=narrow)]}})

    rules = {item.rule for item in found.findings if item.rule.startswith("definition.")}
    assert rules == {"definition.version_unserved", "definition.objects_invalid"}


def test_a_kind_whose_definition_cannot_be_read_is_known_by_its_objects_or_by_discovery() -> None:
    cluster = cluster_with(widget())
    cluster.store.delete(Key("customresourcedefinitions.apiextensions.k8s.io", "", "widgets.example.com"))
    gadget = ResourceType("example.com", "v1", "Gadget", "gadgets", True)
    made = {"apiVersion": "example.com/v1", "kind": "Gadget", "metadata": {"name": "g"}}

    by_object = rehearsed(cluster, "patch", f"{WIDGETS}/w", {"spec": {"size": 99}})
    by_discovery = rehearsed(cluster, "create", WIDGETS.replace("widgets", "gadgets"), made, kinds=[gadget])
    for found in (by_object, by_discovery):
        assert (found.verdict, found.admission[0].allowed) == ("unknown", True)
        assert any("its definition could not be read" in text for text in found.assumptions)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 12) | st.sampled_from(["", "a", "red", "blue", "ABCDEFG"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["name", "count", "x"]), inner, max_size=3)
    ),
    max_leaves=6,
)
SPECS = st.fixed_dictionaries({}, optional=dict.fromkeys((*SPEC["properties"], "x"), VALUES))


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(SPECS)
def test_pruned_and_defaulted_an_object_is_what_pruning_and_defaulting_make_of_it(spec: dict[str, Any]) -> None:
    shape = Definition(definition())
    once = {**widget(), "spec": spec}
    writes.complete(shape, "v1", once)
    again = {**once, "spec": dict(once["spec"])}
    before = writes.errors(shape, once, None, [])
    writes.complete(shape, "v1", again)

    assert again == once
    assert writes.errors(shape, again, None, []) == before
