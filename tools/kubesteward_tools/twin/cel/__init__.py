"""Expressions of the Common Expression Language as Kubernetes speaks it. API doc: "Common Expression Language in
Kubernetes". The engine stands behind `engine.Program`, so that it can be changed without touching who asks.
"""

from kubesteward_tools.twin.cel.engine import Failed, Invalid, Program, Undecided, compiled

__all__ = ["Failed", "Invalid", "Program", "Undecided", "compiled"]
