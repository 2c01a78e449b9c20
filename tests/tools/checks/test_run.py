"""How checks are chosen, run, and lived with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from kubesteward_policies.check import Severity
from kubesteward_tools.checks.asking import above, asked, minor_of
from kubesteward_tools.checks.cases import workload
from kubesteward_tools.checks.inventory import Inventory, Subject
from kubesteward_tools.checks.run import Asked, Report, run
from kubesteward_tools.checks.sources import of_documents, of_objects
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.plans.documents import Reading


def report(obj: dict[str, Any], *only: str, **more: Any) -> Report:
    return run(of_objects([obj]), Asked(only=frozenset(only), **more))


def test_a_finding_says_which_container_of_which_object_and_where() -> None:
    reading = Reading()
    reading.add(
        "web.yaml",
        "apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n  - name: app\n"
        "    image: a:1\n    securityContext:\n      privileged: true\n",
    )

    (found,) = run(of_documents(reading.documents), Asked(only=frozenset({"container-privileged"}))).outcomes

    assert str(found.object) == "Pod web"
    assert found.message == "container app: it runs privileged"
    assert found.where == "spec.containers[0].securityContext.privileged"
    assert str(found.place) == "web.yaml:9"


def test_a_custom_kind_with_a_pod_template_is_a_workload_too() -> None:
    rollout = {
        **workload({"kind": "Deployment", "pod": {"hostPID": True}}),
        "apiVersion": "x.example/v1",
        "kind": "Roll",
    }

    assert [item.check.id for item in report(rollout, "host-pid").outcomes] == ["host-pid"]


def test_what_a_controller_made_is_judged_by_its_owner() -> None:
    owner = {"kind": "ReplicaSet", "name": "web-1", "controller": True}

    assert report(workload({"pod": {"hostPID": True}, "metadata": {"ownerReferences": [owner]}})).objects == 0


def test_nulls_are_as_good_as_nothing() -> None:
    pod = workload({"container": {"securityContext": None, "resources": None, "ports": [None]}})

    assert report(pod).problems == ()


def test_what_cannot_be_judged_is_told_and_not_passed_over() -> None:
    found = report(workload({"container": {"securityContext": "none"}}), "container-privileged")

    assert found.outcomes == ()
    assert "container-privileged could not be judged" in found.problems[0]


@pytest.mark.parametrize("kind", ["Pod", "Deployment"])
def test_an_annotation_with_a_reason_accepts_a_finding(kind: str) -> None:
    notes = {"ignore.checks.kubesteward.dev/host-pid": "monitors processes of the node"}
    obj = workload({"kind": kind, "pod": {"hostPID": True}, "metadata": {"annotations": notes}})

    found = report(obj, "host-pid")

    assert [item.ignored for item in found.outcomes] == ["monitors processes of the node"]
    assert found.open == ()


@pytest.mark.requirement("checks.reasons")
@pytest.mark.parametrize("reason", ["", "true", "because"])
def test_an_annotation_that_gives_no_reason_accepts_nothing(reason: str) -> None:
    notes = {"ignore.checks.kubesteward.dev/host-pid": reason}

    assert report(workload({"pod": {"hostPID": True}, "metadata": {"annotations": notes}}), "host-pid").open


def test_the_template_may_carry_the_reason() -> None:
    notes = {"ignore.checks.kubesteward.dev/host-pid": "monitors processes of the node"}
    made = workload({"kind": "Deployment", "pod": {"hostPID": True}, "podMetadata": {"annotations": notes}})

    assert report(made, "host-pid").open == ()


def test_images_can_be_exempt_from_a_check() -> None:
    pod = workload({"container": {"securityContext": {"privileged": True}}})
    params = {"container-privileged": {"exemptImages": ["registry.example/*"]}}

    assert report(pod, "container-privileged", params=params).outcomes == ()


def test_a_check_that_needs_parameters_runs_only_with_them() -> None:
    pod = workload({"container": {"image": "elsewhere/web:1"}})

    assert report(pod, "image-registry-allowed").checks == 0
    assert report(pod, params={"image-registry-allowed": {"images": ["registry.example/"]}}).outcomes


def test_a_framework_also_runs_what_is_optional() -> None:
    found = run(of_objects([workload({})]), asked(["CIS"]))

    assert "image-digest-missing" in {item.check.id for item in found.outcomes}
    assert all("cis" in item.check.frameworks for item in found.outcomes)


def test_only_some_of_the_objects_around_may_be_meant() -> None:
    first, second = (Subject.of(workload({"metadata": {"name": name}})) for name in ("a", "b"))

    found = run(Inventory([first, second]), Asked(only=frozenset({"pod-naked"})), about=[first])

    assert [item.object.name for item in found.outcomes] == ["a"]


def test_what_is_milder_can_be_left_out() -> None:
    found = above(report(workload({})), Severity.HIGH)

    assert {item.severity for item in found.outcomes} == {Severity.HIGH}


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"frameworks": ["pci"]}, "there is no framework 'pci'"),
        ({"only": ["host-pids"]}, "Did you mean host-pid"),
        ({"ignored": ["host-pid"]}, "why is 'host-pid' ignored"),
        ({"ignored": ["host-pid=ok"]}, "why is 'host-pid' ignored"),
        ({"target": "latest"}, "'latest' is no version"),
    ],
)
def test_words_that_mean_nothing_are_refused(given: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArguments, match=message):
        asked(**given)


def test_parameters_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "settings.yaml"
    path.write_text("host-port: {least: 1, most: 99}\n", "utf-8")

    assert asked(settings=path).params == {"host-port": {"least": 1, "most": 99}}
    for text in ("[", "- 1", "host-port: 3", "no-such: {a: 1}"):
        path.write_text(text, "utf-8")
        with pytest.raises(InvalidArguments):
            asked(settings=path)


@pytest.mark.parametrize(("version", "minor"), [("v1.33.2-gke.1", 33), ("1.9", 9), ("2.0", None), ("", None)])
def test_a_version_is_read_by_its_minor(version: str, minor: int | None) -> None:
    assert minor_of(version) == minor


def test_what_was_saved_without_a_kind_does_not_prove_that_there_is_none_of_it() -> None:
    pod = workload({"container": {"envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "db"}}]}})
    other = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "other", "namespace": "shop"}}

    found = run(of_objects([pod, other], whole=True), Asked(only=frozenset({"reference-missing"})))

    assert [item.message for item in found.outcomes] == ["ConfigMap settings missing"]


@pytest.mark.parametrize("security", ["text", 7, ["a"]])
def test_an_object_that_no_server_would_take_stops_no_other_check(security: object) -> None:
    containers = [{"name": "a", "image": "web", "securityContext": security}]
    odd = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd"}, "spec": {"containers": containers}}
    other = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "other"}, "spec": {"hostPID": True}}

    report = run(of_objects([odd, other]), Asked())

    assert {"image-tag-floating", "host-pid"} <= {item.check.id for item in report.outcomes}
    assert any(item.startswith("Pod odd: pod-security-baseline could not be judged") for item in report.problems)
