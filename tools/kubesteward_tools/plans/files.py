"""Where manifests are read from: files, folders and standard input, with bounds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from kubesteward_tools.errors import InvalidArguments
from kubesteward_tools.plans.documents import Document, Reading

STDIN = "-"
MOST_BYTES = 32 * 2**20
MOST_OBJECTS = 2000
_SUFFIXES = {".json", ".yaml", ".yml"}
_PROBLEMS_SHOWN = 20
_RENDERED = {
    "kustomization.yaml": "kubectl kustomize {0}",
    "kustomization.yml": "kubectl kustomize {0}",
    "Chart.yaml": "helm template {0}",
}


def gather(paths: Sequence[str], stdin: BinaryIO, *, recursive: bool = False) -> list[Document]:
    """Every object of these files and folders, in the order given; of a folder in the order of file names.

    Raises:
        InvalidArguments: something is no object, cannot be read, is too much, or nothing is there; all that is wrong
        is said at once.
    """
    reading = read(paths, stdin, Reading(), recursive=recursive)
    _check(reading)
    return reading.documents


def read(paths: Sequence[str], stdin: BinaryIO, reading: Reading, *, recursive: bool) -> Reading:
    """The same without a judgement about what is no object.

    Raises:
        InvalidArguments: something is not there, or it is too much.
    """
    room = MOST_BYTES
    for source, data in _contents(paths, stdin, recursive=recursive):
        room -= len(data)
        if room < 0:
            raise InvalidArguments(
                f"the manifests are larger than {MOST_BYTES // 2**20} MiB.", todo="Give fewer at a time."
            )
        try:
            reading.add(source, data.decode("utf-8-sig"))
        except UnicodeDecodeError:
            reading.problems.append(f"{source}: this is no UTF-8 text.")
    return reading


def _check(reading: Reading) -> None:
    if reading.problems:
        more = len(reading.problems) - _PROBLEMS_SHOWN
        shown = reading.problems[:_PROBLEMS_SHOWN] + ([f"and {more} more."] if more > 0 else [])
        raise InvalidArguments("\n".join(shown))
    if not reading.documents:
        raise InvalidArguments("the manifests hold no object.", todo="Nothing was rehearsed.")
    if len(reading.documents) > MOST_OBJECTS:
        raise InvalidArguments(
            f"the manifests hold {len(reading.documents)} objects.", todo=f"Give at most {MOST_OBJECTS} at a time."
        )


def _contents(paths: Sequence[str], stdin: BinaryIO, *, recursive: bool) -> Iterator[tuple[str, bytes]]:
    for name in paths:
        if name == STDIN:
            yield "stdin", stdin.read(MOST_BYTES + 1)
        else:
            for file in _files(Path(name), recursive=recursive):
                with file.open("rb") as opened:
                    yield file.as_posix(), opened.read(MOST_BYTES + 1)


def _files(path: Path, *, recursive: bool) -> list[Path]:
    if not path.exists():
        raise InvalidArguments(f"there is no file or folder {str(path)!r}.", todo="Standard input is `-`.")
    if not path.is_dir():
        return [path]
    for name, command in _RENDERED.items():
        if (path / name).is_file():
            todo = f"Render it first: {command.format(path)}, and give that on standard input, which is `-`."
            raise InvalidArguments(f"{path} has a {name}.", todo=todo)
    found = sorted(item for item in (path.rglob if recursive else path.glob)("*") if item.suffix in _SUFFIXES)
    if not found:
        deeper = not recursive and any(item.suffix in _SUFFIXES for item in path.rglob("*"))
        todo = "Sub-folders are read with -R." if deeper else "They end in .yaml, .yml or .json."
        raise InvalidArguments(f"no manifest is in {path}.", todo=todo)
    return [item for item in found if item.is_file()]
