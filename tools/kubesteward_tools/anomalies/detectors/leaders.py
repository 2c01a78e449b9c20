"""Controllers that lose the lead again and again: they restart, or cannot renew their lease in time."""

from __future__ import annotations

from collections.abc import Iterator

from kubesteward_tools.anomalies.anomaly import Anomaly, scored
from kubesteward_tools.anomalies.happened import within
from kubesteward_tools.anomalies.view import View
from kubesteward_tools.diagnosis.reading import count
from kubesteward_tools.text.ages import ago
from kubesteward_tools.world.store import Key

_TAKEN = 3
"""Times an hour: a rollout of a controller takes the lead once or twice."""


def find(view: View) -> Iterator[Anomaly]:
    leads: dict[Key, list[tuple[int, float, str]]] = {}
    for event in view.normal:
        if event.reason == "LeaderElection" and "became leader" in event.message:
            who = event.message.partition(" ")[0]
            leads.setdefault(event.about, []).append((within(event, view.since), event.last, who))
    least = view.threshold(_TAKEN)
    for lease, taken in sorted(leads.items()):
        times = sum(number for number, _, _ in taken)
        if times >= least:
            last, holder = max((last, who) for _, last, who in taken)
            holders = len({who for _, _, who in taken})
            sentence = (
                f"the lead was taken {times} times within {ago(view.window)} by {count(holders, 'holder')}, last "
                f"{ago(view.now - last)} ago by {holder}: whoever holds it restarts, or does not reach the API server "
                "in time"
            )
            numbers = {"taken": times, "threshold": least, "holders": holders}
            yield Anomaly("leaders.lost", "warning", lease, sentence, scored(times / least), numbers)
