"""Controllers of the twin are asked only about the kinds that they say they hear of: that must leave nothing out."""

from __future__ import annotations

from typing import Any

import pytest

from kubesteward_tools.twin.cluster import SimulatedCluster
from kubesteward_tools.twin.engine import Engine
from kubesteward_tools.twin.resources import BUILT_IN
from kubesteward_tools.twin.route import Request
from kubesteward_tools.world.store import Event

NOW = 1_800_000_000.0
CORE, APPS, BATCH = "/api/v1/namespaces/shop", "/apis/apps/v1/namespaces/shop", "/apis/batch/v1/namespaces/shop"
POD: dict[str, Any] = {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "c", "image": "a:1"}]}}
WEB: dict[str, Any] = {"replicas": 3, "selector": {"matchLabels": {"app": "web"}}, "template": POD}
ONCE: dict[str, Any] = {"template": {"spec": {**POD["spec"], "restartPolicy": "Never"}}, "ttlSecondsAfterFinished": 1}
SELECTS: dict[str, Any] = {"selector": {"matchLabels": {"app": "web"}}}
SERVICE: dict[str, Any] = {"selector": {"app": "web"}, "ports": [{"port": 80}]}
BUDGETS = "/apis/policy/v1/namespaces/shop/poddisruptionbudgets"
WRITES: list[tuple[str, str, Any]] = [
    ("create", "/api/v1/namespaces", {"metadata": {"name": "shop"}}),
    ("create", f"{CORE}/services", {"metadata": {"name": "web"}, "spec": SERVICE}),
    ("create", f"{CORE}/resourcequotas", {"metadata": {"name": "q"}, "spec": {"hard": {"pods": "9"}}}),
    ("create", BUDGETS, {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, **SELECTS}}),
    ("create", f"{APPS}/deployments", {"metadata": {"name": "web"}, "spec": WEB}),
    ("create", f"{APPS}/daemonsets", {"metadata": {"name": "agent"}, "spec": {**SELECTS, "template": POD}}),
    ("create", f"{APPS}/statefulsets", {"metadata": {"name": "db"}, "spec": {**WEB, "serviceName": "web"}}),
    ("create", f"{BATCH}/jobs", {"metadata": {"name": "once"}, "spec": ONCE}),
    ("patch", f"{APPS}/deployments/web", {"spec": {"replicas": 5}}),
    ("patch", f"{APPS}/deployments/web", {"spec": {"template": {"metadata": {"annotations": {"again": "1"}}}}}),
    ("patch", "/api/v1/nodes/node-1", {"spec": {"unschedulable": True}}),
    ("delete", "/api/v1/nodes/node-2", None),
    ("delete", f"{APPS}/deployments/web", None),
    ("delete", "/api/v1/namespaces/shop", None),
]  # fmt: skip


def test_a_controller_that_is_not_asked_about_an_event_would_have_nothing_to_say_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    asked, passed_over = Engine._hear, set[tuple[str, str]]()

    def hear(engine: Engine, event: Event) -> None:
        if event.key.resource != "events":
            for number, controller in enumerate(engine.controllers):
                if number not in engine._listening(event):
                    passed_over.add((type(controller).__name__, event.key.resource))
                    assert not list(controller.watches(event)), (type(controller).__name__, event.type, event.key)
        asked(engine, event)

    monkeypatch.setattr(Engine, "_hear", hear)
    cluster = SimulatedCluster.new(nodes=3, now=NOW)
    for verb, path, body in WRITES:
        answer = cluster.handle(
            Request(verb, path, {}, "application/merge-patch+json" if verb == "patch" else "application/json", body)
        )
        assert answer.status < 400, answer.body
        cluster.engine.settle()
    assert len(passed_over) > 50


def test_every_kind_that_a_controller_hears_of_is_one_that_there_is() -> None:
    there = {kind.resource for kind in BUILT_IN}
    for controller in SimulatedCluster.new(nodes=1, now=NOW).engine.controllers:
        hears = getattr(controller, "hears", None)
        assert hears is None or hears._resources <= there, type(controller).__name__
