"""Tier 4 tools: each returns a Change and writes nothing."""
