"""Why a container ended, as its exit code, the runtime and its last lines tell: for crashes, Jobs and inits."""

from __future__ import annotations

import difflib
import re
from dataclasses import dataclass

from kubesteward_tools.diagnosis.reading import command_line, ended, message_of, seconds, variables, waiting
from kubesteward_tools.diagnosis.scene import Ailing, Scene
from kubesteward_tools.diagnosis.signs import Sign
from kubesteward_tools.world.store import Key

_EXEC = re.compile(
    r'exec: \\?"(?P<what>[^"\\]+)\\?": (?P<why>[^:,]+)|(?<!\S)(?P<other>\S+): no such file or directory: unknown'
)
_CODES = {
    1: "1 (a general error of the program)",
    2: "2 (wrong usage of the program, or a shell error)",
    126: "126 (the command cannot be executed: permission denied or not a program)",
    127: "127 (command not found)",
    128: "128 (it could not be started)",
    134: "134 (SIGABRT)",
    137: "137 (SIGKILL)",
    139: "139 (SIGSEGV, segmentation fault)",
    143: "143 (SIGTERM: it was told to stop)",
    255: "255",
}
_PROGRAMS = [
    "apk",
    "apt-get",
    "awk",
    "bash",
    "busybox",
    "cat",
    "chmod",
    "chown",
    "cp",
    "curl",
    "cut",
    "date",
    "dig",
    "du",
    "echo",
    "env",
    "find",
    "git",
    "go",
    "grep",
    "gunzip",
    "gzip",
    "head",
    "httpd",
    "java",
    "ls",
    "mkdir",
    "mv",
    "mysql",
    "nc",
    "nginx",
    "node",
    "npm",
    "nslookup",
    "perl",
    "php",
    "ping",
    "printf",
    "psql",
    "pwd",
    "python",
    "python3",
    "redis-cli",
    "redis-server",
    "rm",
    "sed",
    "sh",
    "sleep",
    "sort",
    "stress",
    "tail",
    "tar",
    "test",
    "top",
    "touch",
    "true",
    "wget",
    "yarn",
]
_MEANINGS: dict[str, tuple[str, str]] = {
    "variable": (
        "an environment variable that it needs is missing (undefined, not set)",
        "Set the variable in env or envFrom of the container.",
    ),
    "port": (
        "its port is already in use by another process of the pod (address already in use), or it may not bind it",
        "Give each container of the pod its own port.",
    ),
    "disk": (
        "the disk is full (no space left on device)",
        "Enlarge the volume or the ephemeral-storage limit, or clean up.",
    ),
    "readonly": (
        "it writes to a read-only file system (readOnlyRootFilesystem or a read-only mount)",
        "Mount a writable emptyDir at the path, or drop readOnlyRootFilesystem.",
    ),
    "architecture": (
        "the program is built for another CPU architecture (exec format error)",
        "Use an image for the node's architecture.",
    ),
    "library": (
        "a module or library is missing in the image (not found)",
        "Build it into the image, or correct the path.",
    ),
    "command": ("it runs a command that is not found", "Correct the command, or use an image that has it."),
    "usage": ("its command line is wrong: unknown flags or arguments", "Correct command and args."),
    "syntax": ("its script or configuration has a syntax error", "Correct the script or the file."),
    "file": (
        "a file that it needs does not exist (no such file or directory)",
        "Mount or create the file, or correct the path.",
    ),
    "permission": (
        "it lacks a permission (permission denied, operation not permitted)",
        "Correct securityContext (runAsUser, fsGroup, capabilities) or the file's mode.",
    ),
    "config": ("its configuration is invalid", "Correct the configuration."),
    "certificate": (
        "a TLS certificate is refused (expired, unknown authority or another name)",
        "Renew the certificate or trust its issuer.",
    ),
    "auth": (
        "its credentials are refused (authentication failed)",
        "Correct user and password in its Secret, or the rights on the server.",
    ),
    "memory": ("it runs out of memory", "Raise the memory limit or lower the heap."),
    "limit": (
        "a limit is reached: requests, connections or files are refused because there are too many (rate "
        "limit, pool exhausted)",
        "Raise the limit, use less at a time, or find who uses so much.",
    ),
    "dns": ("it cannot resolve a host name", "Correct the host name or DNS."),
    "connection": (
        "it cannot connect to a service that it needs (connection refused or unreachable)",
        "Make the service reachable, or correct its address.",
    ),
    "timeout": (
        "a service that it needs does not answer in time (timeout)",
        "Make the service reachable, or correct its address.",
    ),
    "forbidden": ("the API server forbids what it asks for (RBAC)", "Grant its service account the right."),
    "panic": (
        "the program crashes by itself (panic or fatal error)",
        "Correct the program, or go back to the version before.",
    ),
    "exception": (
        "the program fails with an exception",
        "Correct the program or its input, or go back to the version before.",
    ),
    "http": ("a service that it calls answers with an error", "Look at that service."),
    "error": ("the program ends with an error", "Correct what its log names."),
}


@dataclass(frozen=True)
class Ending:
    """`why` completes "it ends because ...". `start` tells that it could not even be started; `sign` is the log's."""

    why: str
    fix: str
    evidence: tuple[str, ...]
    sign: Sign | None = None
    start: bool = False
    finished: bool = False


def ending(scene: Scene, item: Ailing) -> Ending:
    end = ended(item.status)
    reason, message = waiting(item.status)
    failed = [one.message for one in scene.warned(item.pod_key, "Failed") if f"{item.name}" or one.message]
    said = next((one for one in (message_of(end), message, *failed) if _EXEC.search(one)), "")
    code = end.get("exitCode")
    if (
        said
        or reason in {"RunContainerError", "CreateContainerError"}
        or end.get("reason") in {"StartError", "ContainerCannotRun"}
    ):
        return _not_started(item, said or message_of(end) or message, code)
    found = scene.signs(item.pod_key, item.name)
    chosen = _chosen(found)
    shown = _CODES.get(code, str(code)) if isinstance(code, int) else "unknown"
    if chosen:
        why, fix = explained(chosen, item)
        return Ending(
            f"{why}; exit code {shown}", fix, (f"log: {chosen.line}", *_last(scene, item, chosen.line)), chosen
        )
    if code == 0:
        return Ending(
            "its program finishes (exit code 0, Completed) although it should keep running: the command ends at once",
            "Run a program that stays in the foreground, or make it a Job.",
            (f"last state: Completed, exit code 0; command: {command_line(item.container) or 'of the image'}",),
            finished=True,
        )
    tail = _tail(scene, item)
    why = f"it exits with code {shown}" + (f" after printing {tail!r}" if tail else " and its log says nothing")
    return Ending(
        why, "Correct the command, arguments or configuration of the container.", (f"log: {tail}",) if tail else ()
    )


_ONCE = 1


def began(scene: Scene, item: Ailing) -> float | None:
    """When a container failed first; None where that is not known: of many failures only events tell."""
    told = [one.first for one in scene.warned(item.pod_key, "BackOff", "Failed") if one.about == item.pod_key]
    last = seconds(ended(item.status).get("finishedAt"))
    return min(told, default=last if item.restarts <= _ONCE else None)


def needs(scene: Scene, item: Ailing) -> tuple[Key, ...]:
    """The Services whose names stand in the connection errors of its log."""
    return tuple(
        Key("services", item.workload.namespace, sign.peer.partition(".")[0])
        for sign in scene.signs(item.pod_key, item.name)
        if sign.kind in {"connection", "timeout", "dns"} and sign.peer
    )


def _not_started(item: Ailing, said: str, code: object) -> Ending:
    """The runtime could not run the program."""
    if match := _EXEC.search(said):
        what = match["what"] or match["other"]
        why = (match["why"] or "no such file or directory").strip()
        near = likely(what)
        typo = f" ({what!r} looks like a typo of {near!r})" if near else ""
        known = "command not found: " if "not found" in why or "no such file" in why else ""
        return Ending(
            f"its command cannot be executed: {known}{what!r}: {why}{typo}; exit code {code}",
            f"Correct the command {command_line(item.container)!r}" + (f": use {near!r}." if near else "."),
            (said[-300:],),
            start=True,
        )
    return Ending(
        f"the runtime cannot start it: {said[:300]}", "Correct the container's definition.", (said[:300],), start=True
    )


def likely(command: str) -> str:
    """The well-known program that is misspelt, "" where none is near."""
    name = command.rpartition("/")[2]
    close = difflib.get_close_matches(name, _PROGRAMS, n=1, cutoff=0.7)
    return close[0] if close and close[0] != name else ""


def _chosen(found: list[Sign]) -> Sign | None:
    """The most telling sign; what the process said last counts more than what it said on the way."""
    return min(found, key=lambda sign: (not sign.last, sign.rank), default=None)


def explained(sign: Sign, item: Ailing | None = None) -> tuple[str, str]:
    """In words why a sign ends a program, and what to do."""
    why, fix = _MEANINGS.get(sign.kind, _MEANINGS["error"])
    if sign.kind == "variable" and sign.peer:
        has = item is not None and sign.peer in variables(item.container)
        state = "is set but not accepted" if has else "is missing: undefined, not set"
        return f"the environment variable {sign.peer} {state}", f"Set {sign.peer} in env (or envFrom) of the container."
    if sign.kind == "command" and sign.peer:
        near = likely(sign.peer)
        typo = f" (a typo of {near!r}?)" if near else ""
        return f"it runs the command {sign.peer!r}, which is not found{typo}", fix
    if sign.kind in {"dns", "connection", "timeout"} and sign.peer:
        place = f"{sign.peer}:{sign.port}" if sign.port else sign.peer
        return f"{why}: {place!r}", fix
    if sign.kind == "exception" and re.search(r"(?:division|divide) by zero|zerodivision", sign.line, re.I):
        return "the program divides by zero (division by zero)", fix
    return why, fix


def _last(scene: Scene, item: Ailing, told: str) -> tuple[str, ...]:
    """The end of the log, where it tells more than the line that was chosen."""
    lines = [line.strip() for line in scene.log(item.pod_key, item.name).splitlines() if line.strip()]
    more = [line[:160] for line in lines[-3:] if line[:400] != told]
    return (f"log ends: {' / '.join(more)}",) if more else ()


def _tail(scene: Scene, item: Ailing) -> str:
    lines = [line.strip() for line in scene.log(item.pod_key, item.name).splitlines() if line.strip()]
    return lines[-1][:200] if lines else ""
