"""A rehearsal as SARIF, which code scanning shows beside the lines of the manifests.

Source: OASIS SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.19 (toolComponent), 3.27 (result), 3.28 (location).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import Any
from urllib.parse import quote

from kubesteward_tools.pictures.escapes import line
from kubesteward_tools.pictures.rules import about
from kubesteward_tools.plans.documents import Place
from kubesteward_tools.twin.rehearsal import Concern, Rehearsal

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_LEVELS = {"block": "error", "warn": "warning", "info": "note"}
_RESULTS = 5000
"""Code scanning takes no more of one run."""

Located = Callable[[Concern], Place | None]
"""Where in the manifests a finding belongs."""


def log(rehearsal: Rehearsal, summary: str, version: str, exit_code: int, located: Located) -> dict[str, Any]:
    """The whole log, with one run."""
    concerns = [*rehearsal.findings, *_assumed(rehearsal)][:_RESULTS]
    rules = list(_rules(concerns))
    numbers = {rule["id"]: number for number, rule in enumerate(rules)}
    run = {
        "tool": {"driver": driver(version, rules)},
        "automationDetails": {"id": "kubesteward/simulate/"},
        "invocations": [{"executionSuccessful": True, "exitCode": exit_code, "exitCodeDescription": rehearsal.verdict}],
        "originalUriBaseIds": {"%SRCROOT%": {"description": {"text": "Where the manifests' paths begin."}}},
        "columnKind": "unicodeCodePoints",
        "results": [_result(item, numbers[item.rule], located(item)) for item in concerns],
        "properties": {"verdict": rehearsal.verdict, "summary": line(summary, 500)},
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def render(log: dict[str, Any]) -> str:
    return json.dumps(log, indent=2, ensure_ascii=False) + "\n"


def driver(version: str, rules: list[dict[str, Any]]) -> dict[str, Any]:
    return {"name": "KubeSteward", "version": version, "semanticVersion": version, "rules": rules}


def _assumed(rehearsal: Rehearsal) -> Iterator[Concern]:
    unknown = rehearsal.verdict == "unknown"
    rule, remedy = "rehearsal.assumption", "Keep it in mind when you decide."
    if unknown:
        rule, remedy = "rehearsal.unknown", "Look at it by hand, or ask the API server's own dry-run."
    for text in rehearsal.assumptions:
        yield Concern(rule=rule, severity="warn" if unknown else "info", object="change", message=text, remedy=remedy)


def _rules(concerns: list[Concern]) -> Iterator[dict[str, Any]]:
    for rule, same in groupby(sorted(concerns, key=lambda item: item.rule), key=lambda item: item.rule):
        found = list(same)
        remedies = dict.fromkeys(line(item.remedy, 500) for item in found if item.remedy)
        worst = min((item.severity for item in found), key=list(_LEVELS).index)
        yield {
            "id": rule,
            "name": "".join(word.capitalize() for word in rule.replace("_", ".").split(".")),
            "shortDescription": {"text": about(rule)},
            "fullDescription": {"text": about(rule)},
            "help": {"text": " ".join(remedies) or about(rule)},
            "defaultConfiguration": {"level": _LEVELS[worst]},
        }


def _result(item: Concern, number: int, place: Place | None) -> dict[str, Any]:
    kind, _, name = item.object.partition(" ")
    logical = {"fullyQualifiedName": line(item.object), "name": line(name or kind), "kind": "object"}
    location: dict[str, Any] = {"logicalLocations": [logical]}
    if place is not None:
        location = {"physicalLocation": physical(place), **location}
    said = line(f"{item.message}. {item.remedy}".replace("..", ".").strip(), 4000)
    key = f"{item.rule}\n{item.object}\n{place.source if place else ''}"
    return {
        "ruleId": item.rule,
        "ruleIndex": number,
        "level": _LEVELS[item.severity],
        "message": {"text": said},
        "locations": [location],
        "partialFingerprints": {"finding/v1": hashlib.sha256(key.encode()).hexdigest()},
    }


def physical(place: Place) -> dict[str, Any]:
    """Paths within the repository are relative to its root; others stand as they are."""
    uri = quote(place.source.removeprefix("./"))
    artifact = {"uri": f"file://{uri}"} if uri.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}
    return {"artifactLocation": artifact, "region": {"startLine": max(place.line, 1)}}
