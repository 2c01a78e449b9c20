"""What may be seen of a running server: figures for Prometheus, spans for OpenTelemetry. Loaded on first use."""
