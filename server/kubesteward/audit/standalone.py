"""Checks a folder of evidence from KubeSteward's audit log with nothing but Python's standard library.

Run it inside the folder:  python -I -S verify.py [--key KEY] [--anchor FILE]
It stands in every evidence package as verify.py, word for word; inside KubeSteward its functions check the log itself.
Hashes and proofs are those of RFC 6962 and RFC 9162, signatures those of RFC 8032 (Ed25519) in notes of the form
https://c2sp.org/signed-note, and canonical JSON is that of RFC 8785.
"""

from __future__ import annotations

import argparse
import base64
import csv
import hashlib
import io
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

COLUMNS = ("seq", "time", "type", "principal", "tool", "cluster", "action", "outcome", "correlation", "record")

# -- the tree ----------------------------------------------------------------------------------------------------


def leaf_hash(data: bytes) -> bytes:
    """RFC 6962, 2.1: what stands for one record of bytes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def included(index: int, size: int, leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether the hash `leaf` is number `index` (from 0) of the `size` under `root` (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf
    for other in proof:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node_hash(other, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node_hash(found, other)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root


def continues(first: int, size: int, first_root: bytes, root: bytes, proof: Sequence[bytes]) -> bool:
    """Whether the tree of `size` begins with the tree of `first` (RFC 9162, 2.1.4.2). Both are at least 1."""
    if first == size:
        return not proof and first_root == root
    if not 0 < first < size or not proof:
        return False
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    at, last = first - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    old = new = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            old, new = node_hash(other, old), node_hash(other, new)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            new = node_hash(new, other)
        at, last = at >> 1, last >> 1
    return last == 0 and old == first_root and new == root


# -- Ed25519 (RFC 8032, 5.1): points are (X, Y, Z, T) with x = X/Z, y = Y/Z, xy = T/Z -----------------------------

Point = tuple[int, int, int, int]
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)


def _add(p: Point, q: Point) -> Point:
    a = (p[1] - p[0]) * (q[1] - q[0]) % P
    b = (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar: int, point: Point) -> Point:
    found = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            found = _add(found, point)
        point, scalar = _add(point, point), scalar >> 1
    return found


def _decoded(data: bytes) -> Point | None:
    """The point that 32 bytes stand for, None if they stand for none."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (2**255 - 1)
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


def _encoded(point: Point) -> bytes:
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


BASE = _decoded((4 * pow(5, P - 2, P) % P).to_bytes(32, "little")) or (0, 1, 1, 0)


def signed(public: bytes, signature: bytes, message: bytes) -> bool:
    """Whether `signature` is that of `message` by the key `public` (32 bytes)."""
    point = _decoded(public) if len(public) == 32 and len(signature) == 64 else None
    scalar = int.from_bytes(signature[32:], "little")
    if point is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + message).digest(), "little") % ORDER
    minus = (P - point[0], point[1], point[2], P - point[3])
    return _encoded(_add(_times(scalar, BASE), _times(challenge, minus))) == signature[:32]


# -- notes -------------------------------------------------------------------------------------------------------


def key_id(name: str, public: bytes) -> bytes:
    return hashlib.sha256(name.encode() + b"\n\x01" + public).digest()[:4]


def parse_key(text: str) -> tuple[str, bytes]:
    """Name and 32 bytes of a key `name+id+base64`. Raises ValueError."""
    name, identity, encoded = text.strip().split("+", 2)
    data = base64.b64decode(encoded, validate=True)
    if len(data) != 33 or data[:1] != b"\x01" or key_id(name, data[1:]).hex() != identity:
        raise ValueError("this is not a key for notes")
    return name, data[1:]


def open_note(note: str, key: str, verify: Callable[[bytes, bytes, bytes], bool] = signed) -> tuple[int, bytes]:
    """Size and root hash of a signed checkpoint. Raises ValueError: it is none, or `key` did not sign it."""
    name, public = parse_key(key)
    body, divider, signature = note.partition("\n\n")
    origin, size, encoded = body.split("\n")
    dash, signer, value = signature.split(" ")
    data = base64.b64decode(value.removesuffix("\n"), validate=True)
    root = base64.b64decode(encoded, validate=True)
    form = (origin, signer, dash, divider, data[:4], len(root), str(int(size)))
    if form != (name, name, "\u2014", "\n\n", key_id(name, public), 32, size) or not value.endswith("\n"):
        raise ValueError("it is not a checkpoint of this key")
    if base64.b64encode(root).decode() != encoded or base64.b64encode(data).decode() + "\n" != value:
        raise ValueError("it is not written as it was signed")
    if not verify(public, data[4:], (body + "\n").encode()):
        raise ValueError("its signature does not fit")
    return int(size), root


def anchored(text: str) -> list[tuple[int, str]]:
    """The notes in an anchor's file: a list of (line number, note). Raises ValueError."""
    notes = []
    for number, line in enumerate(text.split("\n"), 1):
        if line:
            try:
                notes.append((number, json.loads(line)["note"]))
            except (ValueError, TypeError, KeyError):
                raise ValueError(f"line {number} of the anchor cannot be read") from None
    return notes


# -- the table ---------------------------------------------------------------------------------------------------


def named(record: Mapping[str, Any], text: str = "") -> dict[str, Any]:
    """What the columns say of a record; `text` is its canonical JSON."""
    arguments = record.get("arguments")
    said = arguments.get("cluster") if isinstance(arguments, dict) else None
    time = datetime.fromtimestamp(record["at"], timezone.utc)  # noqa: UP017 - also before Python 3.11
    found = {name: record.get(name) for name in COLUMNS} | {"record": text}
    found["time"] = time.isoformat(timespec="milliseconds")
    found["cluster"] = record.get("cluster") or said
    found["outcome"] = record.get("outcome") or record.get("status")
    return found


def _cell(value: object) -> str:
    """A spreadsheet takes what begins with one of these for a formula."""
    text = "" if value is None else str(value)
    return "'" + text if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text


def table(texts: Sequence[str]) -> str:
    """The CSV of records, given as their canonical JSON."""
    written = io.StringIO()
    lines = csv.writer(written, lineterminator="\n")
    lines.writerow(COLUMNS)
    lines.writerows([_cell(value) for value in named(json.loads(text), text).values()] for text in texts)
    return written.getvalue()


# -- the package -------------------------------------------------------------------------------------------------


def check(folder: Path, key: str = "", anchor: Path | None = None) -> tuple[list[str], str]:
    """What is wrong with the package in `folder`, one sentence each, and what it proves where nothing is."""
    try:
        files = {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}
        manifest = json.loads(files["manifest.json"])
        faults = _files(files, manifest["files"])
        own = files["key.txt"].decode().strip()
        if key and key.strip() != own:
            return [*faults, "key.txt: it is not the key you trust"], ""
        size, root = open_note(files["checkpoint.txt"].decode(), own)
        texts = files["records.jsonl"].decode().split("\n")[:-1]
        faults += _records(texts, json.loads(files["proofs.json"]), size, root)
        faults += (
            [] if files["records.csv"].decode() == table(texts) else ["records.csv: it is not made of the records"]
        )
        faults += _older(json.loads(files["checkpoints.json"]), own, size, root)
        faults += _anchor(anchor, own, files, size, root) if anchor else []
    except (KeyError, ValueError, TypeError, AttributeError, OSError) as error:
        return [f"the package cannot be read: {type(error).__name__}: {error}"], ""
    proven = "all" if len(texts) == size else f"{len(texts)} of the"
    return faults, f"{proven} {size} records of this log, under a checkpoint signed by {own}"


def _files(files: Mapping[str, bytes], expected: Mapping[str, str]) -> list[str]:
    faults = [f"{name}: it is missing" for name in expected if name not in files]
    for name, data in sorted(files.items()):
        if name != "manifest.json" and expected.get(name) != hashlib.sha256(data).hexdigest():
            faults.append(f"{name}: it is not the file in the manifest")
    return faults


def _records(texts: Sequence[str], proofs: Mapping[str, list[str]], size: int, root: bytes) -> list[str]:
    faults: list[str] = []
    before = 0
    for line, text in enumerate(texts, 1):
        seq = json.loads(text)["seq"]
        proof = [bytes.fromhex(value) for value in proofs.get(str(seq), ())]
        if not included(seq - 1, size, leaf_hash(text.encode()), proof, root):
            faults.append(f"records.jsonl: line {line} (record {seq}) is not what the signed checkpoint covers")
        if seq <= before:
            faults.append(f"records.jsonl: line {line} (record {seq}) is not in order")
        before = seq
    return faults


def _older(checkpoints: Sequence[Mapping[str, Any]], key: str, size: int, root: bytes) -> list[str]:
    faults = []
    for number, item in enumerate(checkpoints, 1):
        try:
            first, first_root = open_note(item["note"], key)
        except ValueError as error:
            faults.append(f"checkpoints.json: number {number}: {error}")
            continue
        proof = [bytes.fromhex(value) for value in item["consistency"]]
        if not continues(first, size, first_root, root, proof):
            faults.append(f"checkpoints.json: number {number}: the log of {size} does not continue that of {first}")
    return faults


def _anchor(anchor: Path, key: str, files: Mapping[str, bytes], size: int, root: bytes) -> list[str]:
    """Every checkpoint in the anchor has to be one of those in the package, or younger than all."""
    known = {open_note(item["note"], key) for item in json.loads(files["checkpoints.json"])} | {(size, root)}
    sizes, faults = {number for number, _ in known}, list[str]()
    for line, note in anchored(Path(anchor).read_text("utf-8")):
        try:
            found = open_note(note, key)
        except ValueError as error:
            faults.append(f"anchor: line {line}: {error}")
            continue
        if found[0] in sizes and found not in known:
            faults.append(f"anchor: line {line}: the log had another root when it was of {found[0]} records")
    return faults


def main() -> int:
    parser = argparse.ArgumentParser(description="Check a folder of evidence from KubeSteward's audit log.")
    parser.add_argument("folder", nargs="?", default=Path(__file__).resolve().parent, type=Path)
    parser.add_argument("--key", default="", help="the public key you trust; without it that of the package is used")
    parser.add_argument("--anchor", type=Path, help="your own copy of the anchor's file")
    given = parser.parse_args()
    faults, proven = check(given.folder, given.key, given.anchor)
    for fault in faults:
        sys.stdout.write(f"WRONG  {fault}\n")
    if not faults:
        sys.stdout.write(f"OK  {proven}\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
