"""What is refused of Jobs and CronJobs. API doc: batch/v1; refusals worded as the API server's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kubesteward_tools.twin import cron
from kubesteward_tools.twin.status import FieldError, invalid_value, not_supported, required
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


def job(obj: dict[str, Any]) -> Iterator[FieldError]:
    yield from _job_spec("spec", obj.get("spec") or {})


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
    replacement = spec.get("podReplacementPolicy")
    if spec.get("podFailurePolicy") and replacement not in {None, "Failed"}:
        yield not_supported(f"{path}.podReplacementPolicy", replacement, ["Failed"])


def _indexed(path: str, spec: dict[str, Any]) -> Iterator[FieldError]:
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
