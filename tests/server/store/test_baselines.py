"""What is usual survives a restart, whoever learnt it."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubesteward.store.baselines import KeptBaselines
from kubesteward.store.store import Store, StoreUnusable
from kubesteward_tools.world.metrics.baselines import Baselines

NOW = 1795222800.0


def learnt(store: Store, *values: float, cluster: str = "lab") -> Baselines:
    found = Baselines(cluster, KeptBaselines(lambda: store))
    for value in values:
        found.learn("cpu", [("shop/Deployment/web", value)], NOW)
    return found


def test_baselines_survive_a_restart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    learnt(store, 1.0, 2.0).save()
    learnt(store, 6.0).save()
    store.close()
    usual = learnt(Store.open(tmp_path)).usual("cpu", "shop/Deployment/web", NOW)

    assert (usual.count, usual.mean, usual.m2) == pytest.approx((3, 3.0, 14.0))


def test_what_was_usual_before_this_hour_is_found_for_all_subjects_at_once(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    learnt(store, 1.0, 3.0).save()
    learnt(store, 9.0, cluster="other").save()
    found = Baselines("lab", KeptBaselines(lambda: store)).earlier("cpu", NOW + 7 * 86400)

    assert {subject: (seen.count, seen.mean) for subject, seen in found.items()} == {"shop/Deployment/web": (2, 2.0)}


def test_two_processes_learn_together(tmp_path: Path) -> None:
    first, second = (learnt(Store.open(tmp_path), value) for value in (1.0, 3.0))
    first.save()
    second.save()

    assert first.usual("cpu", "shop/Deployment/web", NOW).mean == 2.0


def test_clusters_subjects_metrics_and_hours_are_kept_apart(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    learnt(store, 1.0).save()
    other = learnt(store, cluster="other").usual("cpu", "shop/Deployment/web", NOW)
    found = learnt(store)

    assert other.count == 0
    assert found.usual("memory", "shop/Deployment/web", NOW).count == 0
    assert found.usual("cpu", "shop/Deployment/api", NOW).count == 0
    assert found.usual("cpu", "shop/Deployment/web", NOW + 3600).count == 0
    assert found.usual("cpu", "shop/Deployment/web", NOW + 7 * 86400).count == 1


def test_a_store_that_cannot_be_written_loses_nothing_that_was_learnt(tmp_path: Path) -> None:
    store = Store.open(tmp_path)
    found = learnt(store, 4.0)
    store.db.execute("PRAGMA query_only = 1")
    with pytest.raises(StoreUnusable):
        found.save()
    store.db.execute("PRAGMA query_only = 0")
    found.save()

    assert learnt(store).usual("cpu", "shop/Deployment/web", NOW).mean == 4.0
