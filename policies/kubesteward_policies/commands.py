"""Which commands may be run in a container: an allow-list of argument vectors, never of lines that a shell would read.

A pattern is written like a command, `cat /etc/resolv.conf` or `nslookup *`. Its words are compared with the arguments
one by one; `*` in a word stands for anything but `/`, `*` as the last word for any further arguments. A shell, an
interpreter, or what starts other programs is only run if the pattern is that very command.

This decides what may be asked for, not what a program does: who allows `cat *` allows reading every file.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence

from kubesteward_policies.change import ApiCall

EXEC = "exec"
_LONGEST = 4096
_STARTERS = frozenset(
    """
    sh bash dash ash zsh ksh mksh csh tcsh fish rbash pwsh busybox toybox python perl ruby node nodejs
    deno bun lua luajit php tclsh expect java jshell groovy irb gdb strace ltrace awk gawk mawk nawk sed
    ed ex vi vim nvim nano emacs less more man find xargs parallel make tar zip git rsync env timeout
    nice nohup setsid stdbuf time watch script su sudo doas runuser chroot unshare nsenter setpriv capsh
    ip ssh scp sftp telnet nc ncat netcat socat wget curl kubectl crictl ctr docker nerdctl systemctl
    flock chpst dumb-init tini sqlite3 psql mysql mongo mongosh redis-cli
    """.split()  # noqa: SIM905 - a list of seventy quoted words is harder to read
)
"""Programs that run what their arguments say."""
_VERSION = re.compile(r"[-.]?\d[\d.]*$")


def runs_command(call: ApiCall) -> bool:
    """Whether a call runs a command in a container, whatever it does there. dryRun means nothing to such a call."""
    target = call.target
    pod = (target.group, target.kind) == ("", "Pod")
    return call.verb == "create" and pod and call.path.endswith(f"/pods/{target.name}/{EXEC}")


def command_of(call: ApiCall) -> tuple[str, ...]:
    """The arguments, program first."""
    return tuple(value for name, value in call.query if name == "command")


def words(pattern: str) -> tuple[str, ...]:
    """The words of a pattern.

    Raises:
        ValueError: it is empty, its quotes do not match, or it leaves the program open.
    """
    found = tuple(shlex.split(pattern))
    if not found or not found[0]:
        raise ValueError("a pattern of a command is empty")
    if "*" in found[0]:
        raise ValueError(f"the pattern {pattern!r} does not name its program")
    return found


def why_not(patterns: Iterable[str], command: Sequence[str]) -> str:
    """Why a command may not be run, "" if it may."""
    if not command or sum(map(len, command)) > _LONGEST:
        return "it is empty or too long"
    if not all(argument.isprintable() for argument in command):
        return "it holds what cannot be printed"
    fitting = [found for found in map(words, patterns) if _fits(found, command)]
    if not fitting:
        return "it is not on the list"
    literal = any(tuple(command) == found for found in fitting)
    starter = next((argument for argument in command if _starts_others(argument)), "")
    if starter and not literal:
        return f"{starter.rpartition('/')[2]!r} runs other commands, and is only run as it stands on the list"
    return ""


def _starts_others(argument: str) -> bool:
    """Also by its path, and by its name with a version: `/usr/bin/python3.11`."""
    name = argument.rpartition("/")[2]
    return name in _STARTERS or _VERSION.sub("", name) in _STARTERS


def _fits(pattern: tuple[str, ...], command: Sequence[str]) -> bool:
    if pattern[-1] == "*":
        head = pattern[:-1]
        return len(command) >= len(head) and all(map(_agrees, head, command))
    return len(pattern) == len(command) and all(map(_agrees, pattern, command))


def _agrees(word: str, argument: str) -> bool:
    """A word with `*` takes no way up (`..`), and no option that it does not begin like."""
    if "*" not in word:
        return word == argument
    if ".." in argument.split("/") or (argument.startswith("-") and not word.startswith("-")):
        return False
    return re.fullmatch("[^/]*".join(map(re.escape, word.split("*"))), argument) is not None
