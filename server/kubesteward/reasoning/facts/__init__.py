"""Checkable claims in what brains write, and whether they are true."""
