"""What happens to a write between authorization and the store, in the server's order: first change, then judge.

Every plugin is a function of the store and a copy of the object that it may change; a refusal is an ApiError.
"""

from __future__ import annotations

from collections.abc import Callable

from kubesteward_tools.twin.admission import (
    escalation,
    hooks,
    jobs,
    limits,
    namespaces,
    pods,
    policies,
    quotas,
    security,
    storage,
    strategies,
)
from kubesteward_tools.twin.admission.attempt import Attempt
from kubesteward_tools.world.store import Store

Plugin = Callable[[Attempt], None]

MUTATING: tuple[Plugin, ...] = (
    namespaces.lifecycle,
    jobs.selector,
    pods.service_account,
    pods.priority,
    pods.default_tolerations,
    limits.defaults,
    storage.default_class,
    storage.protection,
    strategies.template_generation,
    strategies.disabled_fields,
    policies.unevaluated,
    hooks.mutate,
)
VALIDATING: tuple[Plugin, ...] = (
    escalation.check,
    limits.bounds,
    security.pod_security,
    policies.judge,
    hooks.validate,
    quotas.within_quota,
)
GENERIC: tuple[Plugin, ...] = (policies.unevaluated, hooks.mutate, policies.judge, hooks.validate)
"""Those that look at writes of every kind: deletes and subresources too."""


_GUARDS = (hooks.MUTATING, hooks.VALIDATING, policies.BINDINGS)


def is_guarded(store: Store) -> bool:
    """Whether there is any policy or webhook at all."""
    return any(store.count(kind) for kind in _GUARDS)


def presume(attempt: Attempt) -> None:
    """Judge what will be done in any case: objects are not changed. Raises ApiError."""
    policies.judge(attempt)
    for configurations in (hooks.MUTATING, hooks.VALIDATING):
        hooks.presume(attempt, configurations)


def judge(attempt: Attempt) -> None:
    """Pass an attempt that is no plain create or update. Raises ApiError when it is refused."""
    for plugin in GENERIC:
        plugin(attempt)
