"""What happens to a write between authorization and the store, in the server's order: first change, then judge.

Every plugin is a function of the store and a copy of the object that it may change; a refusal is an ApiError.
"""

from __future__ import annotations

from collections.abc import Callable

from kubesteward_tools.twin.admission import (
    addresses,
    escalation,
    jobs,
    limits,
    namespaces,
    pods,
    quotas,
    security,
    storage,
    strategies,
)
from kubesteward_tools.twin.admission.attempt import Attempt

Plugin = Callable[[Attempt], None]

MUTATING: tuple[Plugin, ...] = (
    namespaces.lifecycle,
    jobs.selector,
    pods.service_account,
    pods.priority,
    pods.runtime_class,
    pods.default_tolerations,
    limits.defaults,
    storage.default_class,
    storage.protection,
    strategies.template_generation,
    strategies.disabled_fields,
)
VALIDATING: tuple[Plugin, ...] = (
    escalation.check,
    pods.one_default_priority,
    addresses.free,
    storage.resizable,
    limits.bounds,
    security.pod_security,
    quotas.within_quota,
)
