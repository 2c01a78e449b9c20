"""`kubesteward actions|approve|reject`: the operator's side of the gate. A model has no way to these."""

from __future__ import annotations

import getpass
import json
from pathlib import Path
from typing import Annotated, Any

import anyio
import typer

from kubesteward.cli.exits import one_sentence
from kubesteward.settings import Settings

StateDir = Annotated[Path | None, typer.Option(help="where the store is, if not in its usual place")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON")]
Comment = Annotated[str, typer.Option(help="kept with the decision in the audit log")]


def _settings(state_dir: Path | None) -> Settings:
    return Settings.load(**({"state_dir": state_dir} if state_dir else {}))
