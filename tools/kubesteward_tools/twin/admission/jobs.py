"""A new Job's labels and selector, by which it knows its pods: made from its UID unless `manualSelector` says no.

API doc: batch/v1 JobSpec.
"""

from __future__ import annotations

from typing import Any

from kubesteward_tools.twin.admission.attempt import Attempt

_PREFIX = "batch.kubernetes.io/"
_UID, _NAME = "controller-uid", "job-name"


def selector(attempt: Attempt) -> None:
    if attempt.resource != "jobs.batch" or attempt.operation != "CREATE":
        return
    spec, metadata = attempt.obj["spec"], attempt.obj["metadata"]
    template = spec.get("template")
    if spec.get("manualSelector") or not isinstance(template, dict):
        return
    labels = _labels(metadata)
    own = template.setdefault("metadata", {})
    own["labels"] = {**labels, **(own.get("labels") or {})}
    if not metadata.get("labels"):
        metadata["labels"] = dict(own["labels"])
    if not spec.get("selector"):
        spec["selector"] = {"matchLabels": {_PREFIX + _UID: labels[_PREFIX + _UID]}}


def _labels(metadata: dict[str, Any]) -> dict[str, str]:
    values = {_UID: str(metadata["uid"]), _NAME: str(metadata["name"])}
    return {**{_PREFIX + name: value for name, value in values.items()}, **values}
