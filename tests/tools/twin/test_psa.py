"""Pod Security Standards judge the API server's own sample pods as it does."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml
from tests.data import shared_data

from kubesteward_policies.finding import Severity
from kubesteward_tools.twin import psa


def pod(**spec: Any) -> dict[str, Any]:
    return {"metadata": {"name": "p"}, "spec": {"containers": [{"name": "app", "image": "x"}], **spec}}


@pytest.mark.requirement("twin.psa")
def test_every_sample_pod_passes_or_fails_its_level_as_upstream_says() -> None:
    folder = shared_data("psa")
    cases, wrong = json.loads((folder / "cases.json").read_text())["cases"], []
    for case in cases:
        sample = yaml.load((folder / case["file"]).read_text(), yaml.CSafeLoader)
        found = psa.evaluate(sample, case["level"], case["version"])
        if case["allowed"] == bool(found):
            wrong.append(case["file"])

    assert wrong == []
    assert len(cases) == 128


def test_the_privileged_level_lets_everything_pass() -> None:
    assert psa.violations(pod(hostNetwork=True, hostPID=True), "privileged") == []


def test_a_violation_names_the_check_and_what_set_it_off() -> None:
    assert [name for name, _ in psa.violations(pod(hostNetwork=True), "baseline")] == ["hostNamespaces"]
    assert "hostNetwork=true" in psa.violation(pod(hostNetwork=True), "baseline")


def test_a_finding_blocks_and_points_at_the_pod() -> None:
    [finding] = psa.evaluate(pod(hostPID=True), "baseline")
    assert (finding.severity, finding.object.name) == (Severity.BLOCK, "p")


@pytest.mark.parametrize(("version", "expected"), [("v1.25", 25), ("latest", psa.LATEST), ("nonsense", psa.LATEST)])
def test_a_version_that_cannot_be_read_means_the_newest(version: str, expected: int) -> None:
    assert psa.minor(version) == expected
