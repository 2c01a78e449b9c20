"""The built-in brain's hypotheses: whatever fails on Kubernetes has one, and could be something else as well."""

from __future__ import annotations

from typing import get_args

import pytest

from kubesteward.reasoning.brains.catalogue import FAMILIES, beside
from kubesteward_tools.diagnosis.candidate import Category

COMMON = """
CrashLoop WrongCommand OOMKilled ImagePull Pending ConfigMissing ProbeFailure ServiceRouting Ingress DNS NetworkPolicy
RBAC Quota PVC HPA NodePressure NodeNotReady BadRollout AppError AdmissionWebhook CertificateExpired JobFailure Eviction
PDB NoisyNeighbour CPUThrottling
"""


@pytest.mark.parametrize("category", sorted({*COMMON.split(), *get_args(Category)} - {"Healthy", "Inconclusive"}))
def test_each_failure_has_what_confirms_and_refutes_it_and_three_others_that_it_could_be(category: str) -> None:
    family = FAMILIES[category]
    others = {other.category for other in beside(category, [category], 3)}

    assert all((family.because, *family.confirms, *family.refutes, family.where))
    assert len(others - {category}) == 3


@pytest.mark.parametrize(
    ("category", "sign"),
    [
        ("Eviction", "Evicted: The node was low on resource: memory"),
        ("OOMKilled", "last state: OOMKilled, exit code 137"),
        ("Quota", "FailedCreate: exceeded quota: compute"),
        ("RBAC", 'pods is forbidden: User "x" cannot list resource "pods"'),
        ("CertificateExpired", "x509: certificate has expired"),
        ("DNS", "lookup db on 10.96.0.10:53: no such host"),
    ],
)
def test_what_a_failure_leaves_behind_is_a_sign_of_it(category: str, sign: str) -> None:
    assert FAMILIES[category].signs.search(sign)
    assert not FAMILIES[category].signs.search("Pulled, Created and Started; 3/3 ready")
