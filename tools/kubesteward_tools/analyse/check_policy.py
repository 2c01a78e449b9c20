"""Holds an object against the operator's guardrails and the shipped checks. Nothing is sent to the cluster."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field

from kubesteward_policies.tiers import Tier
from kubesteward_tools.lookup.arguments import Cluster, Namespace
from kubesteward_tools.lookup.scope import Scope, check_shown, one, unseen
from kubesteward_tools.lookup.shown import sentence, tidy
from kubesteward_tools.text.budget import cap
from kubesteward_tools.tool import Answer, Desk, tool

if TYPE_CHECKING:
    from kubesteward_policies.judge import Ruling
    from kubesteward_tools.checks.inventory import Inventory, Subject
    from kubesteward_tools.checks.run import Report
    from kubesteward_tools.world.world import World

_MOST = 25
_LONGEST = 8_000
_TEXT = 200_000
Framework = Literal["cis", "nsa", "mitre", "pss"]


@tool(Tier.ANALYSE, title="Check against policies")
async def check_policy(
    desk: Desk,
    *,
    resource: Annotated[str, Field(max_length=_TEXT, description="YAML or kind/name; default: all")] = "",
    namespace: Namespace = "",
    frameworks: Annotated[list[Framework], Field(max_length=5)] = [],  # noqa: B006 - never changed
    cluster: Cluster = "",
) -> Answer:
    """Guardrails and security, reliability, RBAC and API-version checks."""
    from kubesteward_tools.checks.asking import asked, minor_of
    from kubesteward_tools.checks.run import run
    from kubesteward_tools.lookup.targets import check_namespace

    world = await one(desk, cluster)
    if not resource:
        await check_namespace(world, namespace)
    wanted = asked(frameworks, target=f"1.{minor_of(await world.version()) or 0}")
    subjects, around, missed = await _chosen(world, resource, namespace)
    report = await asyncio.to_thread(run, around, wanted, about=subjects)
    scope = Scope([world], namespace)
    for kind in missed:
        scope.miss(world, kind)
    spoken, waiting = _guardrails(desk, world, subjects) if resource else ((), ())
    return _answer(scope, report, spoken, waiting)


async def _chosen(world: World, resource: str, namespace: str) -> tuple[list[Subject], Inventory, list[str]]:
    """What to check, what stands around it, and which kinds may not be seen.

    Raises:
        InvalidArguments, ObjectNotFound. Forbidden: nothing may be seen.
    """
    from kubesteward_tools.checks.inventory import Inventory
    from kubesteward_tools.checks.sources import LOOKED_AT, of_world, subjects_in

    given = await _given(world, resource, namespace) if resource else []
    spaces = {item.space for item in given} if given else {namespace}
    around, _ = await of_world(world, spaces.pop() if len(spaces) == 1 else "")
    missed = unseen(world, LOOKED_AT, namespace)
    if not resource:
        if missed and not around.subjects:
            check_shown(world, "pods", namespace)
        return subjects_in(around, namespace), around, missed
    places = set(map(_place, given))
    others = [item for item in around.subjects if _place(item) not in places]
    return given, Inventory([*given, *others], whole=around.whole, live=around.live), missed


async def _given(world: World, resource: str, namespace: str) -> list[Subject]:
    from kubesteward_tools.checks.inventory import Subject
    from kubesteward_tools.lookup.targets import find, parse

    if _is_text(resource):
        return _read(resource, namespace)
    found = await find(world, *parse(resource), namespace)
    return [Subject.of(found.obj, cluster=world.cluster)]


def _place(subject: Subject) -> tuple[str, str, str, str]:
    return subject.ref.group, subject.ref.kind, subject.space, subject.ref.name


def _is_text(resource: str) -> bool:
    return "\n" in resource.strip() or ":" in resource or resource.lstrip().startswith("{")


def _read(text: str, namespace: str) -> list[Subject]:
    from kubesteward_tools.checks.inventory import Subject
    from kubesteward_tools.errors import InvalidArguments
    from kubesteward_tools.plans.documents import Reading

    reading = Reading()
    reading.add("resource", text)
    if reading.problems or not reading.documents:
        raise InvalidArguments(" ".join(reading.problems[:5]) or "resource holds no object.", todo="Give one as YAML.")
    found = []
    for document in reading.documents:
        metadata = document.body["metadata"]
        named = {**metadata, "namespace": metadata.get("namespace") or namespace} if namespace else metadata
        found.append(Subject.of({**document.body, "metadata": named}))
    return found


def _guardrails(desk: Desk, world: World, subjects: list[Subject]) -> tuple[tuple[Ruling, ...], tuple[str, ...]]:
    from kubesteward_tools.checks.guardrails import rulings
    from kubesteward_tools.world.store import Key

    rules = desk.rules()
    spoken: list[Ruling] = []
    waiting: tuple[str, ...] = ()
    for subject in subjects:
        ref = subject.ref
        old = world.store.get(world.key_of(ref.group, ref.kind, subject.space, ref.name))
        space = world.store.get(Key("namespaces", "", subject.space)) if subject.space else None
        found, waiting = rulings(rules, subject, old, space, desk.now())
        spoken += found
    return tuple(spoken), waiting


def _answer(scope: Scope, report: Report, spoken: tuple[Ruling, ...], waiting: tuple[str, ...]) -> Answer:
    from kubesteward_tools.checks.reports import data, text

    lines = [*scope.lines(), *map(_told, spoken)]
    if waiting:
        lines.append(f"Judged only with a rehearsal: {', '.join(waiting)}.")
    lines.append(text.render(report, most=_MOST))
    problems = [sentence(item) for item in report.problems[:5]]
    shown = sorted(report.open, key=lambda item: -item.severity.rank)[:_MOST]
    found: dict[str, Any] = {
        "scope": scope.data(),
        "guardrails": [_ruling(item) for item in spoken],
        "counts": data.counted(report),
        "findings": [_short(data.finding(item)) for item in shown],
        "total": len(report.open),
        "problems": problems,
    }
    return Answer(cap("\n".join([*lines, *problems]), _LONGEST), tidy(found))


def _short(finding: dict[str, Any]) -> dict[str, Any]:
    return {key: finding[key] for key in ("check", "severity", "object", "message", "fix")}


def _told(ruling: Ruling) -> str:
    said = f"{sentence(ruling.message)} Fix: {sentence(ruling.remediation)}"
    return f"guardrail {ruling.effect.value:<8} {ruling.rule}: {said}"


def _ruling(ruling: Ruling) -> dict[str, str]:
    return {
        "rule": ruling.rule,
        "effect": ruling.effect.value,
        "object": sentence(ruling.target),
        "message": sentence(ruling.message),
        "fix": sentence(ruling.remediation),
        "exempted": sentence(ruling.exempted),
    }
