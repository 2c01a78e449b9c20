"""Where the twin's table of fields comes from: the models of the official Python client, generated from Kubernetes' own
OpenAPI document. `python -m tests.tools.twin.validation.source` writes the table anew.
"""

from __future__ import annotations

import json
import re
import warnings
from pathlib import Path
from typing import Any

from kubesteward_tools.twin import resources
from kubesteward_tools.twin.validation import fields

TABLE = Path(fields.__file__).with_name("fields.json")
_TEXTS = ("str", "datetime", "date", "bytes", "bytearray")
_LEAVES = {**dict.fromkeys(_TEXTS, "s"), "int": "i", "float": "f", "bool": "b", "object": "*"}
_NAMED = {"Event": "CoreV1Event"}
_CONTAINER = re.compile(r"(List|list|Dict|dict)(?:\[|\()(?:str, ?)?(.+)(?:\]|\))")


def table() -> dict[str, Any]:
    """Kinds by "apiVersion/kind", and for each type its fields: a leaf's letter or a type; lists begin with "[", maps
    with "{".
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the package is not ours to mend
        from kubernetes.client import models
    types: dict[str, dict[str, str]] = {}
    kinds = {}
    for kind in resources.STORED + resources.REVIEWS:
        name = _NAMED.get(kind.kind) or kind.version.capitalize() + kind.kind
        if hasattr(models, name):
            kinds[f"{kind.api_version}/{kind.kind}"] = name
            _collect(models, name, types)
    _collect(models, "V1Scale", types)
    return {"kinds": dict(sorted(kinds.items())), "types": dict(sorted(types.items()))}


def _collect(models: Any, name: str, types: dict[str, dict[str, str]]) -> None:
    if name in types:
        return
    model = getattr(models, name)
    types[name] = {model.attribute_map[field]: _code(text) for field, text in sorted(model.openapi_types.items())}
    for code in types[name].values():
        inner = code.lstrip("[{")
        if inner and inner not in {*_LEAVES.values()}:
            _collect(models, inner, types)


def _code(text: str) -> str:
    if found := _CONTAINER.fullmatch(text):
        return ("[" if found[1].lower() == "list" else "{") + _code(found[2])
    return _LEAVES.get(text, text)


def written(found: dict[str, Any]) -> str:
    lines = [f"  {json.dumps(name)}: {json.dumps(shape)}" for name, shape in found["types"].items()]
    return '{\n "kinds": ' + json.dumps(found["kinds"], indent=2) + ',\n "types": {\n' + ",\n".join(lines) + "\n }\n}\n"


if __name__ == "__main__":
    TABLE.write_text(written(table()), "utf-8")
