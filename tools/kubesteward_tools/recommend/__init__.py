"""Tier 3 tools: what is written down for people."""
