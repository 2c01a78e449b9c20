"""Asks metrics-server every half minute, from the first question about metrics until the world ends.

metrics-server knows the present only; an hour of it is remembered here, and what is usual is learnt from it. No error
ends the sampling: what went wrong is told to whoever asks, with the age of what is there.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from kubesteward_tools.errors import Forbidden, SteadyError
from kubesteward_tools.lookup.family import top_owner
from kubesteward_tools.world.metrics.baselines import Baselines
from kubesteward_tools.world.metrics.intake import METRICS, Measured, keep, measured
from kubesteward_tools.world.metrics.samples import CAPACITY, Samples, Series
from kubesteward_tools.world.store import Key, Store

log = logging.getLogger(__name__)

PERIOD = 30.0
"""Seconds. metrics-server itself looks every 15 to 60."""

SAVING = 20
"""Rounds between two savings of the baselines: ten minutes of learning may be lost with the process."""

BATCH = 200
"""Objects that are taken in one go."""

_NAMESPACE = "Namespace/"

Ask = Callable[[str, str], Awaitable[list[dict[str, Any]]]]


class Sampler:
    """`ask(plural, namespace)` lists PodMetrics or NodeMetrics; `now` is the clock and `pause` waits for seconds."""

    def __init__(
        self,
        ask: Ask,
        store: Store,
        samples: Samples,
        baselines: Baselines,
        *,
        now: Callable[[], float],
        pause: Callable[[float], Awaitable[Any]] = asyncio.sleep,
    ) -> None:
        self.failure: SteadyError | None = None
        """Why the last round got nothing."""
        self.namespaces: set[str] = set()
        """Those that were asked about: they are sampled one by one where the cluster as a whole may not be."""
        self._ask = ask
        self._store = store
        self._samples = samples
        self._baselines = baselines
        self._now = now
        self._pause = pause
        self._owners: dict[tuple[str, ...], str] = {}  # of the pods of the last round
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        """Start, unless it runs."""
        if self._task is None:
            self._task = asyncio.create_task(self._run(), name="sampler")

    async def close(self) -> None:
        """Stop, and save what was learnt. Closing twice is harmless."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})
            self._task = None
            self._save()

    async def _run(self) -> None:
        rounds = 0
        while True:
            try:
                await self.sample()
                rounds += 1
                if rounds % SAVING == 0:
                    self._save()
            except Exception:  # outermost handler of the task: an answer nobody thought of costs one round
                log.exception("a round of sampling failed")
            await self._pause(PERIOD)

    async def sample(self) -> None:
        """One round: all pods, then all nodes. A refusal is remembered in `failure`."""
        self.failure = None
        for plural, get in (("pods", self._pods), ("nodes", self._nodes)):
            try:
                await self.take(plural, await get(), whole=True)
            except SteadyError as error:
                if plural == "pods" or not isinstance(error, Forbidden):
                    self.failure = error
        self._samples.drop_before(self._now() - CAPACITY * PERIOD)

    async def _pods(self) -> list[dict[str, Any]]:
        try:
            return await self._ask("pods", "")
        except Forbidden:
            if not self.namespaces:
                raise
            parts = [await self._ask("pods", name) for name in sorted(self.namespaces)]
            return [item for part in parts for item in part]

    async def _nodes(self) -> list[dict[str, Any]]:
        return await self._ask("nodes", "")

    async def take(self, plural: str, items: Sequence[Any], *, whole: bool = False) -> list[Measured]:
        """Keep what was answered. Of a `whole` answer the sums are learnt, too, if it brought any news."""
        found: list[Measured] = []
        sums: defaultdict[tuple[str, str], float] = defaultdict(float)
        owners: dict[tuple[str, ...], str] = {}
        news = False
        for begin in range(0, len(items), BATCH):
            for item in measured(plural, items[begin : begin + BATCH], self._now()):
                found.append(item)
                news |= keep(self._samples, item)
                for subject in self._subjects(item.key, owners) if whole else ():
                    for metric in METRICS:
                        if (value := item.total(metric)) is not None:
                            sums[metric, subject] += value
            await asyncio.sleep(0)  # thousands of pods hold up nobody's answer
        if whole and plural == "pods":
            self._owners = owners
        if news:
            self._learn(sums)
        return found

    def _subjects(self, key: Key, owners: dict[tuple[str, ...], str]) -> Iterator[str]:
        """Whose sums an object is part of. Pods of one ReplicaSet have one owner: it is looked for once."""
        if key.resource == "nodes":
            yield f"Node/{key.name}"
            return
        yield _NAMESPACE + key.namespace
        facts = self._store.facts(key)
        if facts is None:
            return
        known = facts.owners or (key.namespace, key.name)
        if known not in owners:
            owners[known] = self._owners.get(known) or self._owner(key)
        yield owners[known]

    def _owner(self, key: Key) -> str:
        pod = self._store.get(key)
        return f"{key.namespace}/{top_owner(self._store, pod) if pod else f'Pod/{key.name}'}"

    def _learn(self, sums: Mapping[tuple[str, str], float]) -> None:
        now = self._now()
        for (metric, subject), value in sums.items():
            self._baselines.learn(metric, [(subject, value)], now)
            if subject.startswith(_NAMESPACE):
                key = Key("namespaces", "", subject.removeprefix(_NAMESPACE))
                self._samples.add(Series(metric, key), now, value)

    def _save(self) -> None:
        try:
            self._baselines.save()
        except SteadyError as error:
            log.warning("baselines are not saved: %s", error.message)
