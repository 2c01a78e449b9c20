"""Kubeconfigs for tests: JSON is YAML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def write(path: Path, servers: dict[str, str], current: str = "", **user: Any) -> Path:
    """A kubeconfig with a context for each server, all of them with the same user and the namespace "default"."""
    config = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": {"server": url}} for name, url in servers.items()],
        "users": [{"name": "me", "user": user}],
        "contexts": [
            {"name": name, "context": {"cluster": name, "user": "me", "namespace": "default"}} for name in servers
        ],
        "current-context": current or next(iter(servers), ""),
    }
    path.write_text(json.dumps(config))
    return path
