"""Saved objects may be of any shape: no analyser fails on what is missing, null or of another type."""

from __future__ import annotations

import copy
import random
from typing import Any

import pytest
from tests.tools.diagnosis import lab

from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.diagnosis.diagnose import diagnose


def _damaged(value: Any, chance: random.Random) -> Any:
    """The same with parts left out, made null, or of another type."""
    if chance.random() < 0.02:
        return chance.choice([None, "", [], {}, 7, "text", ["x"], {"x": "y"}])
    if isinstance(value, dict):
        return {key: _damaged(item, chance) for key, item in value.items() if chance.random() > 0.02}
    if isinstance(value, list):
        return [_damaged(item, chance) for item in value]
    return value


def _objects() -> list[lab.Object]:
    broken = lab.deployment("web", None, [lab.crashing(1)])
    waiting = lab.deployment("cart", None, [lab.waiting("ImagePullBackOff", "Back-off")], phase="Pending")
    pending = lab.deployment("mail", None, unschedulable="0/2 nodes are available: 2 Insufficient cpu.")
    policy = {"podSelector": {}, "policyTypes": ["Ingress", "Egress"], "ingress": [{"from": [{"podSelector": {}}]}]}
    rules = [{"host": "x.example.com", "http": {"paths": [{"path": "/", "backend": {"service": {"name": "web"}}}]}}]
    more = [
        lab.service("web"),
        lab.made("NetworkPolicy", "p", "shop", "networking.k8s.io/v1", spec=policy),
        lab.made("Ingress", "i", "shop", "networking.k8s.io/v1", spec={"ingressClassName": "x", "rules": rules}),
        lab.made(
            "ResourceQuota", "q", spec={"hard": {"pods": "2"}}, status={"hard": {"pods": "2"}, "used": {"pods": "2"}}
        ),
        lab.event(broken[-1], "Unhealthy", "Liveness probe failed: HTTP probe failed with statuscode: 404"),
    ]
    return [*lab.base(), *lab.NODES, *broken, *waiting, *pending, *more]


@pytest.mark.parametrize("seed", range(60))
def test_damaged_objects_silence_no_analyser(seed: int) -> None:
    chance = random.Random(seed)
    fields = ("spec", "status", "involvedObject")
    objects = [
        {name: _damaged(part, chance) if name in fields else part for name, part in copy.deepcopy(one).items()}
        for one in _objects()
    ]
    source = of_objects([objects])

    found = diagnose(scene_of(source.world("lab"), source, "Why is web failing?", 1772452800.0), "lab")

    assert found.unread == ()
    assert found.best.diagnosis


def test_pods_alone_are_told_once_by_the_owner_that_they_name() -> None:
    pods = [one for one in lab.deployment("web", None, [lab.crashing(1)], replicas=4) if one["kind"] == "Pod"]
    source = of_objects([pods])

    found = diagnose(scene_of(source.world("lab"), source, "", 1772452800.0), "lab")

    assert [lab.blamed(found)] == [("CrashLoop", "ReplicaSet", "web-6d4f9")]
    assert len(found.findings) == 1


def test_a_static_pod_is_blamed_itself_and_not_its_node() -> None:
    node = lab.node("worker-1")
    pod = lab.pod("etcd-worker-1", {"containers": [lab.container()]}, [lab.crashing(1)], owners=[lab.owner(node)])

    assert lab.blamed(lab.verdict([pod])) == ("CrashLoop", "Pod", "etcd-worker-1")
