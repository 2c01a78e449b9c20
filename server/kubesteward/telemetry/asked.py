"""Whether anybody wants spans: asked at every start, so that nothing is imported here."""

from __future__ import annotations

from collections.abc import Mapping

_VARIABLES = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_TRACES_EXPORTER")


def wanted(environment: Mapping[str, str]) -> bool:
    """By the standard variables of OpenTelemetry. The SDK reads all the others by itself."""
    if environment.get("OTEL_SDK_DISABLED", "").lower() == "true" or environment.get("OTEL_TRACES_EXPORTER") == "none":
        return False
    return any(environment.get(name) for name in _VARIABLES)
