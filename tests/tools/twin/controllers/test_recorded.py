"""Recorded changes to StatefulSets and DaemonSets, played: the same numbers, pods and claims come out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any

import pytest
from tests.tools.twin.recorded import Case, cases, store_of, time_of

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.disruption import is_ready
from kubesteward_tools.twin.identity import ADMIN, User
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Object

KINDS = {"StatefulSet": "statefulsets.apps", "DaemonSet": "daemonsets.apps"}
NAMED_AT_RANDOM = {"currentRevision", "updateRevision"}


def played(case: Case) -> list[Object]:
    """All objects when the case's calls have been made and all is quiet."""
    cluster = SimulatedCluster.over(store_of(case), now=time_of(case))
    for step in case["mutation"]:
        user = User(step["as"]["user"], tuple(step["as"]["groups"])) if step.get("as") else ADMIN
        path, query = step["path"], dict(step.get("query") or {})
        cluster.handle(Request(step["verb"], path, query, step.get("content_type") or "", step.get("body"), user))
        cluster.engine.settle()
    wanted = {*KINDS.values(), "pods", "persistentvolumeclaims", "controllerrevisions.apps"}
    return [obj for resource in wanted for obj in cluster.store.objects(resource)]


def numbers(objects: Iterable[Object]) -> dict[str, Any]:
    """What can be compared: generated names and placement are chance."""
    found: dict[str, Any] = {"pods": Counter[Any](), "claims": {}, "revisions": Counter[Any]()}
    for obj in objects:
        metadata, status = obj["metadata"], obj.get("status") or {}
        where = f"{metadata.get('namespace')}/{obj['kind']}/{metadata['name']}"
        if obj["kind"] in KINDS:
            found[where] = {key: value for key, value in status.items() if key not in NAMED_AT_RANDOM}
            found[where]["rolled"] = status.get("currentRevision") == status.get("updateRevision")
            found[where]["replicas wanted"] = obj["spec"].get("replicas")
        elif obj["kind"] == "Pod":
            owner = (metadata.get("ownerReferences") or [{"kind": "", "name": ""}])[0]
            name = metadata["name"] if owner["kind"] == "StatefulSet" else owner["name"]
            found["pods"][name, status.get("phase"), is_ready(obj), obj["spec"]["containers"][0]["image"]] += 1
        elif obj["kind"] == "PersistentVolumeClaim":
            kept = (metadata.get("labels"), status, obj["spec"].get("storageClassName"), metadata.get("finalizers"))
            found["claims"][metadata["name"]] = kept
        elif obj["kind"] == "ControllerRevision":
            found["revisions"][metadata["ownerReferences"][0]["name"], obj["revision"]] += 1
    return found


@pytest.mark.parametrize("family", ["statefulset", "daemonset"])
def test_the_numbers_at_the_end_are_the_recorded_ones(family: str) -> None:
    wrong = {}
    for case in cases(family):
        expected, actual = numbers(case["after"]["objects"]), numbers(played(case))
        if expected != actual and not case.get("loose"):
            wrong[case["id"]] = {
                key: (expected.get(key), actual.get(key))
                for key in {*expected, *actual}
                if expected.get(key) != actual.get(key)
            }

    assert wrong == {}
