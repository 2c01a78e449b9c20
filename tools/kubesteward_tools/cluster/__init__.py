"""Reaching a cluster: configuration, the read-only transport, discovery, list and watch, offline bundles."""
