"""Commands in containers: off unless the operator lists them, and never run without a person, at any level.

Nobody can rehearse what a program does. So it is decided by the list alone whether it may be asked for.
"""

from __future__ import annotations

import shlex

from kubesteward.gate.case import Case, ask, deny
from kubesteward_policies.commands import command_of, runs_command, why_not
from kubesteward_policies.verdict import Verdict

STAGE = "commands"
_ENABLE = "The operator can allow it with KUBESTEWARD_EXEC_COMMANDS, as in `cat /etc/resolv.conf, nslookup *`."


async def commands(case: Case) -> tuple[Verdict, ...]:
    """Nothing to say about a change that runs no command."""
    running = [command_of(call) for call in case.change.calls if runs_command(call)]
    if not running:
        return ()
    if len(case.change.calls) > 1:
        return (deny(STAGE, "exec.alone", "a command is run by itself, and with no other call", "Propose it alone."),)
    listed = case.settings.exec_commands
    if not listed:
        return (deny(STAGE, "exec.off", "running commands in containers is switched off", _ENABLE),)
    if why := why_not(listed, running[0]):
        allowed = f"These are allowed: {', '.join(f'`{item}`' for item in listed)}."
        return (deny(STAGE, "exec.not_listed", f"this command is not run: {why}", allowed),)
    if _tells(running[0]):
        return (deny(STAGE, "exec.secret", "the command carries what looks like a secret", "Leave it out."),)
    return (ask(STAGE, "exec.person", "what a command does in a container cannot be undone, nor rehearsed"),)


def _tells(command: tuple[str, ...]) -> bool:
    from kubesteward_tools.text.redact import redact

    line = shlex.join(command)
    return redact(line) != line
