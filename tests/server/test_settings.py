"""Settings come from the environment and the command line, and faults name where they came from."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from kubesteward.settings import Settings, data_dir
from kubesteward_tools.errors import InvalidArguments


def test_the_defaults_observe_only() -> None:
    found = Settings.load({})

    assert (found.autonomy, found.read_only, found.http_host, found.http_token) == (1, False, "127.0.0.1", "")


def test_the_command_line_wins_over_the_environment() -> None:
    found = Settings.load({"KUBESTEWARD_AUTONOMY": "3", "KUBESTEWARD_READ_ONLY": "true"}, autonomy=2)

    assert (found.autonomy, found.read_only) == (2, True)


def test_lists_are_separated_by_commas() -> None:
    found = Settings.load({"KUBESTEWARD_HTTP_ALLOWED_HOSTS": "a.example, b.example"})

    assert found.http_allowed_hosts == ("a.example", "b.example")


def test_a_fault_names_the_variable_and_not_the_value() -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_HTTP_PORT") as refused:
        Settings.load({"KUBESTEWARD_HTTP_PORT": "hunter2"})

    assert "hunter2" not in str(refused.value)


def test_settings_are_frozen_and_show_no_token() -> None:
    found = Settings.load({"KUBESTEWARD_HTTP_TOKEN": "hunter2"})
    with pytest.raises(ValidationError):
        found.autonomy = 4  # type: ignore[misc]  # that is the point

    assert "hunter2" not in repr(found)


def test_the_address_and_token_of_prometheus_are_shown_nowhere() -> None:
    environment = {
        "KUBESTEWARD_PROMETHEUS_URL": "https://user:hunter2@p.example",
        "KUBESTEWARD_PROMETHEUS_TOKEN": "hunter2",
    }

    assert "hunter2" not in repr(Settings.load(environment))
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_PROMETHEUS_URL") as refused:
        Settings.load({"KUBESTEWARD_PROMETHEUS_URL": "user:hunter2@p.example"})
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("platform", "environment", "expected"),
    [
        ("linux", {"XDG_DATA_HOME": "/data"}, Path("/data/kubesteward")),
        ("linux", {}, Path.home() / ".local/share/kubesteward"),
        ("darwin", {}, Path.home() / "Library/Application Support/kubesteward"),
        ("win32", {"LOCALAPPDATA": "/local"}, Path("/local/kubesteward")),
    ],
)
def test_the_data_directory_is_the_platforms(platform: str, environment: dict[str, str], expected: Path) -> None:
    assert expected == data_dir(environment, platform)


def test_every_setting_says_what_it_is() -> None:
    assert [name for name, field in Settings.model_fields.items() if not field.description] == []


@pytest.mark.parametrize("pattern", ["* -h", "cat 'open", "c*t /etc/hosts"])
def test_a_command_that_names_no_program_is_refused_at_the_start(pattern: str) -> None:
    with pytest.raises(InvalidArguments, match="KUBESTEWARD_EXEC_COMMANDS"):
        Settings.load({"KUBESTEWARD_EXEC_COMMANDS": f"df -h, {pattern}"})


def test_commands_are_listed_with_commas() -> None:
    found = Settings.load({"KUBESTEWARD_EXEC_COMMANDS": "cat /etc/resolv.conf, ps *"})

    assert found.exec_commands == ("cat /etc/resolv.conf", "ps *")
