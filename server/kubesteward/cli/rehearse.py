"""`kubesteward rehearse`: plays cases (a recorded state of a cluster, and changes to it) on the twin, one line each."""

from __future__ import annotations

import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Executor
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO, Annotated, NamedTuple

import typer

from kubesteward.cli.exits import FAILED, one_sentence

_AHEAD = 4
"""Cases that wait for each process. What is under way is bounded, however long the file is."""


class _Played(NamedTuple):
    """`text` is the prediction's line, "" where there is none; `trouble` is a sentence, "" where there is none."""

    number: int
    text: str
    trouble: str


def rehearse(
    cases: Annotated[Path, typer.Option(help="JSON lines with id, before.objects and mutation; .gz is read as such")],
    out: Annotated[Path, typer.Option(help="where the predictions go: {id, responses, summary}, a line for each case")],
    jobs: Annotated[int, typer.Option(min=1, max=64, help="processes that share the work")] = 1,
) -> None:
    """Predict on the twin what recorded changes lead to, with no cluster at hand. Lines that are no case are named."""
    troubles = 0
    with one_sentence(), ExitStack() as stack:
        if out.exists() and cases.exists() and out.samefile(cases):
            raise ValueError(f"{out} holds the cases. Give another file for the predictions.")
        lines = _whole(cases, stack.enter_context(_opened(cases, "rt")))
        written = stack.enter_context(_opened(out, "wt"))
        for played in _play_all(lines, jobs, stack):
            if played.text:
                written.write(played.text + "\n")
            if played.trouble:
                troubles += 1
                typer.echo(f"{cases}, line {played.number}: {played.trouble}", err=True)
    if troubles:
        raise typer.Exit(FAILED)


def _opened(path: Path, mode: str) -> IO[str]:
    """Raises OSError, which names the file."""
    if path.suffix == ".gz":
        return gzip.open(path, mode, encoding="utf-8")  # type: ignore[return-value]  # text modes give text
    return path.open(mode, encoding="utf-8")


def _whole(path: Path, lines: Iterable[str]) -> Iterator[str]:
    """Raises ValueError where a compressed file is cut off or damaged."""
    try:
        yield from lines
    except (EOFError, zlib.error):
        raise ValueError(f"{path} is damaged or not whole. Copy it again.") from None


def _play_all(lines: Iterable[str], jobs: int, stack: ExitStack) -> Iterator[_Played]:
    """In the order of the lines, whoever is done first."""
    numbered = ((number, line) for number, line in enumerate(lines, 1) if line.strip())
    if jobs == 1:
        yield from (_play(number, line) for number, line in numbered)
        return
    from concurrent.futures import ProcessPoolExecutor

    yield from _shared_out(numbered, jobs, stack.enter_context(ProcessPoolExecutor(jobs)))


def _shared_out(numbered: Iterator[tuple[int, str]], jobs: int, pool: Executor) -> Iterator[_Played]:
    waiting = deque(pool.submit(_play, *item) for item in islice(numbered, jobs * _AHEAD))
    while waiting:
        yield waiting.popleft().result()
        if (item := next(numbered, None)) is not None:
            waiting.append(pool.submit(_play, *item))


def _play(number: int, line: str) -> _Played:
    """A case that cannot be played is answered by "unknown", so that each case has a prediction."""
    from kubesteward_tools.errors import InvalidArguments
    from kubesteward_tools.twin.cases.case import read
    from kubesteward_tools.twin.cases.predict import predict

    try:
        case = read(line)
    except InvalidArguments as error:
        return _Played(number, "", str(error))
    try:
        return _Played(number, json.dumps(predict(case), separators=(",", ":")), "")
    except Exception as error:  # noqa: BLE001 - whatever one line holds, the others are played, and it is not called safe
        reason = f"it could not be played: {type(error).__name__}: {error}"
        unknown = {"id": case.id, "responses": [], "summary": {"unsafe": None, "unknown": [reason]}}
        why = f"case {case.id!r} could not be played, look at its objects: {type(error).__name__}: {error}."
        return _Played(number, json.dumps(unknown, separators=(",", ":")), why)
