"""`kubesteward check`: manifests or a cluster against the shipped checks, for people and pipelines.

Parsed with argparse, as `simulate` is: a pipeline tells findings from failures by the exit code.
"""

from __future__ import annotations

import asyncio
import json
import sys
from argparse import Namespace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kubesteward.cli.exits import FAILED, OK, one_sentence
from kubesteward.cli.pages import show, write
from kubesteward.cli.places import Parser, add_embedded, add_kubeconfig

if TYPE_CHECKING:
    from kubesteward_tools.checks.inventory import Inventory
    from kubesteward_tools.checks.run import Asked, Report

FOUND = 2
"""Something at or above `--fail-on` is open."""
FORMS = ("text", "json", "sarif", "junit")
DESCRIPTION = """\
Check manifests or a cluster for security, reliability and upgrades.
Nothing is changed."""
EPILOG = """\
exit codes: 0 nothing at or above --fail-on; 2 findings; 1 it could not be
checked, or the command line is wrong; 130 interrupted.

  kubectl kustomize deploy | kubesteward check -
  kubesteward check deploy/ --framework cis --framework nsa -o sarif --out check.sarif
  kubesteward check --cluster --target-version 1.36 --min-severity high

An object accepts a finding with the annotation
ignore.checks.kubesteward.dev/CHECK: why it is accepted."""


def parser() -> Parser:
    made = Parser("check", DESCRIPTION, EPILOG, wrong=FAILED)  # 2 means findings here
    _add_subjects(made.add_argument_group("what is checked (one of these)"))
    _add_choices(made.add_argument_group("which checks"))
    group = made.add_argument_group("the report")
    group.add_argument("-o", "--output", choices=FORMS, default="text")
    group.add_argument("--json", action="store_const", const="json", dest="output", help="the same as -o json")
    group.add_argument("--out", type=Path, metavar="FILE", help="write it there, not to standard output")
    severities = ["low", "medium", "high", "critical"]
    group.add_argument("--min-severity", choices=severities, default="low", help="leave out what is milder (low)")
    group.add_argument("--fail-on", choices=[*severities, "never"], default="medium", help="exits with 2 (medium)")
    return made


def _add_subjects(group: Any) -> None:
    group.add_argument("files", nargs="*", metavar="FILE", help="manifests, folders of them, - for standard input")
    words = "a live cluster, only read (the current context)"
    group.add_argument("--cluster", "--context", metavar="CONTEXT", nargs="?", const="", help=words)
    group.add_argument("--bundle", type=Path, metavar="PATH", help="saved output of `kubectl get -o yaml`")
    add_embedded(group)
    group.add_argument("-n", "--namespace", default="", help="of a cluster or bundle, only this one")
    add_kubeconfig(group)


def _add_choices(group: Any) -> None:
    group.add_argument("--framework", action="append", default=[], help="cis, nsa, mitre, pss or kubescape; repeatable")
    group.add_argument("--check", action="append", default=[], metavar="CHECK", help="only this one; repeatable")
    group.add_argument(
        "--ignore", action="append", default=[], metavar="CHECK=REASON", help="accept what it finds; repeatable"
    )
    group.add_argument("--target-version", metavar="1.N", help="Kubernetes to judge API versions by (the cluster's)")
    group.add_argument("--settings", type=Path, metavar="FILE", help="YAML: parameters by check")
    group.add_argument("--list", action="store_true", help="list the checks there are")


def check(arguments: list[str]) -> None:
    """Exits with 0, 2, or with a code of `exits`."""
    made = parser()
    options = made.parse_args(arguments)
    options.failed = False
    with one_sentence():
        code = _listed(options) if options.list else _run(options)
    raise SystemExit(code)


def _run(options: Namespace) -> int:
    from kubesteward_policies.check import Severity
    from kubesteward_tools.checks.asking import above, asked
    from kubesteward_tools.checks.run import run
    from kubesteward_tools.checks.sources import subjects_in

    wanted = asked(options.framework, options.check, options.ignore, options.target_version, options.settings)
    inventory, wanted = _inventory(options, wanted)
    about = subjects_in(inventory, options.namespace)
    report = above(run(inventory, wanted, about=about), Severity(options.min_severity))
    for problem in report.problems:
        print(f"kubesteward: {problem}", file=sys.stderr)  # noqa: T201 - beside the report
    grave = options.fail_on != "never" and any(
        item.severity.rank >= Severity(options.fail_on).rank for item in report.open
    )
    code = FOUND if grave else FAILED if options.failed or report.problems else OK
    _write(_rendered(report, options.output, code), options.out, folded=options.output == "text")
    return code


def _inventory(options: Namespace, wanted: Asked) -> tuple[Inventory, Asked]:
    """What to check, and the checks with the cluster's own version where none was given."""
    states = [options.cluster, options.bundle, options.embedded]
    if bool(options.files) + sum(item is not None for item in states) != 1:
        raise ValueError("give either FILEs, --cluster, --bundle or --embedded.")
    if options.files and options.namespace:
        raise ValueError("--namespace belongs to --cluster, --bundle and --embedded.")
    if not options.files:
        return asyncio.run(_of_state(options, wanted))
    return _of_files(options), wanted


def _of_files(options: Namespace) -> Inventory:
    """A folder may hold other files than manifests; what is meant as one and cannot be read is a failure."""
    from kubesteward_tools.checks.sources import of_files

    inventory, problems, passed = of_files(options.files, sys.stdin.buffer)
    for sentence in passed:
        print(f"kubesteward: passed over: {sentence}", file=sys.stderr)  # noqa: T201 - beside the report
    for sentence in problems:
        print(f"kubesteward: {sentence}", file=sys.stderr)  # noqa: T201 - beside the report
    options.failed = bool(problems)
    return inventory


async def _of_state(options: Namespace, wanted: Asked) -> tuple[Inventory, Asked]:
    from dataclasses import replace

    from kubesteward.cli.states import State
    from kubesteward_tools.checks.asking import minor_of
    from kubesteward_tools.checks.sources import of_world
    from kubesteward_tools.lookup.scope import check_shown
    from kubesteward_tools.lookup.targets import check_namespace

    async with State(options.cluster, options.bundle, options.embedded, options.kubeconfig).world() as world:
        await check_namespace(world, options.namespace)
        inventory, missed = await of_world(world, options.namespace)
        if missed and not inventory.subjects:
            check_shown(world, "pods", options.namespace)
        for sentence in missed:
            print(f"kubesteward: not seen: {sentence}", file=sys.stderr)  # noqa: T201 - beside the report
        target = wanted.target or minor_of(await world.version())
        return inventory, replace(wanted, target=target)


def _rendered(report: Report, form: str, code: int) -> str:
    from kubesteward import __version__
    from kubesteward_tools.checks.reports import data, junit, sarif, text
    from kubesteward_tools.pictures.sarif import render

    if form == "json":
        return json.dumps([data.finding(item) for item in report.outcomes], indent=2, ensure_ascii=False) + "\n"
    if form == "sarif":
        return render(sarif.log(report, __version__, code))
    if form == "junit":
        return junit.render(report)
    return text.render(report) + "\n"


def _write(text: str, path: Path | None, *, folded: bool = False) -> None:
    if path is not None:
        path.write_text(text, "utf-8")
        return
    if folded:
        show(text.rstrip("\n").split("\n"))
    else:
        write(text.rstrip("\n"))


def _listed(options: Namespace) -> int:
    """Every check, or those of the frameworks asked for."""
    from kubesteward_tools.checks.run import catalogue

    chosen = [item for item in catalogue() if not options.framework or set(options.framework) & set(item.frameworks)]
    if options.output == "json":
        found = [
            {
                "check": item.id,
                "severity": item.severity.value,
                "title": item.title,
                "optional": item.optional or bool(item.needs),
                "params": dict(item.params),
                "controls": {key: list(value) for key, value in item.frameworks.items()},
            }
            for item in chosen
        ]
        _write(json.dumps(found, indent=2) + "\n", options.out)
    else:
        lines = [f"{item.severity.value:<8} {item.id:<32} {item.title}" for item in chosen]
        _write("\n".join([*lines, f"{len(chosen)} checks."]) + "\n", options.out)
    return OK
