"""The catalogue as it stands, so that whoever adds a tool shows what grew."""

from __future__ import annotations

import sys
from types import ModuleType

import pytest
from inline_snapshot import snapshot

from kubesteward_tools.catalog import load_tools
from kubesteward_tools.tool import Tool


def line(tool: Tool) -> str:
    hints = [word for word in ("read_only", "destructive", "idempotent", "open_world") if getattr(tool, word)]
    return f"{int(tool.tier)} {tool.name}: {' '.join(hints)}".rstrip(": ")


def test_the_tools_are_these() -> None:
    assert [line(tool) for tool in load_tools().values()] == snapshot(
        [
            "1 cluster_overview: read_only idempotent open_world",
            "1 get_action: read_only idempotent",
            "1 get_events: read_only idempotent open_world",
            "1 get_logs: read_only idempotent open_world",
            "1 get_metrics: read_only idempotent",
            "1 get_resource_yaml: read_only idempotent open_world",
            "1 get_topology: read_only idempotent",
            "1 list_clusters: read_only idempotent",
            "1 list_resources: read_only idempotent",
            "1 what_changed: read_only idempotent open_world",
            "2 check_policy: read_only idempotent",
            "2 correlate_failures: read_only idempotent open_world",
            "2 diagnose: read_only idempotent open_world",
            "2 diff_resources: read_only idempotent open_world",
            "2 explain_permissions: read_only idempotent",
            "2 find_anomalies: read_only idempotent open_world",
            "2 forecast: read_only idempotent",
            "2 simulate_impact: read_only idempotent",
            "3 draft_recommendation",
            "3 investigate: open_world",
            "3 plan_change",
            "4 apply_manifest: destructive idempotent",
            "4 cordon_node: destructive idempotent",
            "4 delete_resource: destructive",
            "4 drain_node: destructive idempotent",
            "4 evict_pod: destructive",
            "4 exec_in_pod: destructive open_world",
            "4 execute_plan: destructive",
            "4 patch_resource: destructive",
            "4 restart_rollout: destructive",
            "4 rollback_action: destructive",
            "4 rollback_rollout: destructive",
            "4 scale_workload: destructive idempotent",
            "4 set_rollout_paused: destructive idempotent",
        ]
    )


def test_a_second_tool_of_a_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_tools()["list_clusters"]
    module = sys.modules["kubesteward_tools.observe.get_logs"]
    assert isinstance(module, ModuleType)
    other = Tool(**{name: getattr(first, name) for name in Tool.__slots__} | {"title": "Another"})
    monkeypatch.setattr(module, "another", other, raising=False)

    with pytest.raises(ValueError, match="two tools are named 'list_clusters'"):
        load_tools()
