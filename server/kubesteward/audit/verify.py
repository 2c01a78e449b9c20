"""Re-derives chain, tree and checkpoints, and names the first record and field that do not fit.

Reads only; needs no running server. What each layer finds: the chain, which record was altered; the signed checkpoints,
that a whole log was made anew or its end cut off; the anchor, that checkpoints went with it.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from kubesteward.audit.anchor import Anchor
from kubesteward.audit.chain import GENESIS, hash_of
from kubesteward.audit.checkpoint import opened, public_key
from kubesteward.audit.standalone import leaf_hash
from kubesteward.audit.tree import Frontier
from kubesteward.store.store import FILE
from kubesteward_policies.digest import canonical_json

_CHECKPOINTS = "this store's checkpoints"


@dataclass(frozen=True, slots=True)
class Place:
    """Up to where a log is known: the chain's last hash, and the tree."""

    head: str = GENESIS
    frontier: Frontier = Frontier()  # noqa: RUF009 - frozen


@dataclass(frozen=True, slots=True)
class Verification:
    """`broken` is the number of the first record that does not fit, None when all do, 0 when none can be read;
    `field` is what of it does not fit; `records` counts good ones. `root` is the tree's, in hexadecimal digits;
    `signed` and `anchored` are the sizes of the log at its newest checkpoint here and in the anchor."""

    ok: bool
    records: int
    head: str = ""
    broken: int | None = None
    reason: str = ""
    field: str = ""
    root: str = ""
    signed: int = 0
    anchored: int = 0
    place: Place = Place()

    def as_json(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if name != "place"}


class _Broken(Exception):
    def __init__(self, number: int, part: str, reason: str) -> None:
        self.number, self.part, self.reason = number, part, reason


@dataclass(frozen=True, slots=True)
class _Promise:
    """A checkpoint that the log has to keep."""

    root: bytes
    where: str


Promises = Mapping[int, list[_Promise]]


def verify(state_dir: Path, anchor: Path | None = None, key: str = "") -> Verification:
    """The verdict on the log in a state folder; `key` is the public key it has to be signed by, if that is known.

    Raises:
        FileNotFoundError: there is no store in that folder.
    """
    path = Path(state_dir) / FILE
    if not path.exists():
        raise FileNotFoundError(f"there is no audit log in {state_dir}; --state-dir names another folder")
    try:
        with opening(path) as db:
            own = public_key(path.parent)
            if key and key.strip() != own:
                return Verification(False, 0, broken=1, reason="it is not signed by the key you trust", field="key")
            return check(db, anchor=Anchor(anchor) if anchor else None, key=own)
    except sqlite3.Error as error:
        return Verification(False, 0, broken=0, reason=f"the file cannot be read as a database: {error}")


@contextmanager
def opening(path: Path) -> Iterator[sqlite3.Connection]:
    """The file, for reading."""
    db = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)
    try:
        yield db
    finally:
        db.close()


def check(
    db: sqlite3.Connection, since: Place | None = None, anchor: Anchor | None = None, key: str | None = None
) -> Verification:
    """The verdict on the records after `since`. Without `key` (empty: there is none) signatures are not looked at."""
    place = since or Place()
    # One transaction sees one state of the file, so that a record appended meanwhile is not taken for a broken end.
    # The anchor is read before: it may then be behind the log, and never ahead of it.
    try:
        promised = _anchored(anchor, key)
        db.execute("BEGIN")
        try:
            newest = _kept(db, place.frontier.size, key, promised)
            for sound in _walk(db, place, promised):
                place = sound  # how far it came is told where it breaks
            _end(db, place, newest)
        finally:
            db.execute("ROLLBACK")
    except _Broken as broken:
        return _verdict(place, broken)
    anchors = [size for size, made in promised.items() if any(item.where != _CHECKPOINTS for item in made)]
    return _verdict(place, None, newest, max(anchors, default=0))


def _verdict(place: Place, broken: _Broken | None, signed: int = 0, anchored: int = 0) -> Verification:
    size, root = place.frontier.size, place.frontier.root().hex()
    if broken is None:
        return Verification(True, size, place.head, root=root, signed=signed, anchored=anchored, place=place)
    good = min(size, broken.number - 1)
    return Verification(False, good, place.head, broken.number, broken.reason, broken.part, root)


def _anchored(anchor: Anchor | None, key: str | None) -> dict[int, list[_Promise]]:
    promised: dict[int, list[_Promise]] = {}
    if anchor is None:
        return promised
    try:
        notes = anchor.notes()
    except (OSError, ValueError) as error:
        raise _Broken(1, "anchor", f"the anchor {anchor.path} cannot be used: {error}") from None
    for line, note in notes:
        where = f"line {line} of the anchor"
        try:
            size, root = opened(note, key or "")
        except ValueError as error:
            raise _Broken(1, "anchor", f"{where} is no checkpoint of this log: {error}") from None
        promised.setdefault(size, []).append(_Promise(root, where))
    return promised


def _kept(db: sqlite3.Connection, after: int, key: str | None, promised: dict[int, list[_Promise]]) -> int:
    """Add the store's own checkpoints to what is promised; the size of the newest one, 0 for none."""
    if not _has_tree(db):
        return 0
    newest = 0
    query = "SELECT size, CAST(note AS BLOB) FROM audit_checkpoints WHERE size > ? ORDER BY size"
    for size, note in db.execute(query, (after,)) if key is not None else ():
        try:
            found, root = opened(note.decode(), key or "")
        except ValueError as error:
            why = f"the checkpoint of {size} records is not this log's: {error}"
            raise _Broken(size, "checkpoint", why) from None
        if found != size:
            raise _Broken(size, "checkpoint", f"the checkpoint of {size} records is one of {found}")
        promised.setdefault(size, []).append(_Promise(root, _CHECKPOINTS))
        newest = size
    if key and not newest and not after and db.execute("SELECT count(*) FROM audit").fetchone()[0]:
        raise _Broken(1, "checkpoint", "there is a key, but no checkpoint signed by it")
    return newest


def _has_tree(db: sqlite3.Connection) -> bool:
    """Whether the file is from a version that keeps one; the next server brings older ones up to date."""
    return any(row[1] == "frontier" for row in db.execute("PRAGMA table_info(audit_head)"))


def _walk(db: sqlite3.Connection, place: Place, promised: Promises) -> Iterator[Place]:
    """Record by record, each place that is still sound. What the chain tells is told first: it names one record."""
    sound, rewritten = place.frontier.size, None
    rows = db.execute(
        "SELECT seq, CAST(record AS BLOB), CAST(previous AS BLOB), CAST(hash AS BLOB),"
        " (SELECT CAST(previous AS BLOB) FROM audit b WHERE b.seq > a.seq ORDER BY b.seq LIMIT 1),"
        " (SELECT CAST(hash AS BLOB) FROM audit_head) FROM audit a WHERE seq > ? ORDER BY seq",
        (sound,),
    )
    for seq, record, previous, mark, later, head in rows:
        number = place.frontier.size + 1
        if wrong := _wrong((seq, record, previous, mark), number, place.head, later or head):
            raise _Broken(number, wrong[0], f"record {number}: {wrong[1]}")
        place = Place(mark.decode(), place.frontier.add(leaf_hash(record)))
        rewritten = rewritten or _unkept(place, sound, promised.get(number, ()))
        sound = number if number in promised else sound
        yield place
    if rewritten:
        raise rewritten
    if late := sorted(size for size in promised if size > place.frontier.size):
        end, where = place.frontier.size, promised[late[-1]][0].where
        raise _Broken(end + 1, "seq", f"the log ends at record {end}, but {late[-1]} were signed ({where})")


def _unkept(place: Place, sound: int, promises: Sequence[_Promise]) -> _Broken | None:
    """What is told of the first checkpoint that the log does not fit; up to record `sound` it fits one."""
    number, root = place.frontier.size, place.frontier.root() if promises else b""
    for promise in promises:
        if root != promise.root:
            why = f"a record from {sound + 1} to {number} was rewritten: it is not what was signed ({promise.where})"
            return _Broken(sound + 1, "checkpoint", why)
    return None


def _wrong(row: tuple[int, bytes, bytes, bytes], number: int, head: str, later: bytes | None) -> tuple[str, str] | None:
    """Field and reason. `later` is the hash of this record as the next one, or the log's end, has it."""
    seq, record, previous, mark = row
    if seq != number:
        return "seq", f"it is missing (the next one is {seq})"
    if previous != head.encode():
        return "previous", "it does not continue the record before it; one was put in, taken out or moved"
    try:
        text = record.decode()
    except UnicodeDecodeError:
        return "record", "its content is not text"
    if (derived := hash_of(head, text).encode()) != mark:
        if derived == later:
            return "hash", "its hash is not that of its content"
        return "record", "its content does not fit its hash"
    try:
        value = json.loads(text)
        same = value.get("seq") == number and canonical_json(value) == record
    except (ValueError, AttributeError, RecursionError):
        same = False
    return None if same else ("record", "its content is not what was written")


def _end(db: sqlite3.Connection, place: Place, newest: int) -> None:
    number = place.frontier.size
    row = db.execute("SELECT seq, CAST(hash AS BLOB) FROM audit_head").fetchone()
    if row is None and number:
        raise _Broken(1, "head", "the log's end is not recorded any more")
    if row is not None and row[0] != number:
        raise _Broken(min(number, row[0]) + 1, "seq", f"the log ends at record {number}, but {row[0]} were written")
    if row is not None and row[1] != place.head.encode():
        raise _Broken(number + 1, "head", f"the recorded end of the log is not record {number}")
    if row is not None and _has_tree(db):
        kept = db.execute("SELECT CAST(frontier AS BLOB) FROM audit_head").fetchone()[0]
        if kept != place.frontier.text().encode():
            raise _Broken(number + 1, "head", "the tree that is to be continued is not that of the records")
    if newest and newest != number:
        raise _Broken(newest + 1, "checkpoint", f"of {number} records only {newest} are signed")
