"""What rules want of an engine for the Common Expression Language, without an engine.

The engine itself (`kubesteward_tools.twin.cel`) stands a floor above, because Kubernetes' CEL libraries need the twin's
arithmetic; it implements this, and whoever judges with rules is handed its `compiled`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol


class Invalid(Exception):
    """The expression does not compile; the text is the compiler's, as the API server gives it."""


class Failed(Exception):
    """The evaluation ended in an error, worded as the API server words it ("no such key: team")."""


class Undecided(Exception):
    """Nobody here can tell what it evaluates to: it goes beyond the engine. The text says why."""


class Program(Protocol):
    """A compiled expression."""

    @property
    def result(self) -> str:
        """The type that it evaluates to: "bool", "string", "dyn", ..."""
        ...

    def evaluate(self, data: Mapping[str, Any]) -> Any:
        """The value as plain data.

        Raises:
            Failed: the evaluation ended in an error.
            Undecided: it goes beyond the engine.
        """
        ...


Compile = Callable[[str, frozenset[str]], Program]
"""An expression over variables of these names. Raises Invalid, Undecided."""
