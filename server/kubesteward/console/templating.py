"""The templates, with escaping always on and nothing undefined overlooked."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward.console import shown
from kubesteward_tools.pictures.markdown import meaning
from kubesteward_tools.pictures.scenes import pods

if TYPE_CHECKING:
    from jinja2 import Environment

_HERE = Path(__file__).parent


def environment(base: str) -> Environment:
    """`base` is the path under which everything of the page is."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    made = Environment(
        loader=FileSystemLoader(_HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters |= {"line": shown.line, "lines": shown.lines, "moment": shown.moment, "span": shown.span}
    made.globals |= {
        "base": base,
        "words": shown.WORDS,
        "decisions": shown.DECISIONS,
        "severities": shown.SEVERITIES,
        "meaning": meaning,
        "pods": pods,
    }
    return made


def asset(name: str) -> str:
    return (_HERE / "static" / name).read_text(encoding="utf-8")
