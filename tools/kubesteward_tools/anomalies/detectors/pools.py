"""Nodes of one pool that are unlike the others: in use, and in the version of what runs on them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kubesteward_tools.analytics.nodepools import pool_of
from kubesteward_tools.anomalies.anomaly import Anomaly, Number, scored
from kubesteward_tools.anomalies.measures import FEWEST, ROBUST_SIGMAS, unlike
from kubesteward_tools.anomalies.units import FLOORS, UNITS, shown
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import at, labels_in, mapping, text
from kubesteward_tools.world.store import Key, Object

_NODE = {"cpu": 0.5, "memory": 2 * 2**30}
"""Cores and bytes below which nodes do not count as different: they carry many pods."""
_READ = 400
"""Nodes of one pool."""
_LEFT_BEHIND = 4
"""A version that at most one in so many has, and which is older, was left behind."""


def find(view: View) -> Iterator[Anomaly]:
    pools: dict[tuple[str, ...], list[Key]] = {}
    ready = [key for key, note in view.notes("nodes") if note.ready]
    for key in ready:
        pools.setdefault(_pool(view, key), []).append(key)
    for _, nodes in sorted(pools.items()):
        for metric in FLOORS:
            yield from _use(view, metric, nodes)
        yield from _versions(view, nodes)


def _pool(view: View, key: Key) -> tuple[str, ...]:
    facts = view.store.facts(key)
    return pool_of(labels_in(facts.labels if facts else {}))


def _use(view: View, metric: str, nodes: list[Key]) -> Iterator[Anomaly]:
    used = view.use[metric]
    measured = [key for key in nodes if key in used]
    if len(measured) < FEWEST:
        return
    for odd in unlike([used[key] for key in measured], _NODE[metric]):
        if odd.distance > 0:  # an idle node is new, or about to go
            value, middle = shown(metric, odd.value), shown(metric, odd.middle)
            sentence = (
                f"uses far more {metric} than the {len(measured) - 1} other nodes of its pool: {value}, median {middle}"
            )
            numbers: dict[str, Number] = {
                "value": odd.value, "median": odd.middle, "unit": UNITS[metric], "distance": round(odd.distance, 2),
                "others": len(measured) - 1,
            }  # fmt: skip
            score = scored(odd.distance / ROBUST_SIGMAS, 80.0)
            yield Anomaly(f"pools.{metric}", "warning", measured[odd.place], sentence, score, numbers)


def _versions(view: View, nodes: list[Key]) -> Iterator[Anomaly]:
    if len(nodes) < FEWEST:
        return
    if len(nodes) > _READ:
        view.cannot(f"versions of nodes: about {_READ} of the {len(nodes)} of one pool were read")
        nodes = nodes[:: -(-len(nodes) // _READ)]
    versions = {key: _version(view.get(key)) for key in nodes}
    (usual, count), *others = Counter(versions.values()).most_common()
    old = {version for version, _ in others if _parts(version) < _parts(usual)}
    late = tuple(sorted(key for key, version in versions.items() if version in old))
    if not late or len(late) * _LEFT_BEHIND > len(nodes):
        return
    for key in late[:5]:
        sentence = f"runs kubelet {versions[key]}, {count} of the {len(nodes)} nodes of its pool run {usual}"
        numbers: dict[str, Number] = {
            "version": versions[key],
            "usual": usual,
            "odd": len(late),
            "alike": count,
            "nodes": len(nodes),
        }
        yield Anomaly("pools.version", "info", key, sentence, 45.0, numbers, parts=late)


def _version(node: Object) -> str:
    return text(mapping(at(node, "status").get("nodeInfo")).get("kubeletVersion"))


def _parts(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version)[:3])
