"""What a sentence counts and measures stands in the numbers, too."""

from __future__ import annotations

import re

from tests.tools.anomalies.world import NOW, World
from tests.tools.diagnosis import lab

from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.world.metrics.baselines import Moments
from kubesteward_tools.world.store import Key


def told(found: Anomaly) -> set[float]:
    """Amounts of the sentence in cores, bytes and pieces, without names, times of the week and what is rounded."""
    by = {"": 1.0, "m": 1e-3, "Mi": 2.0**20, "Gi": 2.0**30, "%": 1.0}
    text = re.sub(r"\bpod \S+|on \w+ \d\dh UTC", "", found.sentence)
    return {float(n) * by[unit] for n, unit in re.findall(r"(?<![\w.-])(\d+(?:\.\d+)?)(m|Mi|Gi|)(?![\w-])", text)}


def is_told(amount: float, found: Anomaly) -> bool:
    given = [abs(value) for value in found.numbers.values() if not isinstance(value, str)]
    return any(abs(amount - value) <= max(0.05, 0.02 * value) for value in given)


def strange() -> World:
    nodes = [lab.node(f"n{number}") for number in range(6)]
    world = World(lab.base(), nodes, lab.deployment("web", replicas=8))
    for number, key in enumerate(key for key in world.keys("pods") if key.namespace == "shop"):
        world.use(key, cpu=3.0 if number == 3 else 0.2, memory=4096.0 if number == 5 else 256.0)
    for number in range(6):
        world.use(Key("nodes", "", f"n{number}"), cpu=6.0 if number == 2 else 1.0, container="")
    return world


def test_every_number_of_a_sentence_about_use_is_in_the_numbers_with_its_unit() -> None:
    usual = {"cpu": {"shop/Deployment/web": Moments(900, 1.0, 899 * 0.01)}}
    found = strange().found(usual=usual)

    assert sorted(item.code for item in found) == ["pools.cpu", "siblings.cpu", "siblings.memory", "usual.cpu"]
    for item in found:
        assert item.numbers["unit"] == ("bytes" if item.code.endswith("memory") else "cores")
        assert [amount for amount in told(item) if not is_told(amount, item)] == [], item.sentence


def test_the_same_twice_is_told_the_same_twice() -> None:
    world = strange()

    assert world.found() == world.found() == strange().found()
    assert world.view().now == NOW
