"""Anomalies of one world, live or saved: what the detectors need is asked for, and the rest is arithmetic."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kubesteward_tools.anomalies.anomaly import Anomaly
from kubesteward_tools.anomalies.detectors.usual import middle
from kubesteward_tools.anomalies.find import Report, find
from kubesteward_tools.anomalies.reading import read
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.gathering import RESOURCES
from kubesteward_tools.diagnosis.reading import kind_of
from kubesteward_tools.errors import SteadyError
from kubesteward_tools.lookup import targets
from kubesteward_tools.lookup.moments import moment
from kubesteward_tools.lookup.scope import check_shown
from kubesteward_tools.overlay.lately import changes
from kubesteward_tools.overlay.subject import Subject, of_object
from kubesteward_tools.world.metrics.baselines import Moments
from kubesteward_tools.world.store import Key

if TYPE_CHECKING:
    from kubesteward_tools.world.world import World

LOOKED_AT = (*RESOURCES, "certificatesigningrequests.certificates.k8s.io")
_CERTIFICATES = frozenset({"certificates", "certificaterequests"})
"""Custom resources that everybody waits for without looking at them; others are looked at where somebody else does."""
_NAMED = ("namespaces", "deployments.apps", "statefulsets.apps", "daemonsets.apps", "cronjobs.batch", "jobs.batch",
          "nodes", "services", "pods")  # fmt: skip
"""What a name without a kind may be, in this order."""


@dataclass(frozen=True, slots=True)
class Answered:
    """`report` is of the `window` (seconds) that ends at `now` (epoch seconds). `changed` says of objects, by their
    names in lower case, what was changed lately and by whom.
    """

    report: Report
    now: float
    window: float
    changed: Mapping[tuple[str, ...], str]
    subject: Subject

    @property
    def narrow(self) -> bool:
        """Whether an object or a namespace was asked about, and not everything."""
        return self.subject.start is not None or bool(self.subject.namespace)

    def change(self, anomaly: Anomaly) -> str:
        """What was changed at its object lately, "" where nothing was."""
        return self.changed.get(_name(anomaly.key), "")


async def ask(world: World, now: float, *, target: str = "", namespace: str = "", window: float = 3600.0) -> Answered:
    """What is strange about `target` (kind/name; "": everything in the namespace, or in the cluster).

    Raises:
        SteadyError: the target or the namespace is not there, pods may not be seen, or the cluster does not answer.
    """
    await world.ensure(*_wanted(world), namespace=namespace)
    subject = await _subject(world, target, namespace)
    check_shown(world, "pods", subject.namespace)
    at = await asyncio.to_thread(moment, world, now)  # of a bundle all times are read
    sampled = world.telemetry.begin(subject.namespace)
    lately = {tuple(sign.object.lower().split("/")): sign.detail for sign in changes(world, subject, at)}
    view = View(
        world.store.fork(),
        world.graph,
        at,
        window,
        subject=subject,
        history=world.history,
        watched=world.watched_since("pods"),
        measured=sampled,
        samples=world.telemetry.samples,
        usual=dict(_usual(world, middle(at, window))),
    )
    families = await asyncio.to_thread(lambda: list(view.families))
    view.logs = await read(world, view, {key for key in families if _name(key) in lately})
    if not world.writable:
        view.move(min(now, max((log.lines[-1].at for log in view.logs if log.lines), default=0.0)))
    return Answered(await asyncio.to_thread(find, view), view.now, window, lately, subject)


def _wanted(world: World) -> Iterator[str]:
    served = {kind.resource for kind in world.kinds.all()}
    yield from (resource for resource in LOOKED_AT if resource in served)
    yield from sorted(item for item in served if item.partition(".")[0] in _CERTIFICATES)


async def _subject(world: World, target: str, namespace: str) -> Subject:
    """A word alone is a namespace, or the name of something that has pods or carries them."""
    kind, name = targets.parse(target, "") if target else ("", "")
    if name and not kind:
        there = [item for item in _NAMED if _is_there(world, item, name, namespace)]
        kind = there[0] if there else _NAMED[1]
    if name:
        return of_object(world, await targets.find(world, kind, name, namespace))
    await targets.check_namespace(world, namespace)
    return Subject(namespace=namespace)


def _is_there(world: World, resource: str, name: str, namespace: str) -> bool:
    return any(namespace in {"", space} or not space for space in world.store.spaces_with(resource, name))


def _usual(world: World, at: float) -> Iterator[tuple[str, dict[str, Moments]]]:
    for metric in ("cpu", "memory"):
        try:
            yield metric, world.telemetry.baselines.earlier(metric, at)
        except SteadyError:  # without a past nothing is called strange, and the answer says so
            yield metric, {}


def _name(key: Key) -> tuple[str, ...]:
    """`("deployment", "shop", "web")`."""
    return tuple(part.lower() for part in (kind_of(key.resource), key.namespace, key.name) if part)
