"""Recorded states and changes, played on the twin: what it predicts can be compared with what a real cluster did."""
