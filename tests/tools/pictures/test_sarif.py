"""The log keeps what SARIF 2.1.0 demands (section numbers are the standard's) and what code scanning needs."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from inline_snapshot import snapshot
from tests.tools.pictures.rehearsals import NASTY, SUMMARY, rehearsal

import kubesteward_tools.twin.findings as rules_of_the_twin
from kubesteward_tools.pictures.rules import RULES
from kubesteward_tools.pictures.sarif import log, render
from kubesteward_tools.plans.documents import Place
from kubesteward_tools.twin.rehearsal import Rehearsal


def run(found: Rehearsal, place: Place | None = Place("deploy/my web.yaml", 7)) -> dict[str, Any]:  # noqa: B008 - frozen
    (only,) = json.loads(render(log(found, SUMMARY, "1.2.3", 2, lambda _: place)))["runs"]
    assert isinstance(only, dict)
    return only


def check(found: dict[str, Any]) -> None:
    driver = found["tool"]["driver"]
    ids = [rule["id"] for rule in driver["rules"]]
    assert driver["name"] == "KubeSteward"  # 3.19.8
    assert len(ids) == len(set(ids))  # 3.49.3
    for rule in driver["rules"]:
        assert rule["help"]["text"]  # 3.49.12: with a text
        assert rule["shortDescription"]["text"].endswith(".")  # 3.49.9
        assert rule["defaultConfiguration"]["level"] in {"none", "note", "warning", "error"}  # 3.50.3
        assert re.fullmatch(r"[A-Z]\w+", rule["name"])
    for result in found["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]  # 3.27.6
        assert result["level"] in {"none", "note", "warning", "error"}  # 3.27.10
        assert result["message"]["text"]  # 3.11.8
        assert result["locations"]  # code scanning shows nothing without
        for location in result["locations"]:
            check_location(location)
        assert all(isinstance(value, str) for value in result["partialFingerprints"].values())  # 3.27.17
    assert found["columnKind"] in {"utf16CodeUnits", "unicodeCodePoints"}  # 3.14.17


def check_location(location: dict[str, Any]) -> None:
    for logical in location["logicalLocations"]:
        assert logical["name"]  # 3.33.4
        assert logical["fullyQualifiedName"]
    if physical := location.get("physicalLocation"):
        uri = physical["artifactLocation"]["uri"]
        assert re.fullmatch(r"[\w\-./~:%]+", uri)  # 3.4.3: a URI reference, RFC 3986
        assert physical["region"]["startLine"] >= 1  # 3.30.5


def test_the_log() -> None:
    whole = log(rehearsal(), SUMMARY, "1.2.3", 2, lambda _: Place("./deploy/web.yaml", 7))
    (only,) = whole["runs"]

    assert (whole["version"], whole["$schema"].rpartition("/")[2]) == ("2.1.0", "sarif-schema-2.1.0.json")  # 3.13
    assert only["results"][0] == snapshot(
        {
            "ruleId": "quota.exceeded",
            "ruleIndex": 2,
            "level": "error",
            "message": {"text": "no web."},
            "locations": [
                {
                    "physicalLocation": {
                        "artifactLocation": {"uri": "deploy/web.yaml", "uriBaseId": "%SRCROOT%"},
                        "region": {"startLine": 7},
                    },
                    "logicalLocations": [
                        {"fullyQualifiedName": "deployment shop/web", "name": "shop/web", "kind": "object"}
                    ],
                }
            ],
            "partialFingerprints": {"finding/v1": "9560a6526c9a3ce3351c323143ecaf874aa730235a84a43e3f81532f87aa23a2"},
        }
    )
    assert only["tool"]["driver"]["rules"][0] == snapshot(
        {
            "id": "config.changed",
            "name": "ConfigChanged",
            "shortDescription": {"text": "Configuration that running pods read changes under them."},
            "fullDescription": {"text": "Configuration that running pods read changes under them."},
            "help": {"text": "Configuration that running pods read changes under them."},
            "defaultConfiguration": {"level": "note"},
        }
    )
    assert [(item["ruleId"], item["level"]) for item in only["results"]] == snapshot(
        [
            ("quota.exceeded", "error"),
            ("pdb.broken", "warning"),
            ("config.changed", "note"),
            ("rehearsal.assumption", "note"),
        ]
    )


@pytest.mark.parametrize("verdict", ["safe", "warn", "blocked", "unknown"])
def test_every_verdict_keeps_the_standard(verdict: str) -> None:
    check(run(rehearsal(verdict=verdict)))
    check(run(Rehearsal(verdict=verdict, admission=())))  # type: ignore[arg-type]  # pydantic checks it


def test_without_manifests_findings_have_the_object_alone() -> None:
    found = run(rehearsal(), None)

    check(found)
    assert all("physicalLocation" not in item["locations"][0] for item in found["results"])


def test_paths_are_relative_to_the_repository_or_absolute() -> None:
    places = [Place("./a b/ü.yaml", 3), Place("/tmp/x.yaml", 1)]
    found = [run(rehearsal(), at)["results"][0]["locations"][0]["physicalLocation"] for at in places]

    assert [item["artifactLocation"] for item in found] == [
        {"uri": "a%20b/%C3%BC.yaml", "uriBaseId": "%SRCROOT%"},
        {"uri": "file:///tmp/x.yaml"},
    ]


def test_what_is_unknown_is_a_warning_and_what_is_assumed_a_note() -> None:
    levels = [
        (
            run(rehearsal(verdict=verdict))["results"][-1]["ruleId"],
            run(rehearsal(verdict=verdict))["results"][-1]["level"],
        )
        for verdict in ("unknown", "warn")
    ]

    assert levels == [("rehearsal.unknown", "warning"), ("rehearsal.assumption", "note")]


@given(NASTY)
@settings(max_examples=40, deadline=None)
def test_any_text_is_a_valid_log(word: str) -> None:
    check(run(rehearsal(word), Place(word or "x", 1)) if word.isprintable() and word.strip() else run(rehearsal(word)))


def test_every_rule_of_the_twin_is_described() -> None:
    ids = set[str]()
    for file in Path(rules_of_the_twin.__path__[0]).glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.keyword) and node.arg == "rule":
                ids |= {
                    item.value
                    for item in ast.walk(node.value)
                    if isinstance(item, ast.Constant) and isinstance(item.value, str)
                }

    assert {item for item in ids if "." in item} - RULES.keys() == set()
