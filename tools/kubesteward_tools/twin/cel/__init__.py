"""Expressions of the Common Expression Language as Kubernetes speaks it. API doc: "Common Expression Language in
Kubernetes". Who asks knows `kubesteward_policies.cel.Program` and not the engine, so that it can be changed.
"""

from kubesteward_tools.twin.cel.engine import Failed, Invalid, Program, Undecided, compiled

__all__ = ["Failed", "Invalid", "Program", "Undecided", "compiled"]
