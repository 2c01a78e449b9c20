"""What a terminal or a pipe is shown while an investigation goes on. Whoever stops reading ends nothing by it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import typer

from kubesteward.cli.answers import safe

if TYPE_CHECKING:
    from rich.text import Text
    from rich.tree import Tree

    from kubesteward.app import App
    from kubesteward.reasoning.loop.state import Investigation

_QUIET = frozenset({"text"})
_URGENT = frozenset({"waiting", "brain", "budget"})
"""What nobody should have to wonder about while waiting for an answer alone."""
_LONGEST = 240


class Lines:
    """One line for each step, for pipes and logs; beside a record in JSON they go to standard error. Of a countdown
    a pipe gets the first line, and a terminal one line that is written over.
    """

    def __init__(self, *, to_stderr: bool = False, urgent: bool = False) -> None:
        self._to_stderr = to_stderr
        self._urgent = urgent
        self._over = (sys.stderr if to_stderr else sys.stdout).isatty()
        self._counted = ""
        self.name = ""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *_: object) -> None:
        if self._counted and self._over:
            self._say("")

    def tell(self, step: str, text: str) -> None:
        if step in _QUIET or (self._urgent and step not in _URGENT):
            return
        line = safe(f"{step}: {' '.join(text.split())}"[:_LONGEST])
        awaited = text.partition(" until ")[2] if step == "waiting" else ""
        again, self._counted = bool(awaited) and awaited == self._counted, awaited
        if awaited and self._over:
            import shutil

            self._say(f"\r\x1b[2K{line[: shutil.get_terminal_size().columns - 1]}", end="")
        elif not again:
            self._say(line)

    def _say(self, line: str, end: str = "\n") -> None:
        """What nobody reads any more, as behind `| head`, is not said, and the investigation goes on."""
        import contextlib

        with contextlib.suppress(BrokenPipeError):
            typer.echo(f"{line}{end}", nl=False, err=self._to_stderr)


class Live:
    """A tree of hypotheses that grows as evidence comes in."""

    def __init__(self, app: App) -> None:
        from rich.live import Live as Drawn

        self._app = app
        self._live = Drawn(refresh_per_second=8)
        self._last = ""
        self.name = ""

    def __enter__(self) -> Live:
        self._live.__enter__()
        return self

    def __exit__(self, *given: Any) -> None:
        self._live.__exit__(*given)

    def tell(self, step: str, text: str) -> None:
        if step not in _QUIET:
            self._last = "" if step == "end" else f"{step}: {text}"
        if self.name:
            self._live.update(tree(self._app.investigator.state(self.name), self._last))


def tree(state: Investigation, last: str) -> Tree:
    """What is supposed, and what speaks for and against it, a line each. Text of a cluster is shown as it is, not as
    markup and not as commands to the terminal.
    """
    from rich.tree import Tree

    top = Tree(_line(f"{state.question} [{state.phase or state.status}]", "bold"))
    marks = {"supports": ("+", "green"), "refutes": ("-", "red"), "neutral": ("·", "dim")}
    for item in sorted(state.hypotheses, key=lambda one: -one.standing):
        about = f" of {item.culprit}" if item.culprit else ""
        branch = top.add(_line(f"{item.standing:.2f} {item.category}{about}: {item.because}"))
        for found in [one for one in state.evidence if one.hypothesis == item.id][-4:]:
            mark, style = marks[found.verdict]
            branch.add(_line(f"{mark} {found.tool}: {found.says}", style))
    if last:
        top.add(_line(last, "italic"))
    return top


def _line(text: str, style: str = "") -> Text:
    from rich.text import Text

    from kubesteward_tools.text.fence import clean

    return Text(" ".join(clean(text, 1000).split()), style, no_wrap=True, overflow="ellipsis")
