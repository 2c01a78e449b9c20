"""The table of API versions against the lifecycles that Kubernetes' own types declare."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.data import shared_data

from kubesteward_tools.checks.lifecycle import find, of

OWN_LISTS = {("coordination.k8s.io/v1", "LeaseList"), ("networking.k8s.io/v1", "NetworkPolicyList")}
"""Declared to have come later than the kinds that they are lists of; here a list lives as long as its kind."""


def entries(name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((shared_data("deprecations") / name).read_text("utf-8"))["entries"]
    return found


def minor(version: str | None) -> int:
    return int(version.lstrip("v").split(".")[1]) if version else 0


@pytest.mark.requirement("checks.lifecycle")
def test_the_table_says_what_the_types_declare() -> None:
    for entry in entries("k8s-api-lifecycle.json"):
        life = find(entry["apiVersion"], entry["kind"])
        assert life is not None, entry
        if (entry["apiVersion"], entry["kind"]) not in OWN_LISTS:
            told = (life.since, life.deprecated, life.removed)
            assert told == tuple(minor(entry.get(key)) for key in ("introduced", "deprecated", "removed")), entry
            assert life.use.startswith((entry.get("replacement") or {}).get("apiVersion", "")), entry


def test_where_other_tables_differ_they_are_known_to() -> None:
    known = json.loads((shared_data("deprecations") / "disagreements.json").read_text("utf-8"))
    differing = {(item["apiVersion"], item["kind"]) for item in known}
    for entry in entries("pluto-versions.json"):
        life = find(entry["version"], entry["kind"])
        if entry["component"] == "k8s" and life is not None and (entry["version"], entry["kind"]) not in differing:
            assert life.removed == minor(entry.get("removed-in")), entry
    for entry in entries("kubent-rules.json"):
        life = find(entry["apiVersion"], entry["kind"])
        assert life is not None, entry
        assert life.removed == minor(entry["removed_in"]), entry


@pytest.mark.parametrize(("target", "deprecated", "removed"), [(20, False, False), (21, True, False), (25, True, True)])
def test_a_version_is_deprecated_before_it_is_removed(target: int, deprecated: bool, removed: bool) -> None:
    life = find("policy/v1beta1", "PodDisruptionBudget")

    assert life is not None
    assert (life.deprecated_at(target), life.removed_at(target)) == (deprecated, removed)


def test_an_add_on_has_versions_of_its_own() -> None:
    life = find("cert-manager.io/v1alpha2", "Issuer")

    assert life is not None
    assert life.deprecated_at(20)
    assert not life.removed_at(20)
    assert life.details()["removed_in"] == "1.6"
    assert "cert-manager 1.4" in life.sentence()


def test_what_was_applied_counts_where_a_server_answers_in_another_version() -> None:
    applied = json.dumps({"apiVersion": "extensions/v1beta1", "kind": "Ingress"})
    notes = {"kubectl.kubernetes.io/last-applied-configuration": applied}
    live = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"name": "web", "annotations": notes}}

    life = of(live)

    assert life is not None
    assert life.api == "extensions/v1beta1"
    notes["kubectl.kubernetes.io/last-applied-configuration"] = "{"
    assert of(live) == find("networking.k8s.io/v1", "Ingress")


def test_an_unknown_kind_has_no_life() -> None:
    assert find("example.com/v1", "Widget") is None
