"""Mermaid itself takes the diagrams, also those with names that look like its syntax."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from tests.tools.pictures.rehearsals import SUMMARY, rehearsal

from kubesteward_tools.pictures import mermaid

PACKAGES = ("mermaid@11", "jsdom@26")
CHECK = """
import {JSDOM} from 'jsdom'; import fs from 'fs';
const dom = new JSDOM('<body></body>');
globalThis.window = dom.window; globalThis.document = dom.window.document;
const {default: mermaid} = await import('mermaid');
for (const text of JSON.parse(fs.readFileSync(0, 'utf8'))) {
  try { await mermaid.parse(text); } catch (error) { console.log(error.message + '\\n' + text); }
}
"""
WORDS = [
    "web",
    "end",
    "title x",
    "section",
    "click a",
    "graph",
    "style t0 fill:red",
    "%% c",
    "'",
    "--",
    "/a/",
    "",
    "漢字",
]
WORDS += ['"]\n  click n0 "javascript:alert(1)"', "x" * 300, "a :crit, t0, 0, 1", "accTitle: a", "_", "o", "default"]

pytestmark = pytest.mark.slow


@pytest.fixture
def folder() -> Path:
    """Where Mermaid is installed; skips the test where it cannot be."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        pytest.skip("node and npm are not installed; Mermaid needs them")
    home = Path(os.environ.get("KUBESTEWARD_NPM_CACHE") or Path.home() / ".cache" / "kubesteward" / "npm")
    cache = home.with_name(f"{home.name}-mermaid")
    if not (cache / "node_modules/mermaid").exists():
        cache.mkdir(parents=True, exist_ok=True)
        command = [npm, "install", "--no-audit", "--no-fund", "--prefix", str(cache), *PACKAGES]
        done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        if done.returncode:
            pytest.skip(f"npm could not install Mermaid: {done.stderr[-300:]}")
    return cache


def test_every_diagram_is_valid(folder: Path) -> None:
    found = [rehearsal(word) for word in WORDS]
    texts = [mermaid.timeline(item) for item in found]
    texts += [mermaid.blast_radius(item, word) for item, word in zip(found, WORDS, strict=True)]
    script = folder / "check.mjs"
    script.write_text(CHECK)
    asked = json.dumps([*texts, mermaid.blast_radius(found[0], SUMMARY)])
    done = subprocess.run(
        ["node", str(script)], input=asked, capture_output=True, text=True, timeout=120, check=False, cwd=folder
    )

    assert (done.returncode, done.stdout) == (0, ""), done.stderr
