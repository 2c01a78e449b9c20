"""Tier 1 tools: what the cluster says."""
