"""The order in which a tool call is handled, outermost first. Order is meaning here, so it is a list one can read."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from kubesteward.middleware.agreement import Agreement
from kubesteward.middleware.audit import Audit
from kubesteward.middleware.call import Handler, Middleware
from kubesteward.middleware.correlation import correlate
from kubesteward.middleware.courtesy import readers_first
from kubesteward.middleware.deadline import Deadline
from kubesteward.middleware.failures import explain_failures
from kubesteward.middleware.measured import Measured
from kubesteward.middleware.output import tidy
from kubesteward.middleware.reach import Reach

if TYPE_CHECKING:
    from kubesteward.app import App


def stack(app: App) -> list[Middleware]:
    """Identity comes first of all, with the transport: a `Call` cannot be made without its caller."""
    return [
        correlate,  # a name for this call in every log, error and audit record
        Measured(app),  # counted and timed, whatever comes of it
        readers_first,  # nobody who reads waits for the judging of changes
        explain_failures,  # whatever happens below becomes a sentence
        app.rates,  # before the audit log, which a flood must not fill
        Audit(app),  # every call is written down, the refused ones too
        tidy,  # redacted, fenced and capped, errors as well
        Reach(app.settings, app.stopped),  # decided now, whatever a list of tools said
        Agreement(),  # a person agrees to what a call may cost; they may think about it for longer than calls may take
        Deadline(app.settings.call_timeout),  # hosts give up silently; we say so first
    ]


def compose(middleware: list[Middleware], endpoint: Handler) -> Handler:
    """One handler that runs the whole list."""
    handler = endpoint
    for layer in reversed(middleware):
        handler = partial(layer, proceed=handler)
    return handler
