"""What `simulate` writes: one report on standard output or into a file, and as many others as are asked for."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kubesteward.cli.exits import complain
from kubesteward.cli.pages import write

if TYPE_CHECKING:
    from kubesteward_tools.pictures.page import Line
    from kubesteward_tools.plans.plan import Plan
    from kubesteward_tools.twin.rehearsal import Rehearsal

FORMATS = ("text", "json", "markdown", "sarif", "svg")
_COLOURS = {
    "safe": "bold green",
    "warn": "yellow",
    "blocked": "bold red",
    "unknown": "bold magenta",
    "head": "bold",
    "plain": "",
    "dim": "dim",
}


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it, and what it came of: a plan, or None for a mere question. `summary` is without secrets."""

    rehearsal: Rehearsal
    plan: Plan | None
    summary: str
    cluster: str
    exit_code: int

    def rendered(self, form: str) -> str:
        """The report in one of FORMATS."""
        from kubesteward_tools.pictures import markdown, svg

        if form == "json":
            return self.rehearsal.model_dump_json(indent=2) + "\n"
        if form == "markdown":
            return markdown.report(self.rehearsal, self.summary, self.cluster)
        if form == "svg":
            return svg.picture(self.rehearsal, self.summary)
        if form == "sarif":
            return self._sarif()
        return "\n".join(item.text for item in self._page()) + "\n"

    def _sarif(self) -> str:
        from kubesteward import __version__
        from kubesteward_tools.pictures import sarif
        from kubesteward_tools.plans.places import place

        plan = self.plan
        located = lambda concern: place(plan, concern) if plan else None  # noqa: E731 - the plan is all it adds
        return sarif.render(sarif.log(self.rehearsal, self.summary, __version__, self.exit_code, located))

    def _page(self) -> Sequence[Line]:
        from kubesteward_tools.pictures.page import page

        return page(self.rehearsal, self.summary, self.cluster)

    def show(self, form: str) -> None:
        """Print it; a terminal gets colours. Where nobody reads to the end, nothing is said."""
        try:
            if form == "text" and sys.stdout.isatty():
                self._coloured()
            else:
                write(self.rendered(form).removesuffix("\n"))
        except BrokenPipeError as error:
            complain(error)

    def _coloured(self) -> None:
        """rich minds NO_COLOR and TERM."""
        from rich.console import Console
        from rich.text import Text

        console = Console(highlight=False, soft_wrap=True)
        for item in self._page():
            console.print(Text(item.text, style=_COLOURS[item.style]))

    def save(self, form: str, path: Path) -> None:
        """Raises OSError, which names the file."""
        path.write_text(self.rendered(form), "utf-8")


def check(outputs: Sequence[Path], inputs: Sequence[str]) -> None:
    """Raises ValueError where an output would overwrite an input, or another output."""
    taken = {os.path.realpath(name) for name in inputs}
    for path in outputs:
        place = os.path.realpath(path)
        if place in taken and place != os.devnull:
            raise ValueError(f"{path} is used twice. Give each output a file of its own.")
        if not path.parent.is_dir():
            raise ValueError(f"there is no folder {str(path.parent)!r} to write {path.name} into.")
        taken.add(place)
