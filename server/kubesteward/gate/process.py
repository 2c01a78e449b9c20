"""Names of processes, so that one can tell whether another that began something is still there to end it."""

from __future__ import annotations

import os
import secrets
import socket
from pathlib import Path


def name() -> str:
    """A new name in this process: host, number, when it was started where that can be known (numbers are used again),
    and a part of its own, so that two gates in one process are two.
    """
    pid = os.getpid()
    return f"{socket.gethostname()}:{pid}:{_started(pid)}/{secrets.token_hex(4)}"


def elsewhere(process: str) -> bool:
    """Whether it is another host's, so that only what it leaves in the store can tell of it."""
    return bool(process) and process.partition("/")[0].rsplit(":", 2)[0] != socket.gethostname()


def gone(process: str) -> bool:
    """Whether a process of this host has ended."""
    if not process:
        return True
    _, pid, started = process.partition("/")[0].rsplit(":", 2)
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except OSError:
        return False
    return _started(int(pid)) != started


_UNSET = 2**32 - 1


def account() -> str:
    """Who sits before this process: the account that logged in, which sudo and su leave alone (proc_pid_loginuid(5)),
    or where nobody did, as in a container, the one that it runs as. "" where the system has no such numbers.
    """
    try:
        found = int(Path("/proc/self/loginuid").read_text("ascii"))
    except (OSError, ValueError):
        found = _UNSET
    if found != _UNSET:
        return f"uid:{found}"
    return f"uid:{os.getuid()}" if hasattr(os, "getuid") else ""


def _started(pid: int) -> str:
    """Clock ticks from boot to the process's start (proc(5), field 22); "" where there is no /proc."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("ascii", "replace").rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return ""
