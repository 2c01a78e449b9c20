"""The cases that a check's file holds: an object in short, what stands beside it, and whether the check speaks.

`container` and `pod` are merged into a small workload of the `kind`; `object` is one in full; `with` are its
surroundings, in the same short form. `params`, `target` (a minor version) and `whole` are as in a run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kubesteward_policies.check import Check
from kubesteward_tools.checks.inventory import Inventory, Subject
from kubesteward_tools.checks.run import Asked, Report, run

_KEYS = frozenset(
    {"kind", "metadata", "spec", "pod", "container", "object", "with", "params", "target", "whole", "podMetadata"}
)
_GROUPS = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1"}


def play(check: Check, case: Mapping[str, Any]) -> Report:
    """What the check alone says of a case's own object.

    Raises:
        ValueError: the case has a key that nobody reads.
    """
    unknown = case.keys() - _KEYS
    if unknown:
        raise ValueError(f"{check.id}: a case has no {', '.join(sorted(unknown))}")
    around = [Subject.of(_object(item)) for item in case.get("with", ())]
    whole = bool(case.get("whole"))
    inventory = Inventory([Subject.of(_object(case)), *around], whole=whole, live=whole)
    asked = Asked(only=frozenset({check.id}), target=case.get("target"), params={check.id: case.get("params", {})})
    found = run(inventory, asked, checks=[check])
    first = inventory.subjects[0].ref
    return Report(tuple(item for item in found.outcomes if item.object == first), found.problems, 1, 1)


def _object(case: Mapping[str, Any]) -> Mapping[str, Any]:
    if "object" in case:
        return dict(case["object"])
    if "apiVersion" in case:
        return case
    return workload(case)


def workload(case: Mapping[str, Any]) -> dict[str, Any]:
    """A small one called web, of labels app: web, in the namespace shop."""
    kind = case.get("kind", "Pod")
    container = {"name": "app", "image": "registry.example/app:1.0", **case.get("container", {})}
    pod = {"containers": [container], **case.get("pod", {})}
    labels = {"app": "web"}
    metadata = {"name": "web", "namespace": "shop", "labels": labels, **case.get("metadata", {})}
    template = {"metadata": {"labels": labels, **case.get("podMetadata", {})}, "spec": pod}
    made = {"apiVersion": _GROUPS.get(kind, "apps/v1"), "kind": kind, "metadata": metadata}
    if kind == "Pod":
        return {**made, "spec": {**pod, **case.get("spec", {})}}
    given = {"selector": {"matchLabels": labels}} if kind not in _GROUPS else {}
    if kind == "CronJob":
        return {**made, "spec": {"jobTemplate": {"spec": {"template": template}}, **case.get("spec", {})}}
    return {**made, "spec": {**given, "template": template, **case.get("spec", {})}}


def problems(check: Check) -> Sequence[str]:
    """What goes otherwise than the check's file says; nothing where all is well."""
    found = []
    for expected in ("pass", "fail"):
        for number, case in enumerate(check.cases[expected]):
            report = play(check, case)
            failed = bool(report.outcomes)
            if report.problems or failed != (expected == "fail"):
                said = report.problems or [item.message for item in report.outcomes] or "nothing"
                found.append(f"{check.id}, {expected} {number}: {said}")
    return found
