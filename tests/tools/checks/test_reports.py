"""Findings as text, data, SARIF and JUnit: the same findings, without secrets."""

from __future__ import annotations

import json
from typing import Any
from xml.etree import ElementTree

from kubesteward_tools.checks.cases import workload
from kubesteward_tools.checks.reports import data, junit, sarif, text
from kubesteward_tools.checks.run import Asked, Report, run
from kubesteward_tools.checks.sources import of_documents, of_objects
from kubesteward_tools.plans.documents import Reading

NOTES = {"ignore.checks.kubesteward.dev/host-ipc": "shares memory with the agent"}


def report(**more: Any) -> Report:
    pod = workload({"pod": {"hostPID": True, "hostIPC": True}, "metadata": {"annotations": NOTES}, **more})
    reading = Reading()
    reading.add("web.json", json.dumps(pod, indent=1))
    return run(of_documents(reading.documents), Asked(only=frozenset({"host-pid", "host-ipc", "image-tag-floating"})))


def test_text_groups_by_object_and_counts() -> None:
    shown = text.render(report())

    assert shown.startswith("Pod shop/web\n  critical host-pid: hostPID is true (web.json:")
    assert "fix: Leave hostPID out." in shown
    assert shown.endswith("1 finding (1 critical) in 1 object by 3 checks; 1 ignored with a reason")


def test_a_text_that_is_cut_says_so() -> None:
    shown = text.render(report(container={"image": "web"}), most=1)

    assert "... 1 more" in shown


def test_data_say_check_severity_object_message_and_fix() -> None:
    first, second = (data.finding(item) for item in report().outcomes)

    assert first["check"] == "host-pid"
    assert (first["severity"], first["object"], first["message"]) == ("critical", "Pod shop/web", "hostPID is true")
    assert first["controls"]["cis"] == ["5.2.3"]
    assert second["ignored"] == "shares memory with the agent"


def test_an_api_version_tells_what_to_use_instead() -> None:
    old = {"apiVersion": "policy/v1beta1", "kind": "PodDisruptionBudget", "metadata": {"name": "web"}}

    (found,) = run(of_objects([old]), Asked(only=frozenset({"api-removed"}))).outcomes

    assert data.finding(found)["details"] == {
        "api_version": "policy/v1beta1",
        "deprecated_in": "1.21",
        "removed_in": "1.25",
        "replacement": "policy/v1",
    }


def test_sarif_has_rules_with_controls_and_suppresses_what_is_accepted() -> None:
    log = sarif.log(report(), "1.0", 2)

    (one,) = log["runs"]
    assert [rule["id"] for rule in one["tool"]["driver"]["rules"]] == ["host-ipc", "host-pid"]
    assert "cis-5.2.3" in one["tool"]["driver"]["rules"][1]["properties"]["tags"]
    grave, accepted = one["results"]
    assert grave["level"] == "error"
    assert grave["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "web.json"
    assert accepted["suppressions"] == [{"kind": "inSource", "justification": "shares memory with the agent"}]


def test_junit_fails_what_is_open_and_skips_what_is_accepted() -> None:
    root = ElementTree.fromstring(junit.render(report()))

    assert (root.get("failures"), root.get("skipped")) == ("1", "1")
    assert [case.get("name", "").split()[0] for case in root.iter("testcase")] == ["host-pid", "host-ipc"]
    assert [item.get("type") for item in root.iter("failure")] == ["critical"]


def test_junit_of_nothing_is_a_test_that_passed() -> None:
    root = ElementTree.fromstring(junit.render(Report((), (), 3, 5)))

    assert [case.get("name") for case in root.iter("testcase")] == ["0 findings in 3 objects by 5 checks"]


def test_no_report_has_a_secret_in_it() -> None:
    token = "ghp_" + "a1B2c3D4e5F6g7H8i9J0" + "k1L2m3N4o5P6q7R8"
    found = report(container={"image": f"registry.example/{token}"})
    env = workload({"container": {"env": [{"name": "DB_PASSWORD", "value": "hunter2hunter"}]}})
    plain = run(of_objects([env]), Asked(only=frozenset({"secret-in-environment"})))

    for one in (found, plain):
        shown = [text.render(one), junit.render(one), json.dumps(sarif.log(one, "1", 2))]
        shown += [json.dumps([data.finding(item) for item in one.outcomes])]
        assert one.outcomes
        assert not any(token in item or "hunter2" in item for item in shown)


def test_findings_of_one_field_have_fingerprints_of_their_own() -> None:
    spec = {"hostNetwork": True, "containers": [{"name": "a", "securityContext": {"privileged": True}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
    found = run(of_objects([pod]), Asked(only=frozenset({"pod-security-baseline"})))

    prints = [str(item["partialFingerprints"]) for item in sarif.log(found, "1", 2)["runs"][0]["results"]]

    assert len(set(prints)) == len(prints) == 2


def test_of_more_than_code_scanning_takes_the_gravest_are_kept() -> None:
    wanted = Asked(only=frozenset({"host-pid", "pod-naked"}))
    pods = [{"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"a{at}"}, "spec": {}} for at in range(5000)]
    last = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "z"}, "spec": {"hostPID": True}}

    results = sarif.log(run(of_objects([*pods, last]), wanted), "1", 2)["runs"][0]["results"]

    assert len(results) == 5000
    assert any(item["ruleId"] == "host-pid" for item in results)


def test_what_is_cut_off_is_milder_than_what_is_shown() -> None:
    from kubesteward_tools.checks.asking import asked
    from kubesteward_tools.checks.reports import text
    from kubesteward_tools.checks.run import run
    from kubesteward_tools.checks.sources import of_objects

    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}
    spec = {"containers": [{"name": "a", "image": "a:1", "securityContext": {"privileged": True}}]}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "z", "namespace": "shop"}, "spec": spec}
    found = run(of_objects([namespace, pod], whole=True), asked())

    lines = text.render(found, most=2).splitlines()

    assert lines[0] == "Pod shop/z"
    assert lines[1].split()[0] == "critical"
    assert not any("medium" in line or " low " in line for line in lines[:-2])
