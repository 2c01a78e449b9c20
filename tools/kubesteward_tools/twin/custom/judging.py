"""A custom resource by its schema, as it is kept in the end."""

from __future__ import annotations

from kubesteward_tools.twin import validation
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.twin.custom import writes
from kubesteward_tools.twin.custom.definitions import Definition


def judge(attempt: Attempt, definition: Definition | None) -> None:
    """Raises ApiError 422. What cannot be judged goes to `attempt.unknown`."""
    obj = attempt.obj
    if definition is None:
        attempt.unknown.append(writes.unknown_schema(attempt.kind, attempt.name))
        validation.check(attempt.kind, obj, attempt.old)
        return
    version = obj["apiVersion"].rpartition("/")[2]
    attempt.unknown.append(writes.conversion_unknown(definition, version))
    writes.complete(definition, version, obj)
    more = writes.errors(definition, obj, attempt.old, attempt.unknown)
    validation.check(attempt.kind, obj, attempt.old, more)
    obj["apiVersion"] = f"{definition.group}/{definition.storage}"
