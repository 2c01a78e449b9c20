"""Pods that no node takes, and volumes that they wait for."""

from __future__ import annotations

from typing import Any

import pytest
from tests.tools.diagnosis import lab
from tests.tools.diagnosis.lab import (
    blamed,
    container,
    deployment,
    event,
    made,
    verdict,
    waiting,
)

HEAD = "0/2 nodes are available: "
TAIL = ". preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling."


def _asks(**resources: str) -> lab.Object:
    return {"containers": [container(resources={"requests": resources})]}


PLACES: list[tuple[lab.Object, str, tuple[str, ...]]] = [
    (_asks(cpu="64"), "2 Insufficient cpu", ("cpu 64", "too big", "Insufficient cpu")),
    (_asks(memory="99Gi"), "2 Insufficient memory", ("memory 99Gi", "Insufficient memory")),
    (
        {"containers": [container(resources={"limits": {"nvidia.com/gpu": "1"}, "requests": {"nvidia.com/gpu": "1"}})]},
        "2 Insufficient nvidia.com/gpu",
        ("nvidia.com/gpu", "GPU"),
    ),
    (
        {"containers": [container()], "nodeSelector": {"disk": "nvme"}},
        "2 node(s) didn't match Pod's node affinity/selector",
        ("disk=nvme", "nodeSelector", "node label"),
    ),
    (
        {
            "containers": [container()],
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {
                        "nodeSelectorTerms": [
                            {"matchExpressions": [{"key": "zone", "operator": "In", "values": ["mars"]}]}
                        ]
                    }
                }
            },
        },
        "2 node(s) didn't match Pod's node affinity/selector",
        ("nodeAffinity", "zone", "mars"),
    ),
    ({"containers": [container()]}, "2 node(s) had untolerated taint {dedicated: batch}", ("taint", "toleration")),
    (
        {"containers": [container(ports=[{"containerPort": 80, "hostPort": 80}])]},
        "2 node(s) didn't have free ports for the requested pod ports",
        ("hostPort 80",),
    ),
    (
        {
            "containers": [container()],
            "affinity": {
                "podAntiAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": {"matchLabels": {"app": "quorum"}}, "topologyKey": "kubernetes.io/hostname"}
                    ]
                }
            },
        },
        "2 node(s) didn't match pod anti-affinity rules",
        ("anti-affinity", "app=quorum"),
    ),
    (
        {
            "containers": [container()],
            "affinity": {
                "podAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": [
                        {"labelSelector": {"matchLabels": {"app": "cachey"}}, "topologyKey": "kubernetes.io/hostname"}
                    ]
                }
            },
        },
        "2 node(s) didn't match pod affinity rules",
        ("podAffinity", "app=cachey"),
    ),
    (
        {
            "containers": [container()],
            "topologySpreadConstraints": [{"topologyKey": "zone", "maxSkew": 1, "whenUnsatisfiable": "DoNotSchedule"}],
        },
        "2 node(s) didn't match pod topology spread constraints",
        ("topology spread", "zone"),
    ),
    ({"containers": [container()]}, "2 node(s) were unschedulable", ("cordoned",)),
]


@pytest.mark.parametrize(("spec", "said", "words"), PLACES)
def test_a_pod_that_no_node_takes_is_told_with_the_field_that_is_in_the_way(
    spec: lab.Object, said: str, words: tuple[str, ...]
) -> None:
    message = HEAD + said + TAIL
    found_objects = deployment("quorum", spec, unschedulable=message)

    found = verdict([*found_objects, event(found_objects[-1], "FailedScheduling", message)], "Why is quorum pending?")

    assert blamed(found) == ("Pending", "Deployment", "quorum")
    assert [word for word in words if word not in found.best.diagnosis] == []


@pytest.mark.parametrize(
    ("extra", "word"),
    [
        ({"schedulerName": "my-scheduler"}, "my-scheduler"),
        ({"schedulingGates": [{"name": "example.com/quota"}]}, "example.com/quota"),
        ({"nodeName": "worker-9"}, "worker-9"),
    ],
)
def test_a_pod_that_the_scheduler_never_speaks_of_is_explained_by_its_own_fields(extra: lab.Object, word: str) -> None:
    spec = {"containers": [container()], **extra}
    pending = made("Pod", "odd", spec=spec, status={"phase": "Pending"})

    found = verdict([pending], "Pod odd stays pending")

    assert blamed(found) == ("Pending", "Pod", "odd")
    assert word in found.best.diagnosis


def _claim(name: str, phase: str = "Pending", **spec: Any) -> lab.Object:
    return made(
        "PersistentVolumeClaim",
        name,
        spec={"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "5Gi"}}, **spec},
        status={"phase": phase},
    )


def _using(name: str, claim: str, message: str, **of_pod: Any) -> list[lab.Object]:
    spec = {"containers": [container()], "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": claim}}]}
    return deployment(name, spec, unschedulable=message, **of_pod)


def test_a_claim_that_is_not_there_is_told_by_its_name() -> None:
    found = verdict(_using("vault", "vault-data", HEAD + 'persistentvolumeclaim "vault-data" not found'))

    assert blamed(found) == ("PVC", "Deployment", "vault")
    assert "vault-data" in found.best.diagnosis


@pytest.mark.parametrize(
    ("claim", "volumes", "words"),
    [
        (_claim("vault-data", storageClassName="fast-ssd"), [], ("fast-ssd", "StorageClass", "does not exist")),
        (_claim("vault-data", storageClassName=""), [("5Gi", "ReadOnlyMany")], ("accessModes", "ReadWriteOnce")),
        (_claim("vault-data", storageClassName=""), [("1Gi", "ReadWriteOnce")], ("too small", "1Gi")),
        (_claim("vault-data", storageClassName=""), [], ("no PersistentVolume",)),
        (_claim("vault-data", storageClassName="", volumeName="pv-nine"), [], ("pv-nine", "does not exist")),
    ],
)
def test_a_claim_that_stays_unbound_is_told_with_the_reason(
    claim: lab.Object, volumes: list[tuple[str, str]], words: tuple[str, ...]
) -> None:
    pvs = [
        made(
            "PersistentVolume",
            f"pv-{number}",
            "",
            spec={"capacity": {"storage": size}, "accessModes": [mode], "storageClassName": ""},
            status={"phase": "Available"},
        )
        for number, (size, mode) in enumerate(volumes)
    ]
    pending = _using("vault", "vault-data", HEAD + "pod has unbound immediate PersistentVolumeClaims")

    found = verdict([claim, *pvs, *pending], "Why does vault not start?")

    assert blamed(found) == ("PVC", "PersistentVolumeClaim", "vault-data")
    assert [word for word in words if word not in found.best.diagnosis] == []


def test_a_claim_that_waits_for_its_first_pod_is_no_fault() -> None:
    found = verdict(
        [_claim("spare", storageClassName="standard"), *deployment("web")], "Is anything wrong in namespace shop?"
    )

    assert found.best.category == "Healthy"


def test_a_volume_in_another_zone_is_a_storage_fault() -> None:
    claim = _claim("vault-data", "Bound", storageClassName="standard", volumeName="pv-a")
    message = HEAD + "2 node(s) had volume node affinity conflict"

    found = verdict([claim, *_using("vault", "vault-data", message)])

    assert blamed(found) == ("PVC", "PersistentVolumeClaim", "vault-data")


def test_a_volume_that_another_node_holds_is_a_storage_fault() -> None:
    spec = {
        "containers": [container()],
        "volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "vault-data"}}],
    }
    stuck = deployment("vault", spec, [waiting("ContainerCreating")], phase="Pending")
    told = event(
        stuck[-1],
        "FailedAttachVolume",
        'Multi-Attach error for volume "pv-a" Volume is already used by pod(s) vault-old',
    )

    found = verdict([_claim("vault-data", "Bound", volumeName="pv-a"), *stuck, told])

    assert blamed(found) == ("PVC", "PersistentVolumeClaim", "vault-data")
    assert "Multi-Attach" in found.best.diagnosis
