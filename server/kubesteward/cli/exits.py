"""Exit codes, and the one place where an error becomes a sentence on the terminal."""

from __future__ import annotations

import os
import signal
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
"""Ctrl-C."""
TERMINATED = 143
"""SIGTERM, where it cuts something short."""


@contextmanager
def one_sentence() -> Iterator[None]:
    """Turn what may be said to a user into one line on standard error and an exit code, without a traceback.

    Raises:
        SystemExit: with FAILED or INTERRUPTED.
    """
    from kubesteward_tools.errors import SteadyError

    try:
        with _interruptible():
            try:
                yield
            except (SteadyError, OSError, ValueError) as error:
                complain(error)
                raise SystemExit(FAILED) from None
            except BaseExceptionGroup as group:  # of the server's task group
                known, others = group.split((SteadyError, OSError, ValueError))
                if known is None or others is not None:
                    raise
                complain(_first(known))
                raise SystemExit(FAILED) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


@contextmanager
def _interruptible() -> Iterator[None]:
    """Ctrl-C raises KeyboardInterrupt here, so that what was begun is ended in order. Load modules before."""
    before = signal.getsignal(signal.SIGINT)
    if callable(before):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        if callable(before):
            signal.signal(signal.SIGINT, before)


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def complain(error: BaseException) -> None:
    """One line on standard error, or nothing where nobody reads any more."""
    if isinstance(error, BrokenPipeError):  # nobody reads any more, as behind `| head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return
    said = f"{error.filename}: {error.strerror}." if isinstance(error, OSError) and error.filename else error
    print(f"kubesteward: {said}", file=sys.stderr)  # noqa: T201 - the terminal is the output here


def write(text: str) -> None:
    """On standard output; characters that its encoding lacks are replaced. Nothing is said where nobody reads on."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        sys.stdout.write(text.encode(encoding, "replace").decode(encoding))
        sys.stdout.flush()
    except BrokenPipeError as error:
        complain(error)
