"""Pages of a list make up the whole, whatever moves between them."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.route import Request

PATH = "/api/v1/namespaces/default/configmaps"


@pytest.fixture
def cluster() -> SimulatedCluster:
    made = SimulatedCluster.new(nodes=1, now=1_800_000_000.0)
    for name in "bdfh":
        create(made, name)
    return made


def create(cluster: SimulatedCluster, name: str) -> None:
    assert cluster.handle(Request("create", PATH, body={"metadata": {"name": name}})).status == 201


def listed(cluster: SimulatedCluster, **query: str) -> dict[str, Any]:
    response = cluster.handle(Request("list", PATH, query))
    assert response.status == 200, response.body
    return dict(response.body)


def names(page: dict[str, Any]) -> list[str]:
    return [item["metadata"]["name"] for item in page["items"]]


def test_what_moves_between_two_pages_is_neither_skipped_nor_repeated(cluster: SimulatedCluster) -> None:
    first = listed(cluster, limit="2")
    create(cluster, "a")
    cluster.handle(Request("delete", f"{PATH}/b"))
    second = listed(cluster, limit="9", **{"continue": first["metadata"]["continue"]})

    assert names(first) + names(second) == ["b", "d", "f", "h", "kube-root-ca.crt"]


def test_all_pages_carry_the_resource_version_of_the_first(cluster: SimulatedCluster) -> None:
    first = listed(cluster, limit="2")
    create(cluster, "z")
    second = listed(cluster, limit="2", **{"continue": first["metadata"]["continue"]})

    assert first["metadata"]["resourceVersion"] == second["metadata"]["resourceVersion"]
    assert second["metadata"]["remainingItemCount"] == 2


@pytest.mark.parametrize("query", [{"continue": "nonsense"}, {"continue": "MTI="}, {"limit": "many"}])
def test_what_cannot_be_read_is_refused(cluster: SimulatedCluster, query: dict[str, str]) -> None:
    assert cluster.handle(Request("list", PATH, query)).status == 400
