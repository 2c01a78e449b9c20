"""The one place where an engine for expressions is chosen; what is wanted of one is said by the rules' floor."""

from __future__ import annotations

from functools import lru_cache

from kubesteward_policies.cel import Failed, Invalid, Program, Undecided

__all__ = ["Failed", "Invalid", "Program", "Undecided", "compiled"]


@lru_cache(maxsize=4096)
def compiled(expression: str, names: frozenset[str]) -> Program:
    """The expression over variables of these names; programs are kept.

    Raises:
        Invalid: it does not compile.
        Undecided: it uses what the engine does not have.
    """
    from kubesteward_tools.twin.cel import cel_cpp

    return cel_cpp.compile_expression(expression, names)
