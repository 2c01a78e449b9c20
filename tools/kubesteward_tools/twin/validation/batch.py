"""What is refused of Jobs and CronJobs. API doc: batch/v1; refusals worded as the API server's."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin import cron
from kubesteward_tools.twin.selectors import matches
from kubesteward_tools.twin.status import FieldError, invalid_value, not_supported, required
from kubesteward_tools.twin.validation.selectors import label_selector
from kubesteward_tools.twin.validation.workloads import pod_spec
from kubesteward_tools.twin.zones import zone

_NOT_NEGATIVE = "must be greater than or equal to 0"
_COUNTS = (
    "parallelism",
    "completions",
    "activeDeadlineSeconds",
    "backoffLimit",
    "ttlSecondsAfterFinished",
    "backoffLimitPerIndex",
    "maxFailedIndexes",
)
_POLICIES = ("Allow", "Forbid", "Replace")
_NO_ZONE_HERE = "cannot use TZ or CRON_TZ in schedule, use timeZone field instead"
_LONGEST_NAME = 52


_MODES = ["Indexed", "NonIndexed"]
_ACTIONS = ["Count", "FailIndex", "FailJob", "Ignore"]
_UID = "batch.kubernetes.io/controller-uid"
_INDEXES = re.compile(r"[0-9]+(-[0-9]+)?(,[0-9]+(-[0-9]+)?)*", re.ASCII)


def job(obj: dict[str, Any]) -> Iterator[FieldError]:
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    if len(name) > 63:
        yield invalid_value("metadata.name", name, "must be no more than 63 characters")
    yield from _selector(spec)
    yield from _job_spec("spec", spec)
    if spec.get("managedBy") and not re.fullmatch(r"[^/]+/.+", spec["managedBy"]):
        why = 'must be a domain-prefixed path (such as "acme.io/foo")'
        yield invalid_value("spec.managedBy", spec["managedBy"], why)


def _selector(spec: dict[str, Any]) -> Iterator[FieldError]:
    """A Job knows its pods by its UID, unless it says that it has a selector of its own."""
    selector = spec.get("selector")
    if selector is None:
        yield required("spec.selector")
        return
    wrong = list(label_selector("spec.selector", selector))
    yield from wrong
    wanted = selector.get("matchLabels") or {}
    own = not spec.get("manualSelector")
    if own and (set(wanted) - {_UID, "controller-uid"} or selector.get("matchExpressions")):
        yield invalid_value("spec.selector", selector, "`selector` not auto-generated")
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if not wrong and not matches(selector, labels):
        yield invalid_value("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _job_spec(path: str, spec: dict[str, Any]) -> Iterator[FieldError]:
    yield from _negative(path, spec, _COUNTS)
    yield from _indexed(path, spec)
    template = (spec.get("template") or {}).get("spec") or {}
    yield from pod_spec(f"{path}.template.spec", template)
    policy = template.get("restartPolicy", "Always")
    if policy == "Always":
        yield required(f"{path}.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"')
    elif policy not in {"OnFailure", "Never"}:
        yield not_supported(f"{path}.template.spec.restartPolicy", policy, ["OnFailure", "Never"])
    elif policy != "Never" and spec.get("podFailurePolicy"):
        why = 'only "Never" is supported when podFailurePolicy is specified'
        yield invalid_value(f"{path}.template.spec.restartPolicy", policy, why)
    yield from _failure_policy(f"{path}.podFailurePolicy", spec)
    yield from _success_policy(f"{path}.successPolicy", spec)
    replacement = spec.get("podReplacementPolicy")
    if replacement not in {None, "Failed", "TerminatingOrFailed"}:
        yield not_supported(f"{path}.podReplacementPolicy", replacement, ["Failed", "TerminatingOrFailed"])
    elif spec.get("podFailurePolicy") and replacement not in {None, "Failed"}:
        yield not_supported(f"{path}.podReplacementPolicy", replacement, ["Failed"])


def _failure_policy(path: str, spec: dict[str, Any]) -> Iterator[FieldError]:
    names = {item.get("name") for item in ((spec.get("template") or {}).get("spec") or {}).get("containers") or ()}
    for at, rule in enumerate((spec.get("podFailurePolicy") or {}).get("rules") or ()):
        where, action, codes = f"{path}.rules[{at}]", rule.get("action", ""), rule.get("onExitCodes")
        if not action:
            yield required(f"{where}.action", f"valid values: {', '.join(json.dumps(item) for item in _ACTIONS)}")
        elif action not in _ACTIONS:
            yield not_supported(f"{where}.action", action, _ACTIONS)
        elif action == "FailIndex" and spec.get("backoffLimitPerIndex") is None:
            yield invalid_value(f"{where}.action", action, "requires the backoffLimitPerIndex to be set")
        if bool(codes) == bool(rule.get("onPodConditions")):
            why = "specifying one of OnExitCodes and OnPodConditions is required"
            if codes:
                why = "specifying both OnExitCodes and OnPodConditions is not supported"
            yield invalid_value(where, rule, why)
        if codes:
            yield from _exit_codes(f"{where}.onExitCodes", codes, names)


def _exit_codes(path: str, codes: dict[str, Any], names: set[Any]) -> Iterator[FieldError]:
    values, operator = codes.get("values") or [], codes.get("operator", "")
    if operator not in {"In", "NotIn"}:
        yield not_supported(f"{path}.operator", operator, ["In", "NotIn"])
    if codes.get("containerName") is not None and codes["containerName"] not in names:
        why = "must be one of the container or initContainer names in the pod template"
        yield invalid_value(f"{path}.containerName", codes["containerName"], why)
    if not values:
        yield invalid_value(f"{path}.values", values, "at least one value is required")
    if values != sorted(values):
        yield invalid_value(f"{path}.values", values, "must be ordered")
    if len(set(values)) != len(values):
        yield FieldError("FieldValueDuplicate", f"{path}.values", f"Duplicate value: {values[0]}")
    if operator == "In" and 0 in values:
        yield invalid_value(f"{path}.values[{values.index(0)}]", 0, "must not be 0 for the In operator")


def _success_policy(path: str, spec: dict[str, Any]) -> Iterator[FieldError]:
    policy, completions = spec.get("successPolicy"), spec.get("completions") or 0
    if policy is None or spec.get("completionMode") != "Indexed":
        return
    if not policy.get("rules"):
        yield required(f"{path}.rules", "at least one rules must be specified when the successPolicy is specified")
    for at, rule in enumerate(policy.get("rules") or ()):
        where, indexes, count = f"{path}.rules[{at}]", rule.get("succeededIndexes"), rule.get("succeededCount")
        if indexes is None and count is None:
            yield required(where, "at least one of succeededCount or succeededIndexes must be specified")
        if count is not None and not 0 < count <= completions:
            yield invalid_value(f"{where}.succeededCount", count, f"must be less than or equal to {completions}")
        numbers = [int(item) for item in re.findall(r"[0-9]+", indexes or "")]
        if indexes is not None and (not _INDEXES.fullmatch(indexes) or any(item >= completions for item in numbers)):
            yield invalid_value(f"{where}.succeededIndexes", indexes, "error parsing succeededIndexes")


def _indexed(path: str, spec: dict[str, Any]) -> Iterator[FieldError]:
    if spec.get("completionMode") not in {None, *_MODES}:
        yield not_supported(f"{path}.completionMode", spec["completionMode"], ["NonIndexed", "Indexed"])
    if spec.get("completionMode") == "Indexed":
        if spec.get("completions") is None:
            yield required(f"{path}.completions", "when completion mode is Indexed")
    else:
        for field in ("backoffLimitPerIndex", "successPolicy"):
            if spec.get(field) is not None:
                why = "requires indexed completion mode"
                yield invalid_value(f"{path}.{field}", spec[field], why)
    if spec.get("maxFailedIndexes") is not None and spec.get("backoffLimitPerIndex") is None:
        yield required(f"{path}.backoffLimitPerIndex", "when maxFailedIndexes is specified")


def _negative(path: str, spec: dict[str, Any], fields: tuple[str, ...]) -> Iterator[FieldError]:
    for field in fields:
        if isinstance(spec.get(field), int) and spec[field] < 0:
            yield invalid_value(f"{path}.{field}", spec[field], _NOT_NEGATIVE)


def cron_job(obj: dict[str, Any]) -> Iterator[FieldError]:
    spec, name = obj.get("spec") or {}, obj["metadata"].get("name", "")
    if len(name) > _LONGEST_NAME:
        yield invalid_value("metadata.name", name, f"must be no more than {_LONGEST_NAME} characters")
    yield from _schedule(spec.get("schedule") or "")
    yield from _time_zone(spec.get("timeZone"))
    if spec.get("concurrencyPolicy", "Allow") not in _POLICIES:
        yield not_supported("spec.concurrencyPolicy", spec["concurrencyPolicy"], _POLICIES)
    limits = ("startingDeadlineSeconds", "successfulJobsHistoryLimit", "failedJobsHistoryLimit")
    yield from _negative("spec", spec, limits)
    template = (spec.get("jobTemplate") or {}).get("spec") or {}
    if template.get("manualSelector"):
        yield not_supported("spec.jobTemplate.spec.manualSelector", True, ["nil", "false"])
    yield from _job_spec("spec.jobTemplate.spec", template)


def _schedule(text: str) -> Iterator[FieldError]:
    if not text:
        yield required("spec.schedule")
        return
    if "TZ" in text:
        yield invalid_value("spec.schedule", text, _NO_ZONE_HERE)
        return
    try:
        cron.parse(text)
    except ValueError as error:
        yield invalid_value("spec.schedule", text, str(error))


def _time_zone(name: str | None) -> Iterator[FieldError]:
    if name is None:
        return
    if not name:
        yield invalid_value("spec.timeZone", name, "timeZone must be nil or non-empty string")
    elif name.lower() == "local":
        why = "timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones"
        yield invalid_value("spec.timeZone", name, why)
    else:
        try:
            zone(name)
        except ValueError as error:
            yield invalid_value("spec.timeZone", name, str(error))
