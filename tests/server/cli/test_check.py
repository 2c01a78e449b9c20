"""`kubesteward check`: findings as exit codes, reports in every form, and one sentence for whatever goes wrong."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
import yaml
from tests.server.cli.conftest import Command

from kubesteward.cli.check import FOUND
from kubesteward.cli.exits import FAILED, OK

BAD = """\
apiVersion: v1
kind: Pod
metadata: {name: web, namespace: shop}
spec:
  hostPID: true
  containers:
  - {name: app, image: "web:1.0"}
"""


@pytest.fixture
def bad(tmp_path: Path) -> str:
    path = tmp_path / "web.yaml"
    path.write_text(BAD, "utf-8")
    return str(path)


def test_findings_are_listed_with_their_lines(kubesteward: Command, bad: str) -> None:
    said = kubesteward("check", bad)

    assert said.code == FOUND
    assert "critical host-pid: hostPID is true" in said.out
    assert "web.yaml:5" in said.out


def test_json_lists_check_severity_object_message_and_fix(kubesteward: Command, bad: str) -> None:
    found = json.loads(kubesteward("check", bad, "--json", "--check", "host-pid").out)

    (one,) = found
    assert {"check", "severity", "object", "message", "fix"} <= set(one)
    assert (one["check"], one["object"], one["line"]) == ("host-pid", "Pod shop/web", 5)


def test_sarif_and_junit_can_be_written_to_files(kubesteward: Command, bad: str, tmp_path: Path) -> None:
    for form in ("sarif", "junit"):
        out = tmp_path / form
        assert kubesteward("check", bad, "-o", form, "--out", str(out)).code == FOUND
    assert json.loads((tmp_path / "sarif").read_text("utf-8"))["runs"][0]["results"]
    assert ElementTree.parse(tmp_path / "junit").getroot().get("failures") != "0"


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("--check", "host-pid", "--fail-on", "never"), OK),
        (("--check", "service-account-default"), OK),
        (("--check", "service-account-default", "--fail-on", "low"), FOUND),
        (("--check", "host-pid", "--ignore", "host-pid=watches the processes of the node"), OK),
        (("--check", "network-policy-missing", "--min-severity", "high"), OK),
        (("--framework", "pss"), FOUND),
    ],
)
def test_the_exit_code_follows_what_is_asked_for(
    kubesteward: Command, bad: str, arguments: tuple[str, ...], code: int
) -> None:
    assert kubesteward("check", bad, *arguments).code == code


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "give either FILEs, --cluster, --bundle or --embedded"),
        (("no-such.yaml",), "there is no file or folder"),
        (("--framework", "pci"), "there is no framework"),
        (("--check", "host-pids"), "Did you mean host-pid"),
        (("--ignore", "host-pid"), "Write CHECK=REASON"),
        (("--target-version", "new"), "is no version of Kubernetes"),
    ],
)
def test_what_makes_no_sense_is_said_in_one_sentence(
    kubesteward: Command, bad: str, arguments: tuple[str, ...], sentence: str
) -> None:
    given = arguments if not arguments or arguments[0] == "no-such.yaml" else (bad, *arguments)
    said = kubesteward("check", *given)

    assert said.code == FAILED
    assert sentence in said.err
    assert "Traceback" not in said.err


def test_a_target_version_decides_about_api_versions(kubesteward: Command, tmp_path: Path) -> None:
    path = tmp_path / "old.yaml"
    path.write_text("apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n", "utf-8")

    def checks(version: str) -> list[str]:
        out = kubesteward("check", str(path), "--json", "--target-version", version).out
        return [item["check"] for item in json.loads(out) if item["check"].startswith("api-")]

    assert [checks(version) for version in ("1.20", "1.22", "1.25")] == [[], ["api-deprecated"], ["api-removed"]]


def test_files_that_are_no_manifests_are_passed_over_and_told(kubesteward: Command, bad: str, tmp_path: Path) -> None:
    (tmp_path / "values.yaml").write_text("replicas: 3\n", "utf-8")

    said = kubesteward("check", str(tmp_path), "--check", "host-pid", "--fail-on", "never")

    assert said.code == OK
    assert "values.yaml:1: this is no Kubernetes object" in said.err


def test_a_manifest_that_cannot_be_read_fails_whatever_the_others_say(
    kubesteward: Command, bad: str, tmp_path: Path
) -> None:
    (tmp_path / "broken.yaml").write_text("a: {{ .Values.a }}\nb: [\n", "utf-8")

    said = kubesteward("check", str(tmp_path), "--check", "host-users", "--fail-on", "high")

    assert said.code == FAILED
    assert "broken.yaml" in said.err
    assert "1 finding (" in said.out


def test_a_key_that_is_there_twice_is_told_and_the_last_one_judged(kubesteward: Command, tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text("apiVersion: v1\nkind: Pod\nspec:\n  hostPID: true\n  hostPID: false\n  containers: []\n", "utf-8")

    said = kubesteward("check", str(path), "--check", "host-pid")

    assert said.code == FAILED
    assert "twice.yaml:5: 'hostPID' is there twice" in said.err


def test_what_could_not_be_judged_is_no_success(kubesteward: Command, tmp_path: Path) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text("apiVersion: v1\nkind: Pod\nspec: {containers: [{name: a, securityContext: text}]}\n", "utf-8")

    said = kubesteward("check", str(path), "--check", "container-privileged")

    assert said.code == FAILED
    assert "could not be judged" in said.err


@pytest.mark.parametrize("text", ["{}", "metadata: {generateName: web-}", "metadata: [1]", "spec: 7"])
def test_an_object_without_a_name_is_judged_too(kubesteward: Command, tmp_path: Path, text: str) -> None:
    path = tmp_path / "old.yaml"
    path.write_text(
        json.dumps({"apiVersion": "extensions/v1beta1", "kind": "Deployment", **yaml.safe_load(text)}), "utf-8"
    )

    found = json.loads(kubesteward("check", str(path), "--json", "--check", "api-removed").out)

    assert [item["details"]["removed_in"] for item in found] == ["1.16"]


def test_a_demonstration_cluster_is_checked_as_a_whole(kubesteward: Command) -> None:
    found = json.loads(kubesteward("check", "--embedded", "--json").out)

    assert any(item["check"] == "namespace-without-policy" for item in found)
    assert all(item["cluster"].startswith("embedded") for item in found)


def test_a_namespace_narrows_a_cluster_and_not_files(kubesteward: Command, bad: str) -> None:
    found = json.loads(kubesteward("check", "--embedded", "--json", "-n", "shop").out)

    assert {item["object"].split()[1].split("/")[0] for item in found} == {"shop"}
    assert "--namespace belongs to" in kubesteward("check", bad, "-n", "shop").err


def test_the_checks_can_be_listed(kubesteward: Command) -> None:
    assert "container-privileged" in kubesteward("check", "--list").out
    listed = json.loads(kubesteward("check", "--list", "--json", "--framework", "cis").out)
    assert {"check", "severity", "title", "controls"} <= set(listed[0])
