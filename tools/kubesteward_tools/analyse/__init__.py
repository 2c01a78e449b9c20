"""Tier 2 tools: what can be computed from it."""
