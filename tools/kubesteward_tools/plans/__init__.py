"""Manifests become one plan: every document with its place, and the API calls in their order. Nothing here makes one."""
