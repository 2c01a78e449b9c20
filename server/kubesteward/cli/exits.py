"""Exit codes, and the one place where an error becomes a sentence on the terminal."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

OK = 0
FAILED = 1
"""What was asked for could not be done; one sentence on standard error says why and what to do."""
USAGE = 2
"""The command line itself is wrong."""
BROKEN_AUDIT = 3
"""`audit verify` found a record that does not fit the chain."""
INTERRUPTED = 130
"""Ctrl-C, or a terminal that went away."""


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn what may be said to a user into one line on standard error and an exit code, without a traceback.

    Raises:
        SystemExit: with FAILED or INTERRUPTED.
    """
    from kubesteward_tools.errors import SteadyError

    try:
        yield
    except SteadyError as error:
        print(f"kubesteward: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the output here
        raise SystemExit(FAILED) from None
    except (OSError, ValueError) as error:
        print(f"kubesteward: {error}", file=sys.stderr)  # noqa: T201 - the terminal is the output here
        raise SystemExit(FAILED) from None
    except BaseExceptionGroup as group:  # of the server's task group
        known, others = group.split((SteadyError, OSError, ValueError))
        if known is None or others is not None:
            raise
        print(f"kubesteward: {_first(known)}", file=sys.stderr)  # noqa: T201 - the terminal is the output here
        raise SystemExit(FAILED) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found
