"""Prometheus as a source of metrics: addresses, PromQL for the words of get_metrics, and the HTTP API."""
