"""Manifests become one plan: every document with its place, and the API calls in their order. None is made here."""
