"""Containers that run another program than they should."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from kubesteward_tools.diagnosis import routing
from kubesteward_tools.diagnosis.candidate import Candidate
from kubesteward_tools.diagnosis.reading import command_line, ended, listed, named, ports, regular, text, texts
from kubesteward_tools.diagnosis.scene import SERVERS, Scene
from kubesteward_tools.world.store import Key

_IDLE = re.compile(r"^(?:(?:/bin/)?(?:ba|a)?sh -c )?(?:sleep (?:infinity|\d+)|tail -f /dev/null|true|echo\b[^;&|]*)$")


def analyse(scene: Scene) -> Iterator[Candidate]:
    yield from _swapped(scene)
    for item in scene.ailing:
        for sign in scene.signs(item.pod_key, item.name):
            if sign.kind == "usage" and ended(item.status) and command_line(item.container):
                sentence = (
                    f"container {item.name!r} of {named(item.workload)} runs with a wrong command line "
                    f"{command_line(item.container)!r}: {sign.line}."
                )
                yield Candidate(
                    "WrongCommand",
                    item.workload,
                    sentence,
                    0.86,
                    (f"log: {sign.line}",),
                    fix="Correct command and args.",
                    suffers=(item.pod_key,),
                )
                break
    yield from _idle(scene)


def _swapped(scene: Scene) -> Iterator[Candidate]:
    """In a family whose members each run the program of their own name, one that runs another member's."""
    for space in scene.store.spaces("deployments.apps"):
        runs = [
            (key, item, words[0].rpartition("/")[2])
            for key, _ in scene.all("deployments.apps", space)
            for item in regular(scene.spec(key))
            if (words := texts(item.get("command")) or texts(item.get("args")))
        ]
        own = [key for key, item, program in runs if _is_own(key, text(item.get("name")), program)]
        if len(own) < 2:
            continue
        used = Counter(program for _, _, program in runs)
        for key, item, program in runs:
            others = [other for other in own if other != key and _is_own(other, other.name, program)]
            if others and key not in own and used[program] > 1:
                sentence = (
                    f"container {item.get('name')!r} of {named(key)} runs the wrong program: its command is "
                    f"{command_line(item)!r}, the program "
                    f"(binary) of {named(others[0])}; each of its siblings runs the one of its own name."
                )
                yield Candidate(
                    "WrongCommand",
                    key,
                    sentence,
                    0.85,
                    (f"command: {command_line(item)}",),
                    fix=f"Set its command to its own program, {_guess(key, scene)!r}.",
                    suffers=(key,),
                )


def _is_own(key: Key, container: str, program: str) -> bool:
    words = set(re.split(r"[-_.]", key.name.lower())) | {key.name.lower(), container.lower()}
    return len(program) > 2 and program.lower() in words


def _guess(key: Key, scene: Scene) -> str:
    return scene.labels(key).get("io.kompose.service") or key.name


def _idle(scene: Scene) -> Iterator[Candidate]:
    """Servers that only sleep: nothing listens on the port that a Service leads to."""
    wanted = {scene.owner(key) for key in scene.question.named | scene.question.hinted}
    for service in {key for key in scene.question.named | scene.question.hinted if key.resource == "services"}:
        wanted |= {scene.owner(pod) for pod in routing.backends(scene, service)}
    for key in sorted(wanted):
        for item in regular(scene.spec(key)) if key.resource in SERVERS else ():
            shown = command_line(item)
            if (
                _IDLE.match(shown)
                and ports({"containers": [item]})
                and scene.store.selecting("services", key.namespace, scene.labels(key))
            ):
                sentence = (
                    f"container {item.get('name')!r} of {named(key)} runs {shown!r} instead of a server, so "
                    "nothing listens on its port "
                    f"{listed(number for _, number, _ in ports({'containers': [item]}))}."
                )
                yield Candidate(
                    "WrongCommand",
                    key,
                    sentence,
                    0.6,
                    (f"command: {shown}",),
                    fix="Remove the command, or run the server.",
                    suffers=(key,),
                )
