"""Secret values never leave: what looks like one, or stands where one belongs, is replaced before anyone reads it.

Patterns run on RE2, whose time is linear in the text: a pod's log cannot stall the server.
"""

from __future__ import annotations

import functools
import math
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kubesteward_tools.text import shapes

REDACTED = "[REDACTED]"
_LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"
_BLANKS = ("xxxx", "****", "....", "your_", "your-", "insert_", "changeme", "redacted", "placeholder", "abcdefghijkl")
_STAND_INS = (*_BLANKS, "example", "username:password", "user:password")
_RUN = re.compile(r"(.)\1{15}")
_REFERENCES = ("${", "$(", "{{", "%{", "<", "[", "$", "var.", "process.env", "os.", "env.", "valuefrom")
_NOTHING = frozenset({"null", "none", "true", "false", "undefined", "nil"})
# Keys that point at a secret: passwordVariable, credentialsId, secretName, tokenRef, accessKeyPath.
_POINTER = (
    r"(?i)(?:id|name|variable|ref|key[_-]?ref|path|file|type|url|policy|length|count|class)s?"
    r"[\"'\]]{0,2}\s{0,3}[=:!>]+\s*$"
)
_ALWAYS = r"(?i)pass|pwd"
_KEY_BEGINS, _KEY_ENDS = (re.compile(rf"-----{word} [A-Z0-9 ]{{0,60}}PRIVATE KEY") for word in ("BEGIN", "END"))
_KEY_BODY = re.compile(r"\s*[A-Za-z0-9+/=]*\s*|(?:Proc-Type|DEK-Info): .*")
_LONGEST_KEY = 120


@functools.cache
def _compiled(pattern: str) -> Any:
    import re2

    return re2.compile(pattern)


@functools.cache
def _tokens() -> Any:
    return _compiled("|".join(f"(?:{pattern})" for pattern in shapes.TOKENS))


def _entropy(text: str) -> float:
    """Shannon entropy in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _made_up(value: str) -> bool:
    """A stand-in such as documentation has: nothing is lost by showing it."""
    low = value.lower()
    return any(word in low for word in _STAND_INS) or _RUN.search(low) is not None or _entropy(value[8:] or value) < 2


def _belongs_to_key(value: str) -> bool:
    """Whether a value next to a secret's name is one: no reference to elsewhere, no call, no word of syntax."""
    low = value.lower()
    if low in _NOTHING or low.startswith(_REFERENCES) or low.endswith("("):
        return False
    return sum(c.isalnum() for c in value) >= 3


def _left_blank(key: str, value: str) -> bool:
    """Whether the value waits to be filled in. A password can be any word, `changeme` too."""
    low = value.lower()
    return not _compiled(_ALWAYS).search(key) and (any(word in low for word in _BLANKS) or bool(_RUN.search(low)))


def _certain(key: str, value: str) -> bool:
    """Whether an unquoted value is the secret and no prose: `token: expired` is a log's sentence, `DB_PASSWORD=abc`
    a setting."""
    if _compiled(_ALWAYS).search(key):
        return True
    return len(value) >= 6 if key.endswith("=") else _looks_random(value)


def _looks_random(value: str) -> bool:
    return len(value) >= 6 and (any(c.isdigit() for c in value) or _entropy(value) >= 3.2)


def _token(match: Any) -> str:
    found: str = match.group(0)
    return found if _made_up(found) else REDACTED


def _lead(match: Any) -> str:
    whole, secret = match.group(0), match.group(1)
    if _made_up(secret) or not _belongs_to_key(secret.strip("'\"")):
        return str(whole)
    start = match.start(1) - match.start(0)
    return f"{whole[:start]}{REDACTED}{whole[start + len(secret) :]}"


def _assignment(match: Any) -> str:
    whole, key = match.group(0), match.group(1)
    quoted = match.group(2) or match.group(3) or match.group(4)
    value = quoted or match.group(5)
    if (
        REDACTED in value
        or _compiled(_POINTER).search(key)
        or not _belongs_to_key(value)
        or _left_blank(key, value)
        or (not quoted and not _certain(key, value))
    ):
        return str(whole)
    start = len(key) + (1 if quoted else 0)
    return f"{whole[:start]}{REDACTED}{whole[start + len(value) :]}"


def _substitute(pattern: Any, change: Callable[[Any], str], text: str) -> str:
    return str(pattern.sub(change, text))


def redact(text: str) -> str:
    """`text` with every secret replaced by `[REDACTED]`: private keys, tokens of known issuers, passwords in URLs,
    authorization headers, values of keys whose name says secret, and the data of Secret manifests.

    Clean a log first (`fence.clean`): an invisible character within a token would hide it from the patterns. Lone
    surrogates, which UTF-8 cannot hold, become question marks.
    """
    text = text.encode("utf-8", "replace").decode()
    text = _compiled(shapes.PRIVATE_KEY).sub(REDACTED, text)
    if "kind" in text and _compiled(r"(?m)\bkind[\"']?:\s*[\"']?Secret\b").search(text):
        text = _substitute(_compiled(shapes.IN_MANIFEST), _lead, text)
    text = _substitute(_tokens(), _token, text)
    for pattern in shapes.LEADS:
        text = _substitute(_compiled(pattern), _lead, text)
    return _substitute(_compiled(shapes.ASSIGNMENT), _assignment, text)


def secret_name(name: str) -> bool:
    """Whether a variable or key of this name is expected to hold a secret."""
    return bool(_compiled(shapes.SECRET_NAME).search(name))


def _hidden(values: Any) -> Any:
    return dict.fromkeys(values, REDACTED) if isinstance(values, Mapping) else REDACTED


def _field(key: str, value: Any, owner: Mapping[str, Any]) -> Any:
    if key in {"data", "stringData"} and owner.get("kind") == "Secret" and value:
        return _hidden(value)
    if key.startswith(".docker") and isinstance(value, str):
        return REDACTED
    if key == "value" and isinstance(value, str) and value and secret_name(str(owner.get("name", ""))):
        return REDACTED
    if key == "annotations" and isinstance(value, Mapping):
        return redact_object({name: note for name, note in value.items() if name != _LAST_APPLIED})
    if isinstance(value, str) and value and secret_name(key) and not key.endswith("Name"):
        return REDACTED if _certain(key, value) else redact(value)
    return redact_object(value)


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
        return [redact_object(item) for item in obj]
    return obj


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
        if begins is not None and not _KEY_ENDS.search(kept[at]):
            end = _key_end(kept, at)
            kept[at : end + 1] = [kept[at][: begins.start()] + REDACTED, *[REDACTED] * (end - at)]
            at = end
        at += 1
    return kept


def _key_end(lines: Sequence[str], at: int) -> int:
    """The line that ends the key, or the last one that can belong to a key whose end is cut off."""
    near = range(at + 1, min(at + _LONGEST_KEY, len(lines)))
    ends = next((number for number in near if _KEY_ENDS.search(lines[number])), None)
    if ends is not None:
        return ends
    return next((number - 1 for number in near if not _KEY_BODY.fullmatch(lines[number])), near[-1] if near else at)
