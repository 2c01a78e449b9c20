"""What is kept of a change and shown to people: without secrets where it is never executed, and in plain words."""

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


def one_line(text: str) -> str:
    """A summary names fields that a model chose: on a terminal or in a form it must not pose as anything else."""
    from kubesteward_tools.text.fence import clean

    return " ".join(clean(text, 500).split())
