"""The embedded cluster stands in only where no cluster is named at all."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubesteward.settings import Settings
from kubesteward.standin import is_needed


def test_a_machine_without_any_configuration_needs_one(tmp_path: Path) -> None:
    assert is_needed(Settings.load({}), {}, tmp_path)


@pytest.mark.parametrize("environment", [{"KUBECONFIG": "/none"}, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"}])
def test_a_named_cluster_is_never_replaced_even_if_it_is_missing(tmp_path: Path, environment: dict[str, str]) -> None:
    assert not is_needed(Settings.load({}), environment, tmp_path)


def test_the_settings_and_kubectls_own_file_count_too(tmp_path: Path) -> None:
    config = tmp_path / ".kube" / "config"
    config.parent.mkdir()
    config.touch()

    assert not is_needed(Settings.load({}), {}, tmp_path)
    assert not is_needed(Settings.load({}, bundle=tmp_path), {}, tmp_path / "elsewhere")
    assert not is_needed(Settings.load({}, context="prod"), {}, tmp_path / "elsewhere")
