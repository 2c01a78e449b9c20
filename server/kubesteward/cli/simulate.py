"""`kubesteward simulate`: what would come of manifests, of a patch or of an action, with no server and no agent.

Parsed with argparse: pipelines tell the verdicts by the exit code, and typer's code for a wrong command line is that of
"blocked".
"""

from __future__ import annotations

import sys
import time
from argparse import Namespace
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from kubesteward.cli.exits import FAILED, OK, one_sentence
from kubesteward.cli.places import Parser, add_embedded, add_kubeconfig

if TYPE_CHECKING:
    from kubesteward_tools.cluster.clusters import Clusters
    from kubesteward_tools.plans.documents import Document
    from kubesteward_tools.plans.plan import Plan, Prepared
    from kubesteward_tools.plans.supposed import Supposed
    from kubesteward_tools.proposals.proposal import Proposal
    from kubesteward_tools.world.world import World

BLOCKED = 2
"""The rehearsal blocks it; with `--fail-on warn`, it warns."""
UNKNOWN = 3
"""Something that matters cannot be simulated."""
_CODES = {"safe": OK, "warn": OK, "blocked": BLOCKED, "unknown": UNKNOWN}

DESCRIPTION = "Rehearse manifests, a patch, an action or a failure on a twin of the cluster. Nothing is sent to it."
EPILOG = """\
exit codes: 0 safe, or with warnings only; 2 blocked (with --fail-on warn, also warnings); 3 unknown: something that
matters cannot be simulated; 1 it could not be rehearsed; 130 interrupted.

  kubectl kustomize deploy | kubesteward simulate -f -
  kubesteward simulate deployment/web -n shop --scale 8 --from-cluster prod
  kubesteward simulate --drain node-1 --from-bundle ./dump -o markdown"""


def parser() -> Parser:
    made = Parser("simulate", DESCRIPTION, EPILOG, wrong=FAILED)  # 2 means blocked here
    made.add_argument("target", nargs="*", metavar="KIND/NAME", help="what --scale, --image and --patch change")
    made.add_argument("-n", "--namespace", default="", help="namespace of what is changed")
    _add_changes(made.add_argument_group("the change (one of these)"))
    _add_states(made.add_argument_group("the state (default: the kubeconfig's current context)"))
    _add_outputs(made.add_argument_group("the report"))
    return made


def _add_changes(group: Any) -> None:
    group.add_argument("-f", "--filename", action="append", help="manifest file or folder, - for standard input")
    group.add_argument("-R", "--recursive", action="store_true", help="with -f, also what is in sub-folders")
    group.add_argument("--scale", type=int, metavar="REPLICAS")
    group.add_argument("--image", metavar="[CONTAINER=]IMAGE")
    group.add_argument("--patch", help="YAML or JSON; - for standard input")
    group.add_argument("--type", choices=["strategic", "merge", "json", "apply"], help="of --patch (strategic)")
    for verb, what in (("restart", "KIND/NAME"), ("delete", "KIND/NAME"), ("evict", "POD")):
        group.add_argument(f"--{verb}", metavar=what)
    for verb in ("drain", "cordon", "uncordon"):
        group.add_argument(f"--{verb}", metavar="NODE")
    group.add_argument("--fail-node", metavar="NODE", help="what if it failed? nobody's change, a question")
    group.add_argument("--fail-zone", metavar="ZONE", help="likewise, all nodes of a topology.kubernetes.io/zone")


def _add_states(group: Any) -> None:
    group.add_argument("--from-cluster", metavar="CONTEXT", nargs="?", const="", help="a live cluster, only read")
    group.add_argument("--from-bundle", type=Path, metavar="PATH", help="saved output of `kubectl get -o yaml`")
    add_embedded(group)
    add_kubeconfig(group)


def _add_outputs(group: Any) -> None:
    group.add_argument("-o", "--output", choices=["text", "json", "markdown", "sarif"], default="text")
    group.add_argument("--out", type=Path, metavar="FILE", help="write it there, not to standard output")
    for form in ("json", "markdown", "sarif", "svg"):
        group.add_argument(f"--{form}", type=Path, metavar="FILE", help=f"write {form} too")
    group.add_argument("--fail-on", choices=["block", "warn"], default="block", help="what exits with 2 (block)")


def simulate(arguments: list[str]) -> None:
    """Exits with 0, 2, 3, or with a code of `exits`."""
    made = parser()
    options = made.parse_args(arguments)
    with one_sentence():
        code = _run(options)
    raise SystemExit(code)


def _run(options: Namespace) -> int:
    import asyncio

    from kubesteward.cli import reports
    from kubesteward.cli.states import State
    from kubesteward_tools.plans.plan import Prepared
    from kubesteward_tools.text.redact import redact

    outputs = _outputs(options)
    reports.check([path for _, path in outputs], [name for name in options.filename or () if name != "-"])
    asked = _asked(options)
    state = State.one_of(options.from_cluster, options.from_bundle, options.embedded, options.kubeconfig)
    prepared, cluster = asyncio.run(_prepare(state.clusters(), asked, options.namespace, whole=state.whole))
    rehearsal = prepared.rehearse()
    code = BLOCKED if options.fail_on == "warn" and rehearsal.verdict == "warn" else _CODES[rehearsal.verdict]
    plan = prepared.plan if isinstance(prepared, Prepared) else None
    result = reports.Result(rehearsal, plan, redact(prepared.summary), cluster, code)
    for form, path in outputs:
        result.save(form, path)
    if options.out is None:
        result.show(options.output)
    return code


def _outputs(options: Namespace) -> list[tuple[str, Path]]:
    extra = [(form, getattr(options, form)) for form in ("json", "markdown", "sarif", "svg")]
    return [(form, path) for form, path in [(options.output, options.out), *extra] if path is not None]


@dataclass(frozen=True, slots=True)
class Failing:
    """The question what would be left if this node or zone failed."""

    what: Literal["node", "zone"]
    name: str


def _asked(options: Namespace) -> list[Document] | Proposal | Failing:
    """What is to be rehearsed. Raises InvalidArguments, ValueError."""
    from kubesteward_tools.plans.files import gather

    asked = _actions(options)
    if len(asked) != 1:
        named = f"{', '.join(_option(name) for name in asked)} are" if asked else "nothing is"
        raise ValueError(f"give one change, as -f, --scale, --image, --patch or --delete ({named} given).")
    (action,) = asked
    if action in _FAILURES:
        return _failing(options, action)
    if action != "filename":
        return _proposal(options, action)
    if options.target:
        raise ValueError(f"-f takes no object beside it ({options.target[0]!r}). To give several files, repeat -f.")
    _hint_at_terminal(options.filename)
    return gather(options.filename, sys.stdin.buffer, recursive=options.recursive)


_ON_TARGET = {"scale": "scale", "image": "set_image", "patch": "patch"}
_ON_NAMED = ("restart", "delete", "evict", "drain", "cordon", "uncordon")
_FAILURES: dict[str, Literal["node", "zone"]] = {"fail_node": "node", "fail_zone": "zone"}


def _actions(options: Namespace) -> list[str]:
    return [name for name in ("filename", *_ON_TARGET, *_ON_NAMED, *_FAILURES) if getattr(options, name) is not None]


def _option(name: str) -> str:
    return f"--{name.replace('_', '-')}"


def _failing(options: Namespace, action: str) -> Failing:
    value = getattr(options, action)
    if options.target:
        raise ValueError(f"{_option(action)} {value} takes no object beside it ({options.target[0]!r}).")
    return Failing(_FAILURES[action], value)


def _hint_at_terminal(names: list[str]) -> None:
    if "-" in names and sys.stdin.isatty():
        print("Reading manifests from the terminal; end with Ctrl-D.", file=sys.stderr)  # noqa: T201 - the terminal


def _proposal(options: Namespace, action: str) -> Proposal:
    from kubesteward_tools.lookup.targets import parse
    from kubesteward_tools.proposals.proposal import Proposal

    value = getattr(options, action)
    if action in _ON_TARGET:
        target = "/".join(options.target)
        if not target:
            hint = " Put --from-cluster behind it." if options.from_cluster else ""
            raise ValueError(f"--{action} needs an object: kind/name, such as deployment/web.{hint}")
    elif options.target:
        raise ValueError(f"--{action} {value} takes no object beside it ({options.target[0]!r}).")
    else:
        target = value
    if action != "patch" and options.type is not None:
        raise ValueError("--type belongs to --patch.")
    kind, name = parse(target, "Pod" if action == "evict" else "Node" if action in _ON_NAMED[3:] else "")
    if not kind:
        raise ValueError(f"{target!r} is of no kind. Write kind/name, such as deployment/{target}.")
    return Proposal(_ON_TARGET.get(action, action), kind, name, options.namespace, _params(options, action, value))


def _params(options: Namespace, action: str, value: Any) -> dict[str, Any] | None:
    if action == "scale":
        return {"replicas": value}
    if action == "image":
        container, _, image = value.rpartition("=")
        return {"image": image, **({"container": container} if container else {})}
    if action == "drain":
        return {"force": True, "delete_emptydir_data": True}  # nothing is lost by asking
    if action == "patch":
        text = sys.stdin.read(2_000_000) if value == "-" else value
        return {"patch": text, "patch_type": options.type or "strategic"}
    return None


async def _prepare(
    clusters: Clusters, asked: list[Document] | Proposal | Failing, namespace: str, *, whole: bool
) -> tuple[Prepared | Supposed, str]:
    from kubesteward_tools.plans.plan import prepare
    from kubesteward_tools.plans.supposed import suppose

    try:
        world = await clusters.world()
        if isinstance(asked, Failing):
            return await suppose(world, asked.what, asked.name, time.time(), whole=whole), world.cluster
        plan = await _plan(world, asked, namespace, clusters.homes.get(world.cluster, ""))
        return await prepare(world, plan, time.time(), whole=whole), world.cluster
    finally:
        await clusters.close()


async def _plan(world: World, asked: list[Document] | Proposal, namespace: str, home: str) -> Plan:
    from kubesteward_tools.plans.plan import Plan, of_manifests
    from kubesteward_tools.proposals.proposal import change_for

    if isinstance(asked, list):
        return await of_manifests(world, asked, namespace, home)
    return Plan(await change_for(world, asked, time.time()))
