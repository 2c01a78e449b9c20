"""Objects and sentences as they may be shown: without secrets, unseen characters and what only machines read."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from kubesteward_tools.text.fence import clean
from kubesteward_tools.text.redact import redact, redact_object
from kubesteward_tools.world.store import Object

_SENTENCE = 300
_WORD = 120
_MOST = 5_000
_BULK = frozenset({"managedFields", "selfLink"})
_MACHINE = frozenset({"uid", "resourceVersion", "generation", "generateName", "managedFields", "selfLink"})
_DEFAULTS: dict[str, Any] = {
    "terminationMessagePath": "/dev/termination-log",
    "terminationMessagePolicy": "File",
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "restartPolicy": "Always",
    "securityContext": {},
    "resources": {},
    "enableServiceLinks": True,
    "preemptionPolicy": "PreemptLowerPriority",
    "revisionHistoryLimit": 10,
    "progressDeadlineSeconds": 600,
}


def sentence(text: Any, longest: int = _SENTENCE) -> str:
    """Text from a cluster as one clean line of at most `longest` characters."""
    shown = str(text)
    return _repeated(shown, longest) if len(shown) <= _WORD else _line(shown, longest)


def cleared(text: Any) -> str:
    """Text from a cluster with its lines and without secrets and unseen characters, its first 5,000 characters: for
    whoever looks for words in it and shows a part. Of a token that was cut before, nobody knows that it was one."""
    shown = str(text)
    return _cleared_again(shown) if len(shown) <= _SENTENCE else _cleared(shown)


@lru_cache(maxsize=4096)
def _cleared_again(text: str) -> str:
    """What the kubelet and the scheduler say comes again and again."""
    return _cleared(text)


def _cleared(text: str) -> str:
    plain = text if text.isascii() and text.isprintable() else clean(text, len(text) + 1)
    return redact(plain)[:_MOST]


@lru_cache(maxsize=4096)
def _repeated(word: str, longest: int) -> str:
    """States, images and nodes come again and again, and cleaning is the dearest part of showing them."""
    return _line(word, longest)


def _line(text: str, longest: int) -> str:
    shown = text if text.isascii() and text.isprintable() else clean(text)  # what is not seen must not hide a secret
    line = " ".join(redact(shown)[:4000].split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


def whole(obj: Object) -> Object:
    """Everything but managedFields and secrets."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _BULK}
    return tidy(redact_object({**obj, "metadata": metadata}))  # type: ignore[no-any-return] # a dict in, a dict out


def brief(obj: Object) -> Object:
    """The same without what the API server fills in by itself and what only machines read."""
    metadata = {key: value for key, value in obj["metadata"].items() if key not in _MACHINE}
    owners = metadata.get("ownerReferences")
    if owners:
        metadata["ownerReferences"] = [{key: item.get(key) for key in ("kind", "name")} for item in owners]
    found: Object = _without_defaults(whole({**obj, "metadata": metadata}))
    return found


def tidy(value: Any) -> Any:
    """Every string of it cleaned, keys too."""
    if isinstance(value, str):
        return value if value.isascii() and value.isprintable() else clean(value)
    if isinstance(value, dict):
        return {tidy(key): tidy(item) for key, item in value.items()}
    if isinstance(value, list):
        return [tidy(item) for item in value]
    return value


def _without_defaults(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_defaults(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: _without_defaults(item)
        for key, item in value.items()
        if item is not None and not (key in _DEFAULTS and item == _DEFAULTS[key])
    }
