"""Packs records so that they can be checked elsewhere, by others, without this program and without its store."""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from kubesteward.audit import standalone
from kubesteward.audit.anchor import Anchor
from kubesteward.audit.checkpoint import opened, public_key
from kubesteward.audit.query import Filter, read
from kubesteward.audit.standalone import leaf_hash, table
from kubesteward.audit.tree import Tree
from kubesteward.audit.verify import opening
from kubesteward.store.store import FILE

FORM = "kubesteward-evidence/1"
_READ_ME = """Evidence from KubeSteward's audit log.

Check it with any Python from 3.9 on; nothing else is needed and nothing is fetched:

    python -I -S verify.py
    python -I -S verify.py --key KEY --anchor FILE    against a key and an anchor that you hold yourself

records.jsonl     the records, byte for byte as they were hashed
records.csv       the same as a table
proofs.json       for each record the path from it to the root of the whole log (RFC 6962)
checkpoint.txt    that root, signed (https://c2sp.org/signed-note, Ed25519)
checkpoints.json  earlier ones, each with the proof that the log only grew since
key.txt           the public key
manifest.json     what was asked for, and SHA-256 of every file
"""


def export(state_dir: Path, target: Path, wanted: Filter, anchor: Path | None = None) -> int:
    """Write the package: a zip where `target` ends so, else a new folder. The number of records in it.

    Raises:
        FileExistsError: there is something already. OSError: it cannot be written.
        ValueError: the newest record is not signed, or one cannot be read. sqlite3.Error: the log cannot be read.
    """
    texts, notes = _log(state_dir)
    notes += [note for _, note in Anchor(anchor).notes()] if anchor else []
    chosen = [text for seq, text in enumerate(texts, 1) if wanted.fits(read(seq, text.encode())[0])]
    files = evidence(texts, chosen, notes, public_key(state_dir), wanted.as_json())
    if target.suffix == ".zip":
        with zipfile.ZipFile(target, "x", zipfile.ZIP_DEFLATED) as archive:
            for name, data in files.items():
                archive.writestr(name, data)
    else:
        target.mkdir(parents=True)
        for name, data in files.items():
            (target / name).write_bytes(data)
    return len(chosen)


def _log(state_dir: Path) -> tuple[list[str], list[str]]:
    """All records and the store's checkpoints, of one moment."""
    with opening(Path(state_dir) / FILE) as db:
        db.execute("BEGIN")
        rows = db.execute("SELECT seq, CAST(record AS BLOB) FROM audit ORDER BY seq").fetchall()
        notes = [row[0] for row in db.execute("SELECT note FROM audit_checkpoints ORDER BY size")]
    return [read(seq, data)[1] for seq, data in rows], notes


def evidence(
    texts: Sequence[str], chosen: Sequence[str], notes: Sequence[str], key: str, wanted: Mapping[str, Any]
) -> dict[str, bytes]:
    """The files of a package by name: of all records `texts` those `chosen`.

    Raises:
        ValueError: no checkpoint is of all records, or one is not signed by `key`.
    """
    tree = Tree([leaf_hash(text.encode()) for text in texts])
    signed = {opened(note, key)[0]: note for note in notes}
    if (newest := signed.pop(tree.size, None)) is None or opened(newest, key)[1] != tree.root():
        raise ValueError("the newest record is not signed; it is as soon as this version has written one")
    older = [
        {"note": note, "consistency": _hex(tree.consistency(size))}
        for size, note in sorted(signed.items())
        if size < tree.size
    ]
    proofs = {str(seq): _hex(tree.inclusion(seq - 1)) for seq in (json.loads(text)["seq"] for text in chosen)}
    files = {
        "README.txt": _READ_ME.encode(),
        "records.jsonl": "".join(f"{text}\n" for text in chosen).encode(),
        "records.csv": table(chosen).encode(),
        "proofs.json": _json(proofs),
        "checkpoint.txt": newest.encode(),
        "checkpoints.json": _json(older),
        "key.txt": f"{key}\n".encode(),
        "verify.py": Path(standalone.__file__).read_bytes(),
    }
    hashes = {name: hashlib.sha256(data).hexdigest() for name, data in files.items()}
    about = {"form": FORM, "wanted": dict(wanted), "records": len(chosen), "log": tree.size}
    return {**files, "manifest.json": _json({**about, "root": tree.root().hex(), "files": hashes})}


def _hex(path: Sequence[bytes]) -> list[str]:
    return [item.hex() for item in path]


def _json(value: Any) -> bytes:
    return json.dumps(value, indent=1, sort_keys=True).encode() + b"\n"
