"""What the API server sets in a workload by itself: a count that it keeps, and fields that are switched off."""

from __future__ import annotations

from kubesteward_tools.twin.admission.attempt import Attempt

_GENERATION = "deprecated.daemonset.template.generation"


def template_generation(attempt: Attempt) -> None:
    """A DaemonSet's annotation counts its templates."""
    if attempt.resource != "daemonsets.apps":
        return
    annotations = attempt.obj["metadata"].get("annotations") or {}
    if attempt.old is None:
        number = _number(annotations.get(_GENERATION)) or 1
    else:
        number = _number((attempt.old["metadata"].get("annotations") or {}).get(_GENERATION))
        number += attempt.old["spec"].get("template") != attempt.obj["spec"].get("template")
    if number:
        attempt.obj["metadata"]["annotations"] = {**annotations, _GENERATION: str(number)}


def disabled_fields(attempt: Attempt) -> None:
    """MaxUnavailableStatefulSet is off (KEP-961): who does not have the field yet does not get it."""
    if attempt.resource != "statefulsets.apps":
        return
    old, new = (
        (((obj or {}).get("spec") or {}).get("updateStrategy") or {}).get("rollingUpdate") or {}
        for obj in (attempt.old, attempt.obj)
    )
    if "maxUnavailable" not in old:
        new.pop("maxUnavailable", None)


def _number(text: str | None) -> int:
    return int(text) if text and text.isdecimal() else 0
