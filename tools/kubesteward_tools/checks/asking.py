"""What somebody asks for, from words to what `run` takes; and what of the answer they want to see."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from kubesteward_policies.check import FRAMEWORKS, Severity
from kubesteward_tools.checks.ignoring import is_reason
from kubesteward_tools.checks.run import Asked, Report, catalogue
from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.lookup.targets import near_names


def asked(
    frameworks: Iterable[str] = (),
    only: Iterable[str] = (),
    ignored: Iterable[str] = (),
    target: str | None = None,
    settings: Path | None = None,
) -> Asked:
    """`ignored` are "CHECK=REASON", `target` is "1.33", `settings` a YAML file of parameters by check.

    Raises:
        InvalidArguments: a name is none of ours, a reason is missing, or the version cannot be read.
    """
    names = [name.strip().lower() for item in frameworks for name in item.split(",")]
    for name in names:
        if name not in FRAMEWORKS:
            raise InvalidArguments(f"there is no framework {name[:40]!r}.", todo=f"There are {', '.join(FRAMEWORKS)}.")
    minor = minor_of(target) if target else None
    if target and minor is None:
        raise InvalidArguments(f"{target[:20]!r} is no version of Kubernetes.", todo="Write it as 1.33.")
    reasons = dict(map(_reason, ignored))
    params = _params(settings) if settings else {}
    chosen = frozenset(only)
    _check_names([*chosen, *reasons, *params])
    return Asked(frozenset(names), chosen, reasons, minor, params)


def minor_of(version: str) -> int | None:
    """33 of "v1.33.2-gke.100"; None for what is no version."""
    found = re.match(r"v?1\.(\d+)", version.strip())
    return int(found[1]) if found else None


def _reason(item: str) -> tuple[str, str]:
    name, _, reason = item.partition("=")
    if not is_reason(reason.strip()):
        raise InvalidArguments(f"why is {name[:60]!r} ignored?", todo="Write CHECK=REASON, and why in a few words.")
    return name.strip(), reason.strip()


def _params(path: Path) -> Mapping[str, Mapping[str, Any]]:
    import yaml

    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InvalidArguments(f"{path}: no YAML: {' '.join(str(error).split())[:200]}") from None
    if not isinstance(found, dict) or not all(isinstance(item, dict) for item in found.values()):
        raise InvalidArguments(f"{path}: it is no mapping of checks to their parameters.")
    return {str(name): item for name, item in found.items()}


def _check_names(names: Iterable[str]) -> None:
    known = [item.id for item in catalogue()]
    for name in names:
        if name not in known:
            near = near_names(name, known)
            todo = f"Did you mean {' or '.join(near)}?" if near else "`kubesteward check --list` names them."
            raise InvalidArguments(f"there is no check {name[:60]!r}.", todo=todo)


def above(report: Report, least: Severity) -> Report:
    """Without what is milder."""
    return replace(report, outcomes=tuple(item for item in report.outcomes if item.severity.rank >= least.rank))
