"""What is never going to be executed is not kept with its secrets."""

from __future__ import annotations

from dataclasses import replace

from kubesteward_policies.change import Change


def without_secrets(change: Change) -> Change:
    """The same calls with redacted bodies; those of Secrets lose their values whatever they look like."""
    from kubesteward_tools.text.redact import redact_object

    calls = tuple(
        replace(call, body=None if call.target.kind == "Secret" else redact_object(call.body)) for call in change.calls
    )
    return replace(change, calls=calls)
