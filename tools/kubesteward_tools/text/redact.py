"""Secret values never leave: what looks like one, or stands where one belongs, is replaced before anyone reads it.

Patterns run on RE2, whose time is linear in the text: a pod's log cannot stall the server.
"""

from __future__ import annotations

import base64
import functools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubesteward_tools.text import shapes
from kubesteward_tools.text.assignments import without_assigned
from kubesteward_tools.text.likeness import REDACTED, belongs_to_key, certain, is_set, made_up, unguessable
from kubesteward_tools.text.manifests import without_values
from kubesteward_tools.text.published import is_published
from kubesteward_tools.text.shapes import compiled
from kubesteward_tools.text.standins import is_blank, is_identifier
from kubesteward_tools.text.wrapping import decoded

_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_KEY_BEGINS, _KEY_ENDS = (re.compile(rf"-----{word} [A-Z0-9 ]{{0,60}}PRIVATE KEY") for word in ("BEGIN", "END"))
_KEY_BODY = re.compile(r"\s*[A-Za-z0-9+/=]*\s*|(?:Proc-Type|DEK-Info): .*")
_LONGEST_KEY = 120
_SHORT, _MOST = 120, 20_000
_COUNTERS = frozenset({"x-cache", "x-idemp", "x-publi", "x-parti"})
"""Headers whose keys are names: X-Cache-Key, X-Idempotency-Key."""
_NOBODY = frozenset({"username:password", "user:password", "user:pass"})
_HEADERS = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})
_OF_COOKIES = frozenset({"path", "domain", "expires", "max-age", "samesite", "version"})
_harmless: set[str] = set()
"""Short texts that were looked through and hold no secret: names of kinds, fields and verbs come again and again."""


@functools.cache
def _tokens() -> Any:
    return compiled("|".join(f"(?:{pattern})" for pattern in shapes.TOKENS))


def _token(match: Any) -> str:
    found: str = match.group(0)
    known = made_up(found) or is_blank(found) or is_identifier(found) or is_published(found)
    return found if known else REDACTED


def _lead(match: Any) -> str:
    whole, secret = match.group(0), match.group(1)
    if whole[:7].lower() in _COUNTERS or not _is_given(secret.strip("'\"")):
        return str(whole)
    start = match.start(1) - match.start(0)
    return f"{whole[:start]}{REDACTED}{whole[start + len(secret) :]}"


def _is_given(value: str) -> bool:
    return not is_blank(value) and belongs_to_key(value)


def _user(match: Any) -> str:
    """Of `user:password` the password decides."""
    user, _, password = match.group(1).strip("'\"").partition(":")
    blank = is_blank(password) or f"{user}:{password}".lower() in _NOBODY
    return match.group(0) if blank or not belongs_to_key(password) else _lead(match)


def _cookies(match: Any) -> str:
    def hidden(one: Any) -> str:
        name, value = one.group(1), one.group(2)
        return one.group(0) if name.lower() in _OF_COOKIES or not _is_given(value) else f"{name}={REDACTED}"

    return _substitute(compiled(shapes.COOKIE), hidden, match.group(0))


def _literals(match: Any) -> str:
    return _substitute(compiled(shapes.LITERAL), _lead, match.group(0))


def _wrapped(match: Any) -> str:
    """Text in base64 is as secret as what it says."""
    found: str = match.group(0)
    plain = decoded(found)
    return found if plain is None or redact(plain) == plain else REDACTED


def _login(match: Any) -> str:
    whole, login = match.group(0), match.group(1)
    try:
        told = b":" in base64.b64decode(f"{login}===")
    except ValueError:
        told = False
    return f"{whole[: -len(login)]}{REDACTED}" if told else str(whole)


def _substitute(pattern: Any, change: Callable[[Any], str], text: str) -> str:
    return str(pattern.sub(change, text))


def redact(text: str) -> str:
    """`text` with every secret replaced by `[REDACTED]`: private keys, tokens of known issuers, passwords in URLs,
    authorization headers, values of keys whose name says secret, and the data of Secret manifests.

    Clean a log first (`fence.clean`): an invisible character within a token would hide it from the patterns. Lone
    surrogates, which UTF-8 cannot hold, become question marks.
    """
    if text in _harmless:
        return text
    found = _redacted(text)
    if found == text and len(text) <= _SHORT:
        if len(_harmless) >= _MOST:
            _harmless.clear()
        _harmless.add(text)
    return found


def _redacted(text: str) -> str:
    text = text.encode("utf-8", "replace").decode()
    text = compiled(shapes.PRIVATE_KEY).sub(REDACTED, text)
    if _has_manifest(text):
        text = without_values(text)
    text = _substitute(_tokens(), _token, text)
    text = _substitute(compiled(shapes.WRAPPED), _wrapped, text)
    for pattern in shapes.LEADS:
        text = _substitute(compiled(pattern), _lead, text)
    text = _substitute(compiled(shapes.CURL_USER), _user, text)
    for word, pattern in shapes.SPECIFIC:
        if word in text:
            text = _substitute(compiled(pattern), _lead, text)
    if "--from-literal" in text:
        text = _substitute(compiled(shapes.LITERALS), _literals, text)
    low = text.lower()
    if "cookie" in low:
        text = _substitute(compiled(shapes.COOKIES), _cookies, text)
    if "auth" in low:
        text = _substitute(compiled(shapes.LOGIN), _login, text)
    return without_assigned(text)


def _has_manifest(text: str) -> bool:
    return "kind" in text and bool(compiled(shapes.MANIFEST).search(text))


@functools.lru_cache(maxsize=4096)
def secret_name(name: str) -> bool:
    """Whether a variable or key of this name is expected to hold a secret."""
    return bool(compiled(shapes.SECRET_NAME).search(name))


def _hidden(value: Any) -> Any:
    """Replaced whole; of a mapping the names stay."""
    return dict.fromkeys(value, REDACTED) if isinstance(value, Mapping) else REDACTED


def _field(key: str, value: Any, owner: Mapping[str, Any]) -> Any:
    if value and _of_secret(key, owner):
        return _hidden(value)
    if key == "items" and owner.get("kind") == "SecretList" and isinstance(value, list):
        return [_of_list(item) for item in value]
    if key.startswith(".docker") and isinstance(value, str):
        return REDACTED
    if key == "value" and isinstance(value, str) and (name := _secret_beside(owner)):
        return REDACTED if is_set(name, value) else value
    if key == "value" and isinstance(value, str) and _is_some_key(str(owner.get("name", "")), value):
        return REDACTED
    if key == "annotations" and isinstance(value, Mapping):
        return redact_object({name: note for name, note in value.items() if name != _LAST_APPLIED})
    if value and secret_name(key) and not key.endswith("Name"):
        return _named(key, value)
    return redact_object(value)


def _of_list(item: Any) -> Any:
    """An item of a list says no kind of its own."""
    if not isinstance(item, Mapping):
        return redact_object(item)
    return {key: _field(str(key), value, {**item, "kind": "Secret"}) for key, value in item.items()}


def _of_secret(key: str, owner: Mapping[str, Any]) -> bool:
    """Whether the field holds values of a Secret: of the object itself, of a call to it or of a proposal about it."""
    if key in {"data", "stringData"}:
        return owner.get("kind") == "Secret"
    if key == "body":
        return isinstance(target := owner.get("target"), Mapping) and target.get("kind") == "Secret"
    if key in {"patch", "params"} and str(owner.get("kind", "")).rpartition("/")[2].lower() in {"secret", "secrets"}:
        return True
    return key in {"patch", "manifest"} and isinstance(text := owner[key], str) and _has_manifest(text)


def _secret_beside(owner: Mapping[str, Any]) -> str:
    """The secret's name that stands beside a `value`, as a variable's does, or above it, as in a JSON patch, or ""."""
    last = str(owner.get("path", "")).rpartition("/")[2].replace("~1", "/")
    names = (str(owner.get("name", "")), last)
    return next((name for name in names if secret_name(name) or name.lower() in _HEADERS), "")


def _is_some_key(name: str, value: str) -> bool:
    """Whether a variable that is called a key of something holds what nobody would choose but a machine."""
    named = compiled(shapes.SOME_KEY).search(name) and not compiled(shapes.OPEN_KEY).search(name)
    return bool(named) and unguessable(value)


def _named(key: str, value: Any) -> Any:
    """The value of a field whose name says secret. What is no text is one only where nothing else can be meant."""
    if isinstance(value, str):
        return REDACTED if certain(key, value) else redact(value)
    if isinstance(value, Mapping) and isinstance(inner := value.get("value"), str):
        return {**redact_object(value), "value": _named(key, inner)}
    if not compiled(shapes.MANY).search(key):
        return redact_object(value)
    if isinstance(value, Mapping):
        return {name: _named(key, item) for name, item in value.items()}
    return [_named(key, item) if isinstance(item, str) else redact_object(item) for item in value]


def redact_object(obj: Any) -> Any:
    """A copy of a Kubernetes object, or of a list of them, in the same shape and without secrets.

    Values of a Secret, of variables with a secret's name and of docker configurations are replaced whole; the
    annotation in which kubectl keeps a second copy of the object is dropped; every other string goes through `redact`.
    """
    if isinstance(obj, str):
        return redact(obj)
    if isinstance(obj, Mapping):
        return {key: _field(str(key), value, obj) for key, value in obj.items()}
    if isinstance(obj, list | tuple):
        obj = _command(obj)
        return [_argument(obj[at - 1] if at else "", item) for at, item in enumerate(obj)]
    return obj


def _command(items: Sequence[Any]) -> Sequence[Any]:
    """A command line in parts is read as one too: only after `mysql` is `-p` a password."""
    parts = [item for item in items if isinstance(item, str) and item and not any(map(str.isspace, item))]
    if len(parts) < len(items) or not any(item.startswith("-") for item in parts):
        return items
    whole = redact(" ".join(parts)).split(" ")
    return whole if len(whole) == len(parts) else items


def _argument(before: Any, item: Any) -> Any:
    """An item of a list. Of a command line it may be a flag with its value, or the value of the flag before it."""
    if not isinstance(item, str):
        return redact_object(item)
    flag, equals, value = item.partition("=")
    if equals and flag.startswith("-") and secret_name(flag) and belongs_to_key(value):
        return f"{flag}={REDACTED}"
    if isinstance(before, str) and before.startswith("-") and secret_name(before) and not item.startswith("-"):
        return REDACTED if belongs_to_key(item) else item
    return redact(item)


def redact_lines(lines: Sequence[str]) -> list[str]:
    """As many lines as were given, each without secrets; of a private key that takes several, every one is replaced."""
    kept = _without_keys(lines)
    whole = redact("\n".join(kept)).split("\n")
    return whole if len(whole) == len(kept) else [redact(line) for line in kept]


def _without_keys(lines: Sequence[str]) -> list[str]:
    kept = list(lines)
    at = 0
    while at < len(kept):
        begins = _KEY_BEGINS.search(kept[at])
        if begins is None and _KEY_ENDS.search(kept[at]):
            _hide_end(kept, at)
        if begins is not None and not _KEY_ENDS.search(kept[at]):
            end = _key_end(kept, at)
            kept[at : end + 1] = [kept[at][: begins.start()] + REDACTED, *[REDACTED] * (end - at)]
            at = end
        at += 1
    return kept


def _hide_end(lines: list[str], end: int) -> None:
    """Of a key whose beginning is cut off, as by the tail of a log."""
    lines[end] = REDACTED
    for at in range(end - 1, max(end - _LONGEST_KEY, -1), -1):
        if not lines[at].strip() or not _KEY_BODY.fullmatch(lines[at]):
            return
        lines[at] = REDACTED


def _key_end(lines: Sequence[str], at: int) -> int:
    """The line that ends the key, or the last one that can belong to a key whose end is cut off."""
    near = range(at + 1, min(at + _LONGEST_KEY, len(lines)))
    ends = next((number for number in near if _KEY_ENDS.search(lines[number])), None)
    if ends is not None:
        return ends
    return next((number - 1 for number in near if not _KEY_BODY.fullmatch(lines[number])), near[-1] if near else at)
