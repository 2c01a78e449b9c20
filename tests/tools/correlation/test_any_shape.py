"""Saved objects may be of any shape: correlating them, and looking for weak spots, fails on none."""

from __future__ import annotations

import copy
import random

import pytest
from tests.tools.correlation.worlds import NOW, WINDOW, Lab, Object, calling
from tests.tools.diagnosis.test_any_shape import _damaged

from kubesteward_tools.analytics.shapes import shapes
from kubesteward_tools.cluster.bundle import of_objects
from kubesteward_tools.correlation.asking import Seen
from kubesteward_tools.correlation.bursts import bursts
from kubesteward_tools.correlation.correlate import correlate
from kubesteward_tools.correlation.report import lines, messages, records
from kubesteward_tools.diagnosis.bundles import scene_of
from kubesteward_tools.world.store import Key


def whole() -> Lab:
    lab = Lab()
    lab.deployment("db", 1, spec={"containers": [{"name": "db", "image": "db", "args": ["-c", "max_connections=9"]}]})
    pods = [lab.deployment(f"app-{number}", 3, spec=calling("db", ("DB_POOL_SIZE", "5"))) for number in range(6)]
    lab.fell("n0")
    lab.fail(pods[1], "ImagePullBackOff", 60.0, 'Back-off pulling image "x": not found')
    lab.fail(pods[2], "CreateContainerConfigError", 60.0, 'configmap "x" not found')
    lab.warn(pods[3][0], "Pod", "v1", "Unhealthy", "Readiness probe failed")
    spec, status = {"storageClassName": "fast"}, {"phase": "Pending"}
    lab.put("v1", "PersistentVolumeClaim", "persistentvolumeclaims", "shop", "c", spec=spec, status=status)
    claim = Key("persistentvolumeclaims", "shop", "c")
    lab.warn(claim, "PersistentVolumeClaim", "v1", "ProvisioningFailed", "no class")
    lab.put(
        "policy/v1", "PodDisruptionBudget", "poddisruptionbudgets.policy", "shop", "b",
        spec={"minAvailable": 1}, status={"expectedPods": 1, "currentHealthy": 1, "disruptionsAllowed": 0},
    )  # fmt: skip
    return lab


def damaged(lab: Lab, chance: random.Random) -> Lab:
    fields = ("spec", "status", "involvedObject", "data")
    for key, obj in lab.objects.items():
        made: Object = {
            name: _damaged(part, chance) if name in fields else part for name, part in copy.deepcopy(obj).items()
        }
        lab.objects[key] = made
    return lab


@pytest.mark.parametrize("seed", range(30))
def test_damaged_objects_are_correlated_as_far_as_they_can_be_read(seed: int) -> None:
    chance = random.Random(seed)
    sources = [of_objects([list(damaged(whole(), chance).objects.values())]) for _ in range(3)]
    scenes = [scene_of(source.world("lab"), source, "", NOW) for source in sources]

    seen = [Seen(f"c{number}", scene, correlate(scene, WINDOW)) for number, scene in enumerate(scenes)]

    found = bursts(seen, WINDOW)
    assert lines(seen, found, "30m")
    assert messages(seen)
    assert records(seen, found)["looked_at"]
    assert all(isinstance(shapes(scene, {"n1": {"cpu": 0.99}}), list) for scene in scenes)
