"""The addresses behind a Service."""

from __future__ import annotations

from typing import Any

from tests.tools.world.relations.objects import links, targets

SLICES = "endpointslices.discovery.k8s.io"


def address(name: str, **more: Any) -> dict[str, Any]:
    return {"targetRef": {"kind": "Pod", "namespace": "shop", "name": name}, **more}


def test_a_slice_points_to_its_service_and_to_its_pods_ready_or_not() -> None:
    obj = {
        "metadata": {"labels": {"kubernetes.io/service-name": "web"}},
        "endpoints": [
            address("web-a", conditions={"ready": True}),
            address("web-b", conditions={"ready": False}),
            address("web-c"),
        ],
    }

    assert targets("endpoints", SLICES, obj) == [
        ("services", "shop", "web", "service"),
        ("pods", "shop", "web-a", "ready"),
        ("pods", "shop", "web-b", "not ready"),
        ("pods", "shop", "web-c", "ready"),
    ]


def test_addresses_that_are_no_pods_have_no_edge() -> None:
    obj = {"endpoints": [{"addresses": ["10.0.0.1"]}, {"targetRef": {"kind": "Node", "name": "n1"}}, None]}

    assert links("endpoints", SLICES, obj) == []
    assert links("endpoints", SLICES, {"endpoints": None, "metadata": {"labels": None}}) == []


def test_old_endpoints_are_called_as_their_service() -> None:
    obj = {"subsets": [{"addresses": [address("web-a")], "notReadyAddresses": [address("web-b")]}, {"addresses": None}]}

    found = links("endpoints", "endpoints", obj)

    assert [(*edge[2], edge[3]) for edge in found] == [
        ("services", "shop", "web", "service"),
        ("pods", "shop", "web-a", "ready"),
        ("pods", "shop", "web-b", "not ready"),
    ]


def test_old_endpoints_without_addresses_may_be_an_election_and_point_nowhere() -> None:
    assert links("endpoints", "endpoints", {"subsets": None}) == []
