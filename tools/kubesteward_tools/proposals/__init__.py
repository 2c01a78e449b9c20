"""Intentions become changes: the exact API calls that would be made. Nothing here makes one."""
