"""Spans. The MCP SDK makes one of every request and hands trace contexts on; here they get our words, an investigation
its own, and, where the standard variables of OpenTelemetry ask for it, somewhere to go.

Without the extra `kubesteward[telemetry]` and those variables a span is nothing and costs nothing.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry.trace import Span, SpanKind, Status, StatusCode, format_trace_id, get_current_span, get_tracer

from kubesteward import __version__

log = logging.getLogger(__name__)

SERVICE = "kubesteward"
_TRANSPORTS = {"stdio": "pipe", "http": "tcp"}


def configure() -> bool:
    """Send spans to where the OTEL_* variables say, over OTLP/HTTP; whether they are sent."""
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError as error:
        log.warning("spans are wanted but %s is missing: pip install 'kubesteward[telemetry]'", error.name)
        return False
    from opentelemetry.trace import set_tracer_provider

    from kubesteward.telemetry.exporting import Redacting

    name = os.environ.get("OTEL_SERVICE_NAME") or SERVICE
    resource = Resource.create({"service.name": name, "service.version": __version__})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(BatchSpanProcessor(Redacting(OTLPSpanExporter())))
    set_tracer_provider(provider)
    return True


def mark(correlation: str, outcome: str = "", tier: int = 0, channel: str = "") -> None:
    """Give the span of the request that is being answered the words by which audit records are found, and the transport
    that it came by. Of the session nothing is told: over HTTP its id is what a client is known by.
    """
    span = get_current_span()
    if not span.is_recording():
        return
    span.set_attribute("kubesteward.correlation", correlation)
    if outcome:
        span.set_attribute("kubesteward.outcome", outcome)
        span.set_attribute("kubesteward.tier", tier)
    if channel in _TRANSPORTS:
        span.set_attribute("network.transport", _TRANSPORTS[channel])


def trace_id() -> str:
    """32 hex digits of the trace that this is part of, "" where there is none."""
    context = get_current_span().get_span_context()
    return format_trace_id(context.trace_id) if context.is_valid else ""


@contextmanager
def investigation(name: str, correlation: str = "") -> Iterator[Span]:
    """The parent of all that an investigation asks and calls: its chats, and its tool calls through the MCP client.

    To be entered and left by one task. `name` is the investigation's id.
    """
    attributes = {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": SERVICE,
        "gen_ai.agent.version": __version__,
        "gen_ai.conversation.id": name,
        "kubesteward.correlation": correlation,
    }
    with get_tracer(SERVICE).start_as_current_span(
        f"invoke_agent {SERVICE}",
        kind=SpanKind.INTERNAL,
        attributes=attributes,
        record_exception=False,  # its text may quote a cluster or a prompt
        set_status_on_exception=False,
    ) as span:
        try:
            yield span
        except BaseException as error:
            span.set_attribute("error.type", str(getattr(error, "code", type(error).__name__)))
            span.set_status(Status(StatusCode.ERROR))
            raise
